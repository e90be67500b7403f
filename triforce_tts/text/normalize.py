"""Turns text as it is printed into text as it is spoken: words, apostrophes and a small set of punctuation.

The result holds only the letters A-Z and a-z, ``'``, ``. , ! ? ; : - "``, single spaces, and inline
phonemes in braces. Letters outside numbers and abbreviations survive. Signs are named; what has no reading here
(emoji, some scripts) is left out, and ``unspoken`` tells which characters those are.
"""

import re
from html import unescape

from triforce_tts.errors import TextError
from triforce_tts.text import (
    addresses,
    catalogues,
    citations,
    codes,
    dates,
    formulas,
    labels,
    law,
    money,
    named_numbers,
    numbers,
    programs,
    shillings,
    sports,
    tallies,
    units,
    years,
)
from triforce_tts.text.abbreviations import expand
from triforce_tts.text.chess import speak_moves
from triforce_tts.text.latex import read_latex
from triforce_tts.text.letters import speak_roman, spell_acronyms, spell_beside_digits
from triforce_tts.text.phonemes import BRACES, parse_phones
from triforce_tts.text.shouted import calm, is_shouted, quieten
from triforce_tts.text.signs import ENDS_OF_STRANDS, fold, name_sign, unspoken

__all__ = ["is_speakable", "normalize", "unspoken"]

_SYMBOLS = {
    **{
        "&": "and",
        "%": "percent",
        "+": "plus",
        "=": "equals",
        "@": "at",
        "°": "degrees",
        "$": "dollars",
        "£": "pounds",
    },
    **{"€": "euros", "¥": "yen", "₹": "rupees", "¢": "cents", "×": "times", "\\": "backslash", "Å": "A"},
}
# Comparisons in ASCII, longest first.
_COMPARISONS = {
    **{
        "<=>": "is equivalent to",
        "<->": "both ways arrow",
        "!=": "is not equal to",
        "<>": "is not equal to",
        "=/=": "is not equal to",
    },
    **{
        "<=": "is less than or equal to",
        "=<": "is less than or equal to",
        ">=": "is greater than or equal to",
        "==": "equals",
    },
    **{
        "=>": "implies",
        "->": "right arrow",
        "<-": "left arrow",
        "<<": "is much less than",
        ">>": "is much greater than",
    },
    **{"<": "is less than", ">": "is greater than"},
}
_DATED = re.compile(r"[0-9-]|, [A-Z]{2}\b")  # a text without one of these needs no rule of dates and codes
_RULES_OF_NAMES = (
    law.RULES,
    labels.RULES,
    tallies.RULES,
    sports.RULES,
    catalogues.RULES,
    named_numbers.RULES,
    dates.RULES,
    codes.RULES,
    shillings.RULES,
)
_NUMERIC = re.compile(r"[0-9^/°Ω]")  # a text without one of these needs no rule of numbers
_NUMERIC_RULES = (
    units.FIRST_RULES,
    numbers.RULES_BEFORE_UNITS,
    money.RULES,
    years.RANGE_RULES,
    numbers.RANGE_RULES,
    units.RULES,
    years.RULES,
    numbers.RULES,
)
_ENTITY = re.compile(r"&(?:#[0-9]{1,6}|#[xX][0-9A-Fa-f]{1,5}|[A-Za-z][A-Za-z0-9]{1,30});")
_ORDERED = (
    "order|ticket|case|invoice|item|reference|ref|claim|part|serial|model|policy|booking|account|unit|room|bug|issue"
)
_ESCAPED_TWICE = re.compile(
    r"&amp;(?=(?:amp;)*(?:#[0-9]{1,6}|#[xX][0-9A-Fa-f]{1,5}|amp|lt|gt|quot|apos|nbsp|[lr][sd]quo|hellip|[mn]dash);)"
)
# A mark at school and a type of blood: 'an A- grade', 'O-'.
_MINUS_BEHIND = re.compile(
    r"(?<![\w'-])(A|B|C|D|F|O|AB)-(?=$|[.,;:!?)]| (?:grades?|students?|average|blood|donors?|for|in|on)\b)"
)
_EMOTICONS = re.compile(r"(?:(?<=[\w.,!?] )|^)[:;]['-]?[()DP](?=$| |[.,!?])")
# Marks of references behind a sentence, and of editors: 'It is old.[1][2]', '[citation needed]'.
_MARKS_OF_NOTES = re.compile(
    r"(?:(?<=[a-z][.,;:!?])|(?<=[a-z][.!?][\"')]))(?:\[(?:[0-9]{1,3}|[a-z]|note [0-9]{1,3})\]){1,9}(?=[ \"')]|$)"
    r"|(?:^|(?<=[A-Za-z.,;:!?\])])) ?\[(?:citation needed|clarification needed|better source needed|edit)\]"
    r"|(?<=[A-Za-z.,;:!?\])]) ?\[(?:when\?|who\?|by whom\?)\]"
)
# The emoticon '<3': behind a person or thanks, or at the end behind a mark or another one. Else it is a comparison.
_HEART = re.compile(
    r"(?<![\w<=>-])<3(?![\w<=>%°]|[.,][0-9]| ?(?:[kcm]?m|k?g|hours|days|weeks|months|years|minutes|seconds)\b)"
)
_LOVING = re.compile(r"\b(?i:i|we|you|u|they|guys|everyone|much|thanks|love|miss) $")
_LONE_HEART = re.compile(r"(?:^|[!?.]|(?:^| )<3|\bheart )[ ]?$")
# Letters that an editor changed or added, and the plural that may be meant: '[T]he', 'book[s]', 'word(s)'.
_PARTS_OF_WORDS = re.compile(
    r"\[([A-Za-z])\](?=[a-z])(?!.{0,200}\[/\1\])|(?<=[a-z]{2})\[(e?s|e?d|ing|ly)\](?![\w\[(])|(?<=[a-z]{2})\((e?s|ren)\)(?!\w)"
)
# Keys of a telephone: 'press #', 'dial *69'.
_KEYS = re.compile(r"(\b(?i:press|dial)(?:ed|ing)? )(\*(?=[0-9 .,;!?)]|$)|#(?=[ .,;!?)]|$))")
_ELISION = re.compile(
    r"(?:tis|twas|twere|twill|til|em|cause|bout|round|n|neath|gainst|im|er|nuff|twould|cept|spose|fraid|scuse|twixt|tisn|twasn|ere)\b"
)
_DASH = "\x00"  # this character stands for a dash between words until all hyphens are handled


