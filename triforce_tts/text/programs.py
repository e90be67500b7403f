"""Signs of programs, shells and subtitles in plain text: ``a && b``, ``foo()``, ``~/notes``, ``2.0-beta.3``, ``0b101``."""

from triforce_tts.text.letters import is_known
from triforce_tts.text.numbers import Rule, number_words, rule, spell_digits

# Letters with a star between them that are a word: 'M*A*S*H'.
_STARRED = r"(?<![\w*])[A-Z](?:\*[A-Z]){3,11}(?![\w*])"
RULES: list[Rule] = [
    rule(r"(?<=\bCOUNT\()\*(?=\))", lambda m: "star"),
    rule(
        r"(?i:(?<=\bselect )|(?<=\bdistinct )|(?<=\bimport )|(?<=\bfrom )|(?<=\brepeat ))\*(?=[ ;,)]|$)",
        lambda m: "star",
    ),
    rule(_STARRED, lambda m: m[0].replace("*", "") if is_known(m[0].replace("*", "")) else m[0]),
    rule(
        r"(?<![\w.,])([1-7])\*(?= (?:hotel|resort|luxury|hostel|restaurant|property|reviews?|ratings?|accommodation)s?\b)",
        lambda m: f"{number_words(m[1])} star",
    ),
    # A field of one letter, where the signs of a program stand behind it: 'self.x = 1', 'p.y)'.
    rule(r"(?<=\b[a-z])([a-z]{0,20})\.(?=[a-z](?: ?[-+*/%]?=| ?[+*/<>] ?\w| - \w|[()\[\]]))", lambda m: f"{m[1]} dot "),
    rule(r"\bP(r?)\(([^()|]{1,30}?) ?\| ?([^()|]{1,30})\)", lambda m: f"P{m[1]} of {m[2]} given {m[3]}"),
    rule(
        r"(?<![\w|])\|(-?[A-Za-z0-9]{1,3}(?: ?[-+] ?[A-Za-z0-9]{1,3})?)\|(?= ?[<>=≤≥])",
        lambda m: f"the absolute value of {m[1]}",
    ),
    rule(r"(?<![\w'])([A-HJ-NP-Za-z])!(?= [=/*])", lambda m: f"{m[1]} factorial"),
    rule(r"(?<=[\w)\]]) ?&& ?(?=[\w(!])", lambda m: " and "),
    rule(r"(?<=[\w)\]]) ?\|\| ?(?=[\w(!])", lambda m: " or "),
    # A mark of exclamation before a condition denies it.
    rule(r"(?:(?<=\()|(?<= and )|(?<= or )|(?<== ))!(?=[A-Za-z(_])", lambda m: "not "),
    rule(r"(?<=\w)\(\)", lambda m: ""),
    rule(r"(?<![\w~/])~/(?=[\w.])", lambda m: "tilde slash "),
    rule(r"\b(alpha|beta|rc|dev|preview|canary|pre|post)\.(?=[0-9]{1,4}\b)", lambda m: f"{m[1]} point "),
    rule(r"(?<![\w.])0b([01]{1,64})\b", lambda m: f"zero b {spell_digits(m[1])}"),
    # The times of subtitles have a comma before the thousandths, and an arrow between start and end.
    rule(r"(?<![\w:.,])([0-9]{2}:[0-5][0-9]:[0-5][0-9]),(?=[0-9]{3}\b(?![,.]?[0-9]))", lambda m: f"{m[1]}."),
    rule(r"(?<=[0-9]:[0-5][0-9]\.[0-9]{3}) ?--> ?(?=[0-9])", lambda m: " to "),
]
