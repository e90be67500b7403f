"""Turns text into ASCII: accents are removed, letters of other alphabets are transliterated, signs are named.

A sign that no table knows is named by its Unicode name, because a sign that is dropped changes the meaning. Left out
are only characters that are layout (box drawing, bullets, invisible ones), emoji, and scripts that have no reading
here (Han, Arabic and others); ``unspoken`` tells which.
"""

import re
import unicodedata
from functools import lru_cache

from triforce_tts.text.alphabets import GREEK, HEPBURN, NAMES_OF_EMOJI, SILENT_EMOJI, TRANSLITERATED

KEPT = "€£¥₹¢°×μΩÅ"
"""Signs that the rules of numbers and units read themselves, beside the other currency signs."""

_FOLDS = {
    **dict.fromkeys("‘’‚‛ʼ′´", "'"),
    **dict.fromkeys("“”„‟«»″‹›「」『』《》〈〉", '"'),
    **dict.fromkeys("‐‑−﹣", "-"),
    **dict.fromkeys("–—―‒⸺⸻", " -- "),
    **dict.fromkeys("™®©℠¿¡¨¯¸·•‣⁃◦∙⋅", " "),
    **dict.fromkeys("™®©℠", ""),
    **{
        "…": "...",
        "⋯": "...",
        "⁄": "/",
        "∕": "/",
        "µ": "μ",
        "₤": "£",
        "∗": "*",
        "∣": "|",
        "∶": ":",
        "∼": "~",
        "˜": "~",
    },
    **{
        "。": ". ",
        "｡": ". ",
        "．": ".",
        "、": ", ",
        "،": ",",
        "؛": ";",
        "؟": "?",
        "۔": ".",
        "।": ".",
        "‽": "?!",
        "❗": "!",
    },
    **{"❓": "?", "№": "No. ", "º": "th", "ª": "th", "︎": "", "\ufe0f": ""},
    **{"ß": "ss", "ẞ": "SS", "æ": "ae", "Æ": "Ae", "œ": "oe", "Œ": "Oe", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L"},
    **{"đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "þ": "th", "Þ": "Th", "ı": "i", "ŋ": "ng", "Ŋ": "Ng", "ə": "uh"},
    **{"ʃ": "sh", "ʒ": "zh", "ƒ": "f", "ʻ": "'", "ĸ": "k"},
}
# The words for a sign. A space is put on both sides.
_NAMES = {
    **{"÷": "divided by", "±": "plus or minus", "∓": "minus or plus", "§": "section", "¶": "paragraph"},
    **{"≠": "is not equal to", "≈": "is approximately equal to", "≅": "is congruent to", "≡": "is identical to"},
    **{"≤": "is less than or equal to", "≥": "is greater than or equal to", "⩽": "is less than or equal to"},
    **{"⩾": "is greater than or equal to", "≦": "is less than or equal to", "≧": "is greater than or equal to"},
    **{"≪": "is much less than", "≫": "is much greater than", "∝": "is proportional to", "≃": "is about equal to"},
    **{"≮": "is not less than", "≯": "is not greater than", "≢": "is not identical to", "≉": "is not about equal to"},
    **{"∞": "infinity", "√": "the square root of", "∛": "the cube root of", "∜": "the fourth root of"},
    **{
        "∑": "the sum of",
        "∏": "the product of",
        "∫": "the integral of",
        "∮": "the contour integral of",
        "∬": "the double integral of",
    },
    **{
        "∂": "partial",
        "∇": "nabla",
        "∆": "delta",
        "∈": "is in",
        "∉": "is not in",
        "∋": "contains",
        "⊂": "is a proper subset of",
    },
    **{"⊆": "is a subset of", "⊃": "is a proper superset of", "⊇": "is a superset of", "⊄": "is not a subset of"},
    **{"∪": "union", "∩": "intersection", "∅": "the empty set", "∀": "for all", "∃": "there is", "∄": "there is no"},
    **{
        "¬": "not",
        "∧": "and",
        "∨": "or",
        "⊕": "plus in a circle",
        "⊗": "times in a circle",
        "∴": "therefore",
        "∵": "because",
    },
    **{
        "⊥": "is perpendicular to",
        "∥": "is parallel to",
        "‖": "is parallel to",
        "∠": "angle",
        "∘": "of",
        "⌀": "diameter",
        "∎": "end of proof",
    },
    **{
        "→": "right arrow",
        "←": "left arrow",
        "↑": "up arrow",
        "↓": "down arrow",
        "↔": "both ways arrow",
        "⇒": "implies",
    },
    **{
        "⇐": "is implied by",
        "⇔": "if and only if",
        "⟶": "right arrow",
        "⟵": "left arrow",
        "⟹": "implies",
        "⟺": "if and only if",
        "↦": "maps to",
    },
    **{
        "‰": "per mille",
        "‱": "per ten thousand",
        "†": "dagger",
        "‡": "double dagger",
        "※": "note",
        "℧": "mho",
        "ℓ": "l",
    },
    **{
        "♯": "sharp",
        "♭": "flat",
        "♮": "natural",
        "♀": "female",
        "♂": "male",
        "♠": "spades",
        "♣": "clubs",
        "♥": "hearts",
        "♦": "diamonds",
    },
    **{
        "★": "star",
        "☆": "white star",
        "✓": "check",
        "✔": "check",
        "✗": "cross",
        "✘": "cross",
        "☐": "empty box",
        "☑": "checked box",
    },
    **{
        "☒": "crossed box",
        "☎": "telephone",
        "℗": "sound recording copyright",
        "¦": "broken bar",
        "¤": "currency",
        "℮": "estimated",
    },
    **{
        "△": "triangle",
        "‸": "caret",
        "⁂": "three stars",
        "❤": "heart",
        "☮": "peace",
        "☯": "yin yang",
        "⚠": "warning",
        "№": "number",
    },
    **NAMES_OF_EMOJI,
}
_SUBSCRIPTS = dict(zip("₀₁₂₃₄₅₆₇₈₉", "0123456789", strict=True))
_SUPERSCRIPTS = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿˣʸ", "0123456789+-nxy", strict=True))
_SUPERSCRIPT = f"[{''.join(_SUPERSCRIPTS)}]"
# Full-width forms are the plain signs in the width of a Han letter.
_WIDE = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | dict(zip(map(ord, "￠￡￥￦"), "¢£¥₩", strict=True))
_COLD = r"[0-9.]{1,6} ?(?:°|℃|degrees?\b|%|per ?cent\b)"  # a dash before a number with one of these is a minus
# Behind '5' and '3' these show the ends of a strand of DNA.
ENDS_OF_STRANDS = (
    r"(?:-(?:end|UTR|terminus|terminal|cap|[ACGTU]{3,})|[ -](?:ends?|UTRs?|untranslated|splice|terminus|termini)\b)"
)
_GREEK_RUN = re.compile("[\u0370-\u03ff\u1f00-\u1fff]+")
_LATIN_NAME = re.compile(r"LATIN (SMALL|CAPITAL) (?:LETTER|LIGATURE) ([A-Z]{1,2})(?: WITH .*)?")
_SYLLABLE_NAME = re.compile(r"(?:HIRAGANA|KATAKANA) LETTER (?:SMALL )?([A-Z]+)|HANGUL SYLLABLE ([A-Z]+)")
_CIRCLED = re.compile(r"(?:NEGATIVE )?(?:CIRCLED|PARENTHESIZED|SQUARED) LATIN (?:SMALL|CAPITAL) LETTER [A-Z]")
_LAYOUT = re.compile("[\u2500-\u25ff\u2800-\u28ff\u2022\u2043\u204c\u204d\u3013\u3030]")
_EMOJI_START = "\U0001f000"
# The marks whose Unicode name says which of the common marks they are.
_MARKS = {
    **{"FULL STOP": ". ", "COMMA": ", ", "SEMICOLON": "; ", "COLON": ": ", "QUESTION MARK": "? "},
    **{"EXCLAMATION MARK": "! ", "APOSTROPHE": "'", "QUOTATION MARK": '"'},
}


def fold(text: str) -> str:
    """The text in ASCII, without accents; only the signs that rules of numbers and units need stay."""
    if text.isascii():
        return text
    text = _fold_runs(re.sub(r"(?<![^\W_])\u2212(?=[^\W\d_])", " minus ", text))
    return "".join(character if character.isascii() else _fold_character(character) for character in text)


def unspoken(text: str) -> tuple[str, ...]:
    """The characters of ``text`` that ``normalize`` leaves out although they mean something, each once, in their order.

    These are emoji and letters of scripts without a reading here. A caller tells its user about them.
    """
    return tuple(dict.fromkeys(character for character in text if not character.isascii() and _is_lost(character)))


def _is_lost(character: str) -> bool:
    """Whether nothing is said for a letter, number, symbol or unassigned character that is no layout."""
    kind = unicodedata.category(character)
    if kind[0] not in "LNS" and kind not in ("Co", "Cn", "Mc"):
        return False
    meaningless = (
        character in _NAMES
        or _LAYOUT.match(character)
        or kind in ("Sk", "Lm")
        or character in _FOLDS
        or character in "ъьЪЬ"
    )
    return not meaningless and not is_kept(character) and not _fold_character(character).strip()


def is_kept(character: str) -> bool:
    """Whether the rules of numbers and units read the sign themselves."""
    return character in KEPT or (unicodedata.category(character) == "Sc" and not character.isascii())


def name_sign(character: str) -> str:
    """The words for a sign that stands alone, without spaces; empty for a sign that nobody reads."""
    if character in _NAMES:
        return _NAMES[character]
    if character.lower() in GREEK:
        return GREEK[character.lower()].split()[0]
    name = re.sub(r"\b(?:sign|symbol)s?\b", "", unicodedata.name(character, "").lower())
    return " ".join(re.findall("[a-z]+", name))


def _say_bounds(match: re.Match[str]) -> str:
    """``∫₀¹`` as 'the integral from 0 to 1 of'."""
    lower = f"{unicodedata.normalize('NFKC', match[2])[0]} equals " if match[2] else ""
    lower += unicodedata.normalize("NFKC", match[3])
    return f" {_NAMES[match[1]].removesuffix(' of')} from {lower} to {unicodedata.normalize('NFKC', match[4])} of "


def _fold_runs(text: str) -> str:
    """Replace signs whose meaning depends on their neighbours: ranges, spaces within numbers, powers, degrees, Greek, lost accents."""
    text = re.sub("[–—―‒]{2,}", "—", text.translate(_WIDE))
    text = text.replace("§§", " sections ").replace("¶¶", " paragraphs ")
    text = re.sub(r"(?<=[²³ⁿ]) [-–] (?=[0-9(]|[b-z](?![a-z'’])|a[²³])", " minus ", text)
    text = re.sub("([∫∑∏])([ᵢⱼₖₙ]₌)?([₀-₉]{1,3})([⁰¹²³⁴-⁹ⁿ]{1,3})", _say_bounds, text)
    text = re.sub("(★{1,9})(☆{1,9})", lambda m: f" {len(m[1])} out of {len(m[0])} stars ", text)
    text = re.sub("★{2,99}|⭐{2,99}", lambda m: f" {len(m[0])} stars ", text)
    text = re.sub("[♩♪♫♬]", " ", text)  # marks of a song in subtitles
    text = re.sub(rf"(?<=\b[35])[′’](?={ENDS_OF_STRANDS})", "'", text)
    text = re.sub(r"([^\x00-\x7f\w])\1{3,}", r"\1", text)  # a long run of one sign is a line or a decoration
    text = re.sub(r"(?<=[0-9A-Za-z)²³ⁿ%]) ?− ?(?=[0-9A-Za-z(√½-¾])", " minus ", text)
    text = re.sub(r"(?<=[0-9A-Za-z%°€¼-¾⅐-⅞])[–‒](?=['’]?[0-9$£€¼-¾⅐-⅞])", "-", text)
    text = re.sub(rf"(?:^|(?<=[\s(\[]))(?<![0-9] )[–‒](?={_COLD})|(?<=\b(?:to|of|[Aa]t|is) )[–‒](?=[0-9])", "-", text)
    text = re.sub(r"(?<=[0-9]) [–‒] (?=[0-9.,]{1,18} ?[=<>≤≥≈≠])", " - ", text)
    text = _fold_marks_of_atoms(text)
    text = re.sub(r"(?<![A-Za-z])[Ⅰ-ⅿ](?![A-Za-zⅠ-ⅿ])", _say_numeral, text)
    text = re.sub(f"([0-9]?)({_SUPERSCRIPT}{{1,3}})(?:[⁄∕/](?=[₀-₉0-9])|(?=⁄))", _say_mixed_fraction, text)
    text = re.sub(r"(?<![0-9])([0-9]{1,3})((?:[\u00a0\u2009\u202f][0-9]{3})+)(?![0-9])", _join_thousands, text)
    text = re.sub(r"(?<=[0-9])[ \u00a0]?[º˚](?= ?[CFK]\b)|(?<=[0-9])˚|(?<=[0-9][0-9])º(?! (?:de|da|do)\b)", "°", text)
    text = re.sub(r"(?<=[0-9])′( ?[0-9]{1,2}(?:\.[0-9]{1,9})?)″", lambda m: f"'{m[1]}\"", text)
    text = re.sub(r"(° ?[0-9]{1,2}(?:\.[0-9]{1,9})?)′", r"\1'", text)
    text = re.sub(r"(?<=[ACGTU]{3}[-–][35])[′’]", "'", text)
    text = re.sub(r"(?<=[0-9])([\"'″′])[–‒-](?=[0-9.]{1,6}\1)", "-", text)
    text = re.sub(r"(?<=[0-9])″", " inches", text)
    text = re.sub(r"(?<=[0-9])′(?![0-9A-Za-z])", " feet", text)
    text = re.sub(r"(?<=\b[A-Za-z])(?:(″)|′)(?![A-Za-z])", lambda m: " double prime" if m[1] else " prime", text)
    text = re.sub(r"(?<=[A-Za-z])([ₐₑₒₓₕₖₗₘₙₚₛₜᵢⱼᵣᵤᵥ])", r" \1", text)
    text = re.sub(r"\bN[º°] ?(?=[0-9])", "No. ", text)
    text = re.sub(r"(?<=[A-Za-z])[·⋅](?=[A-Za-z])", " ", text)
    text = re.sub(r"(?<=[0-9]) ?[⋅∙·] ?(?=[0-9])", " * ", text)
    text = re.sub("([=<>≤≥∈≡≈∼])\u0338", lambda m: unicodedata.normalize("NFC", m[0]), text)
    # A raised number after a long word or a mark is the sign of a note, which nobody reads aloud.
    text = re.sub(r"(?:(?<=[a-z]{4})|(?<=[a-z][.,;:!?”\"])|(?<=[.,!?][”’\"']))[⁰¹²³⁴⁵⁶⁷⁸⁹]+(?![\w/])", "", text)
    text = re.sub(f"{_SUPERSCRIPT}+", lambda m: "^" + "".join(_SUPERSCRIPTS[sign] for sign in m[0]), text)
    text = re.sub(r"(?<![0-9])(?<![0-9] )[Å\u212b]|[Å\u212b](?=[A-Za-z])", "A", text.replace("\u212b", "Å"))
    return _GREEK_RUN.sub(_say_greek, text.replace("\u2126", "Ω").replace("µ", "μ"))


def _fold_marks_of_atoms(text: str) -> str:
    """The raised signs of roots, isotopes and ions as plain ones: ``³√8``, ``¹⁴C``, ``Ca²⁺``, ``Cl⁻``."""
    text = re.sub("³√", "∛", text).replace("⁴√", "∜")
    text = re.sub(
        r"(?:^|(?<=[\s(\[]))[⁰¹²³⁴⁵⁶⁷⁸⁹]{1,3}(?=[A-Za-z]| [A-Z])",
        lambda m: f"{''.join(_SUPERSCRIPTS[sign] for sign in m[0])} ",
        text,
    )
    return re.sub(
        r"(?<=[A-Za-z)\]₀-₉])([²³⁴⁵⁶⁷⁸]?)([⁺⁻])(?![⁰¹²³⁴⁵⁶⁷⁸⁹ⁿˣʸ])",
        lambda m: f" {_SUPERSCRIPTS.get(m[1], '')} {'plus' if m[2] == '⁺' else 'minus'} ",
        text,
    )


def _say_numeral(match: re.Match[str]) -> str:
    """A sign such as ``Ⅳ`` as a number, unless the word before shows what the letters count: 'Louis Ⅳ'."""
    before = re.search(r"([A-Za-z]+)\.? $", match.string[max(0, match.start() - 20) : match.start()])
    is_counted = before and before[1] not in ("and", "or", "to", "see", "in", "is", "of", "the", "with", "for")
    return match[0] if is_counted else str(int(unicodedata.numeric(match[0])))


def _say_mixed_fraction(match: re.Match[str]) -> str:
    """``1³⁄`` as '1 3/', so that what follows is the bottom of a fraction; with a letter before it is a power."""
    top = "".join(_SUPERSCRIPTS[sign] for sign in match[2])
    before = match.string[max(0, match.start() - 1) : match.start()]
    return f"{match[1]} {top}/" if top.isdigit() and not before.isalpha() and before != ")" else match[0]


def _join_thousands(match: re.Match[str]) -> str:
    return match[1] + re.sub(r"\s", ",", match[2])


def _say_greek(match: re.Match[str]) -> str:
    """Greek letters as Latin ones if they form a word; a letter that stands alone gets its name."""
    letters = match[0]
    if len(letters) > 1 or letters not in "μΩ":
        plain = [unicodedata.normalize("NFD", letter)[0] for letter in letters]
        if sum(letter.lower() in GREEK for letter in plain) == 1 and len(letters) == 1:
            return f" {name_sign(plain[0])} "
        return "".join(_transliterate(letter) if letter.lower() in GREEK else letter for letter in plain)
    # A single 'μ' or 'Ω' may belong to a unit, so it stays. If it does not, it gets its name later.
    return letters


def _transliterate(letter: str) -> str:
    latin = TRANSLITERATED[letter.lower()]
    return latin if letter.islower() else latin.capitalize()


@lru_cache(maxsize=4096)
def _fold_character(character: str) -> str:
    """One character folded; folding single characters avoids the quadratic time that ordering a long run of accents takes."""
    if is_kept(character):
        return character
    if character in _FOLDS:
        return _FOLDS[character]
    if character in SILENT_EMOJI:
        return " "
    if character in _NAMES:
        return f" {_NAMES[character]} "
    kind = unicodedata.category(character)
    if kind in ("Cf", "Mn", "Me"):
        return ""  # these are joiners, soft hyphens and accents
    if character in _SUBSCRIPTS:
        return _SUBSCRIPTS[character]
    if character.isdecimal():
        return str(unicodedata.decimal(character))
    if character.lower() in TRANSLITERATED:
        return _transliterate(character)
    number = unicodedata.numeric(character, None) if kind == "No" else None
    if number is not None and number == int(number):
        return f" {int(number)} "
    return _fold_by_parts(character)


def _fold_by_parts(character: str) -> str:
    """A character folded by its compatibility decomposition, or else by its Unicode name."""
    name = unicodedata.name(character, "")
    syllable = _SYLLABLE_NAME.fullmatch(name)
    if syllable:
        return HEPBURN.get(syllable[1], syllable[1]).lower() if syllable[1] else syllable[2].lower()
    if _CIRCLED.fullmatch(name):
        return f" {name[-1]} "
    decomposed = unicodedata.normalize("NFKD", character)
    if unicodedata.category(character) == "Nl":
        decomposed = decomposed.upper()  # Roman numerals become capitals.
    if decomposed != character:
        parts = "".join(part if part.isascii() else _fold_character(part) for part in decomposed)
        return f" {parts}" if "/" in parts and parts[0].isdigit() else parts or " "
    return _fold_by_name(character, name)


def _fold_by_name(character: str, name: str) -> str:
    latin = _LATIN_NAME.fullmatch(name)
    if latin:
        return latin[2].lower() if latin[1] == "SMALL" else latin[2].capitalize()
    kind = unicodedata.category(character)
    if kind[0] == "P":
        for ending, mark in _MARKS.items():
            if name.endswith(ending):
                return mark
        brackets = {"Pd": " -- ", "Ps": "(", "Pe": ")", "Pi": '"', "Pf": '"', "Pc": "_"}
        return brackets.get(kind) or f" {name_sign(character)} "
    is_sign = kind in ("Sm", "So") and character < _EMOJI_START and not _LAYOUT.match(character)
    return (
        f" {name_sign(character)} " if is_sign and not name.startswith("REPLACEMENT") and _has_plain_name(name) else " "
    )


def _has_plain_name(name: str) -> bool:
    """Whether a listener understands the sign by its name; the names of radicals, hexagrams and so on say nothing."""
    return not re.search(r"IDEOGRA|RADICAL|HEXAGRAM|SYLLABLE|YI |MUSICAL|BRAILLE|TETRAGRAM|-[0-9A-F]+$", name)