def normalize(text: str) -> str:
    """The text as words.

    LaTeX becomes what it means first. Inline phonemes such as ``{T AH0 M EY1 T OW0}`` are checked and pass through.

    Raises:
        TextError: nothing in the text can be spoken; a brace lacks its partner; or a phone is unknown.
    """
    text = read_latex(_ENTITY.sub(_say_entity, _ESCAPED_TWICE.sub("&", text)))
    plain = BRACES.split(text)  # text and phones take turns; the first and the last are text
    for stray in "{}":
        if any(stray in part for part in plain[::2]):
            raise TextError(
                f"a '{stray}' without its partner in '{text.strip()[:60]}': braces hold phonemes, such as {{T AH0 M EY1 T OW0}}"
            )
    shouted = is_shouted(" ".join(plain[::2]))
    parts = [_speak(part, shouted) if i % 2 == 0 else _phonemes(part) for i, part in enumerate(plain)]
    spoken = _tidy(_quotes(_dashes("".join(parts))))
    if not re.search("[A-Za-z]", spoken):
        raise TextError(
            f"nothing in '{text.strip()[:60]}' can be spoken: it holds no letter or digit that English knows"
        )
    return spoken


def is_speakable(text: str) -> bool:
    """Whether the text holds a letter or digit that ``normalize`` would speak."""
    return any(character.isalnum() for character in fold(text))


def _say_entity(match: re.Match[str]) -> str:
    """The sign that an entity of HTML stands for; braces would be taken for phonemes."""
    sign = unescape(match[0])
    return match[0] if sign in "{}" else sign


def _phonemes(inside: str) -> str:
    return "{" + " ".join(parse_phones(inside)) + "}"


