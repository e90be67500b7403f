"""Signs of programs, shells and subtitles in plain text: ``a && b``, ``foo()``, ``~/notes``, ``2.0-beta.3``, ``0b101``."""

from triforce_tts.text.numbers import Rule, rule, spell_digits

RULES: list[Rule] = [
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