def _speak(text: str, shouted: bool) -> str:
    """A stretch without braces, in words; the white space at its ends is kept."""
    text = fold(_OPEN_COMPARISON.sub(_say_open_comparison, speak_moves(text)))
    text = _separate(numbers.apply(programs.RULES, re.sub(r"\s+", " ", text)))
    if shouted:
        text = calm(text)
    text = numbers.apply(addresses.RULES, numbers.apply(citations.LINES_OF_PLAYS, text))
    text = numbers.apply(citations.RULES, text)
    if "=" in text or "/" in text:
        text = numbers.apply(formulas.RULES, text)
    if _DATED.search(text):
        for rules in _RULES_OF_NAMES:
            text = numbers.apply(rules, text)
    text = spell_beside_digits(speak_roman(expand(_hashes(text))))
    if _NUMERIC.search(text):
        for rules in _NUMERIC_RULES:
            text = numbers.apply(rules, text)
    text = spell_acronyms(_symbols(text))
    return quieten(text) if shouted else text


def _separate(text: str) -> str:
    """Separate a number from a sentence before it ('The end.12'); make a backtick between letters an apostrophe."""
    text = re.sub(r"(?<=[A-Za-z])`(?=[A-Za-z])", "'", re.sub(r"``([^`]{0,300}?)''", r'"\1"', text))
    text = re.sub(r"(?<![\w`'])`(?=\w)([^`]{0,300}?[^\s`])'(?!\w)", r"'\1'", text)
    text = re.sub(r"(?:^|(?<= ))([\"'])\.{2,3} ?(?=\w)", r"\1", text)  # an ellipsis that opens a quotation
    text = re.sub(r"(?<![\w'])''(\w[^']{0,200}?)''(?!')", r'"\1"', text)
    text = re.sub(r"(?<![\w.])([$£€])-(?=[0-9])", r"-\1", text)
    text = re.sub(r"(?<=[0-9])''(?!\w)", '"', text)
    text = re.sub(
        r"(?<![\w'-])(?:(A)(?:-| -- )Z|(a)(?:-| -- )z)(?![\w'-])", lambda m: "A to Z" if m[1] else "a to z", text
    )
    text = re.sub(r"(?<=[0-9])(?=etc\b)", " ", text)
    text = re.sub(rf"(?<=\b[35])'(?={ENDS_OF_STRANDS})", " prime", text)
    text = re.sub(r"(?<=[ACGTU]{3}-[35])'(?!\w)", " prime", text)
    text = _KEYS.sub(lambda m: f"{m[1]}{'star' if m[2] == '*' else 'hash'} ", text)
    text = _PARTS_OF_WORDS.sub(r"\1\2\3", text)
    text = re.sub(r"(?<![\w.])(?:MR|MRS|DR|PROF)\.(?= [A-Z])|\bETC\.", _say_capitals, text)
    text = re.sub(r"\+/-|(?<![\w+])\+-(?= ?[0-9])", " plus or minus ", text)
    text = _EMOTICONS.sub("", text)
    text = _MARKS_OF_NOTES.sub("", text)
    text = _HEART.sub(_say_heart, text)
    text = re.sub(r"~~~+|~~(?=\S)|(?<=\S)~~", "", text)
    text = re.sub(r"[\[(]\.{3}[\])]", "...", text)  # what a quotation leaves out
    text = re.sub(r"\bU\.S\.? ?(?=\$)", "US", text)
    text = re.sub(r"(?<![\w.])(Mr|Mrs|Ms|Dr|Prof|St)\.(?=[A-Z][a-z]+(?!\.[a-z]))", r"\1. ", text)
    text = re.sub(r"(?<=[a-z]{2}[.!?])(?=[0-9]{1,9}(?:[ .,;:)]|$))", " ", text)
    return re.sub(r"(?<=[a-z]{2}[.!?][\"')\]])(?=[0-9])", " ", text)


def _say_heart(match: re.Match[str]) -> str:
    before = match.string[max(0, match.start() - 10) : match.start()]
    is_last = re.match(r"(?: ?<3){0,9}[ !?.)]*$", match.string[match.end() : match.end() + 40])
    return " heart " if _LOVING.search(before) or (is_last and _LONE_HEART.search(before)) else match[0]


def _say_capitals(match: re.Match[str]) -> str:
    """``MR.`` and ``ETC.`` as they are written among small letters."""
    return "etc." if match[0] == "ETC." else match[0].capitalize()


def _hashes(text: str) -> str:
    """``#5`` as 'number 5', also with the letter of an order ('order #A-102'); '#2024goals' is a hashtag."""
    text = re.sub(r"(?<![\w#])#(?=[0-9]{1,6}(?!st\b|nd\b|rd\b|th\b)[A-Za-z]{3})([0-9]+)", r"hashtag \1 ", text)
    text = re.sub(
        rf"(\b(?i:{_ORDERED})s? )#(?=[A-Z]{{1,4}}-?[0-9]|[A-Z]{{1,4}}-(?:{_NUMBER_WORD})\b)", r"\1number ", text
    )
    return re.sub(r"(?<![\w#])#(?=[0-9])", "number ", text)


def _symbols(text: str) -> str:
    """The remaining signs in words: comparisons, slashes, hashes, then single signs."""
    text = _compare(_TAG.sub(lambda tag: f" {tag[0].strip('</>')} ", text))
    text = re.sub(r"\b(and|either)/or\b", r"\1 or", text)
    text = re.sub(
        r"(?<=[A-Za-z)\]]) ?/ ?(?=[A-Za-z(])|(?<=[A-Za-z])/(?![A-Za-z/])|(?<![A-Za-z/<.])/(?=[A-Za-z])", " slash ", text
    )
    text = re.sub(r"(?<=\b[A-Z])#", " sharp ", text)
    text = _MINUS_BEHIND.sub(r"\1 minus", text)
    text = re.sub(r"#(?=[A-Za-z])", " hashtag ", text)
    text = re.sub(r"(?<=[A-Za-z]) \* (?=[A-Za-z])", " times ", text)
    text = re.sub(r"(?<=\b[A-Za-z])\*(?=[A-Za-z]\b)", " times ", text)
    text = re.sub(r"(?<=[A-Za-z0-9])_(?=[A-Za-z0-9])", " underscore ", text)
    text = re.sub(r"~ ?(?=[A-Za-z])", " about ", text)
    text = re.sub(r" \| ", ", ", text)
    text = re.sub(r"(?<![\w$])\$(?=[A-Z]{2,5}\b)", "dollar ", text)
    text = re.sub(r"(?<=[A-Za-z$])\$(?![0-9])|(?<=[A-Za-z])\$", " dollar ", text)
    return "".join(_say_symbol(character) for character in text)


def _compare(text: str) -> str:
    """Comparisons and arrows between two sides, or before a number; tags of a markup language lose their brackets."""
    signs = "|".join(map(re.escape, _COMPARISONS))
    return re.sub(rf"(?<![<>=!-])({signs})(?= ?[A-Za-z(\[-])", _say_comparison, text)


def _say_comparison(match: re.Match[str]) -> str:
    """A comparison where a side stands before it, or where a number follows ('<5'); else it is a mark of a list or mail."""
    reading = _COMPARISONS[match[1]]
    if re.search(r"[A-Za-z)\]'] ?$", match.string[max(0, match.start() - 2) : match.start()]):
        is_said = _NO_SIDE.search(match.string[max(0, match.start() - 8) : match.start()])
        return f" {reading.removeprefix('is ') if is_said else reading} "
    number = re.match(rf" ?(?:{_NUMBER_WORD})\b", match.string[match.end() : match.end() + 12])
    return f" {reading.removeprefix('is ')} " if number and match[1][0] in "<>" else match[0]


# These words are no side of a comparison: 'it is > 5', 'under 2 and > 1'.
_SIDELESS = r"\b(?:is|are|was|were|be|and|or|but|with|of|at|for|by|if|only)"
_NO_SIDE = re.compile(rf"{_SIDELESS} ?$")
_OPEN_COMPARISON = re.compile(rf"(^|[(,;:] |{_SIDELESS} |\()([≤≥≈≪≫≠]) ?(?=[$£€-]?[0-9.])")


def _say_open_comparison(match: re.Match[str]) -> str:
    """A comparison without a side before it, so without a verb: '≈ 3', 'values ≥ 5' has one."""
    return f"{match[1]}{name_sign(match[2]).removeprefix('is ')} "


# a closing tag, a tag that closes itself, a tag without attributes, and a tag with attributes
_TAG = re.compile(
    r"</[A-Za-z][A-Za-z0-9]{0,20}>|<[A-Za-z][A-Za-z0-9]{0,20}(?: [^<>]{0,100})?/>|<[A-Za-z]{1,20}>|<[A-Za-z]{1,20}(?: [A-Za-z-]{1,30})?=[^<>]{0,200}>"
)
_NUMBER_WORD = (
    "zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen"
    "|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|minus"
)


def _say_symbol(character: str) -> str:
    if character in _SYMBOLS:
        return f" {_SYMBOLS[character]} "
    if character.isascii() or character == _DASH:
        return character
    names = money.currency_names(character) if money.is_money(character) else None
    return f" {names[1] if names else name_sign(character)} "


def _dashes(text: str) -> str:
    """Mark dashes, so that they differ from hyphens; remove a hyphen that belongs to one word only ('pre- and')."""
    text = re.sub(r"-{2,}|(?:^| )-(?= |$)", f" {_DASH} ", text)
    return re.sub(r"(?<![A-Za-z}])-|-(?![A-Za-z{])", " ", text)


def _quotes(text: str) -> str:
    """Keep apostrophes, make single quotation marks double, and drop all other such signs."""
    out: list[str] = []
    is_open = False
    for i, character in enumerate(text):
        if character != "'":
            out.append(character)
            continue
        after_letter = i > 0 and (text[i - 1].isalpha() or text[i - 1] == "}")
        before_letter = text[i + 1 : i + 2].isalpha()
        if after_letter and before_letter:
            out.append("'")
        elif before_letter:
            is_elision = _ELISION.match(text[i + 1 : i + 10].lower()) is not None
            out.append("'" if is_elision else '"')
            is_open = is_open or not is_elision
        elif is_open:
            out.append('"')
            is_open = False
        elif after_letter:
            out.append("'")  # as in dogs' and goin'
    return "".join(out)


def _tidy(text: str) -> str:
    """Leave single spaces and single punctuation marks, each in its place."""
    text = re.sub(r"(?<!\.)(?<!\. )\.(?: ?\.)+(?= ?[a-z])", ",", text)  # an ellipsis within a sentence
    text = re.sub(r"(?<![.?!])\.(?=[,;:]|[)\]] [a-z])", "", text)  # the dot of an abbreviation within a sentence
    text = re.sub(r"[()\[\]]", ", ", text)
    text = re.sub(rf"[^A-Za-z0-9'.,!?;:\-\" {{}}{_DASH}]", " ", text)
    text = re.sub(r" +", " ", text)
    text = re.sub(r" ?[.,!?;:](?: ?[.,!?;:])*", lambda m: _strongest(m[0]), text)
    text = re.sub(rf" ?{_DASH}(?: ?{_DASH})* ?", _DASH, text)
    text = re.sub(rf"(?:^|(?<=[.,!?;:])){_DASH}|{_DASH}(?=[.,!?;:]|$)", " ", text)
    text = text.replace(_DASH, " - ")
    text = re.sub(r"([.,!?;:])(?=\"?[A-Za-z{])", r"\1 ", text)
    text = re.sub(r"\"(?: ?\")+", _mark_once, text)
    text = re.sub(r" (?=[.,!?;:])", "", re.sub(r" +", " ", text))
    return text.lstrip(" ,.;:!?-").rstrip(" ,;:-")


def _mark_once(match: re.Match[str]) -> str:
    """One quotation mark for nested ones; with a space between, behind a word and before one, two quotations meet."""
    before = match.string[max(0, match.start() - 1) : match.start()]
    after = match.string[match.end() : match.end() + 1]
    # A dash in front was set apart by spaces: '"Wait -" "No!"'.
    is_behind = before not in ("", " ") or match.string[: match.start()].endswith(" - ")
    meets = " " in match[0] and is_behind and (after.isalnum() or after in ("{", "'"))
    return '" "' if meets and after else '"'


def _strongest(marks: str) -> str:
    return next(mark for mark in "?!.;:," if mark in marks)
