"""Full stops that end no sentence: behind an abbreviation, a numeral or a part of a sum, where the sentence goes on."""

import re

from triforce_tts.text.abbreviation_names import (
    BEFORE_A_NAME,
    BEFORE_AMOUNTS,
    BEFORE_NUMBERS,
    MONTHS_OF_LETTERS,
    NO_WORDS,
    OPENERS,
    SHORT_NAMES,
    SUFFIXES,
    TITLES,
)
from triforce_tts.text.abbreviations import is_rank
from triforce_tts.text.chess import FIRST_MOVE, NUMBERED
from triforce_tts.text.citations import BIBLE
from triforce_tts.text.cookery import INGREDIENT
from triforce_tts.text.dates import MONTH, SHORT_DAYS, SHORT_MONTHS
from triforce_tts.text.law import is_within_place
from triforce_tts.text.letters import is_known
from triforce_tts.text.roman import roman_value
from triforce_tts.text.saints import is_named
from triforce_tts.text.short_forms import TEACHERS
from triforce_tts.text.unit_names import UNITS

_REACH = 24  # so many characters on each side of a cut say whether the sentence goes on
_LAST_WORD = re.compile(r"(?:^|[^\w.])((?:&\s?)?[A-Za-z]+)\.$|((?:[0-9½¼¾][sdl])|£[0-9]+)\.$")
# What may begin a sentence although its first letter is small: 'iPhone', 'notes.txt', the number of an item ('two.').
_NAMED = re.compile(r"[a-z]+[A-Z0-9]|\w{2,}\.[a-z]|(?:one|two|three|four|five|six|seven|eight|nine|ten)\.")
_SHORT_OR_NAME = re.compile(r"(?:^|[^\w'’])([A-Z]?[a-z]+|[A-Z]|[IVXL]+|[0-9]+(?:st|nd|rd|th))\.$")
_CAPITAL = re.compile(r"\W*[A-Z]")
_MARK = re.compile(r"[,;:]|[-–](?:[a-z]|[A-Z][a-z]+\.)")
_CLOSED = re.compile(r"(?:[)\]]+[\"'”’*_]*|[⁰¹²³⁴⁵⁶⁷⁸⁹]{1,3})\s+(?![a-z])")
_OPENER = re.compile(rf"\W*(?:{OPENERS})\b")
_NAME = re.compile(rf"(?!(?:{OPENERS})\b)[A-Z](?:[a-z'’]|\. ?[A-Z])")
_IN_A_SUM = re.compile(r"(?:[0-9]{1,2}|[0-9]{0,2}[½¼¾]) ?[sd]\b")
_PLACE = re.compile(r"[0-9]{1,3}: ?[0-9]|[ivxlc]+\.? [0-9]")  # a chapter and a verse
_NUMBER = re.compile(r"[0-9]|[IVXLC]+\b(?!['’])")
_PART_OF_PLACE = re.compile(r"(?:Sc|Bk|Vol|Ch|Chap|Sect?|Pt|Art)\. ?[0-9IVXivx]")
_COUNTED = frozenset(["hob", "bk", "bks", "chap", "chaps", "ch", "vol", "vols", "sc", "sect", "op", "nos"])
# No sentence ends behind these where a number follows, with or without a bracket; those of the second row need a capital.
_BEFORE_AMOUNT = frozenset(
    [
        *BEFORE_AMOUNTS,
        "approx",
        "incl",
        "excl",
        "figs",
        "eq",
        "eqs",
        "rm",
        "apt",
        "bldg",
        "rt",
        "ed",
        "tel",
        "fn",
        "fns",
        "fol",
        "fols",
        "vv",
        "ep",
        "eps",
    ]
)
_BEFORE_AMOUNT -= {"min"}
_LABELS = frozenset(["Ex", "App", "Art", "Tab", "Par", "Sec"])
_AMOUNT = re.compile(r"[(~-]?[0-9]")
_HALF_DAY = re.compile(r"[0-9] ?[AaPp]\. ?[Mm]\.$")
_ZONE = re.compile(
    r"(?:[ECMP][SD]?T|GMT|UTC|BST|IST|CES?T|JST|AE[SD]T)\b(?! (?:is|was|said)\b)"
    r"|(?:Eastern|Central|Pacific|Mountain)(?=\W*$|[.,;:)/]| (?:[Tt]ime|[Ss]tandard|[Dd]aylight|on|and|to|at|for)\b)"
)
_LETTERED = re.compile(r"(?:[A-Z]\.?[0-9]|[A-HJ-Z](?:[.,;:)]|$))")
_DATE = re.compile(rf"(?:[0-9]{{1,2}}(?:st|nd|rd|th)? )?{MONTH}(?![A-Za-z])|[0-9]{{1,2}}(?:st|nd|rd|th)\b")
_DEGREES = re.compile(r"[0-9.]+ ?°")
_AND_DAY = re.compile(rf"(?:&|and\b|or\b) ?(?:{'|'.join(SHORT_DAYS)})")
_DAYS = frozenset(SHORT_DAYS) - {"Sat", "Sun"}  # these two are words as well
_RANKS = frozenset({*SHORT_NAMES, *BEFORE_A_NAME, *TITLES}) - {"Regt", "regt"}
_SHORTENED = frozenset({*BEFORE_NUMBERS, *SUFFIXES, *UNITS, *MONTHS_OF_LETTERS})
_MEASURE = re.compile(
    r"[0-9½¼¾](?: |-| ?-)(?:in|ft|lbs?|oz|yds?|pt|qts?|cwt|doz|hrs?|mins?|st|tsps?|tbsps?|Tbsps?|Tsps?|pkgs?|gal)\.$"
)
_CITED = re.compile(r"(?:[A-Z][\w’']{1,30}|Cor\.|\b(?:vol|bk|chap|act|book|ch)\.?) [ivxlc]+\.$")


def without_open_stops(text: str, ends: list[int]) -> list[int]:
    """The ends of sentences without those at which the sentence goes on; the first and the last of ``ends`` stay.

    An end before a closing bracket moves behind it. Where sentences begin with capitals, a full stop before a small
    letter ends none, unless a common word stands before it. Elsewhere only what is no word shows that the sentence goes
    on: 'vol. ii. of it'.
    """
    inner = dict.fromkeys(end + _closing(text, end) for end in ends[1:-1])
    sides = [(end, text[max(0, end - _REACH) : end].rstrip(), text[end : end + _REACH].lstrip()) for end in inner]
    sides = [(end, before, after) for end, before, after in sides if end < len(text) and not _is_within(before, after)]
    small = {end for end, before, after in sides if before.endswith(".") and _is_small(after)}
    starts = [text.lstrip(), *(after for _, _, after in sides)]
    if sum(bool(_CAPITAL.match(start)) for start in starts) < len(small):
        small = set()
    kept = [end for end, before, _ in sides if end not in small or not _is_behind_abbreviation(before)]
    return [ends[0], *kept, *ends[1:][-1:]]


def _closing(text: str, end: int) -> int:
    """The length of a closing bracket that follows the end of a sentence, and of the white space behind it."""
    closed = _CLOSED.match(text, end)
    return closed.end() - end if closed else 0


def _is_small(after: str) -> bool:
    """Whether a word in small letters follows, also in a bracket, that is no name such as 'iPhone'."""
    return _is_small_letter(after) and not _NAMED.match(after)


def _is_small_letter(after: str) -> bool:
    return after.removeprefix("(")[:1].islower()


def _is_behind_abbreviation(before: str) -> bool:
    """Whether the word before a full stop may be an abbreviation: it is no common word, no acronym and no number."""
    last = _SHORT_OR_NAME.search(before)
    return last is not None and (last[1] in _SHORTENED or not (last[1].islower() and is_known(last[1])))


def _is_within(before: str, after: str) -> bool:
    """Whether the word before a cut and what follows show by themselves that the sentence goes on."""
    if not before.endswith("."):
        return False
    if _MARK.match(after) or (NUMBERED.search(before) and FIRST_MOVE.match(after)):
        return True
    if re.fullmatch(r"(?:INT|EXT)\.", before) and after[:2].isupper():
        return True  # the place of a scene of a screenplay
    if _HALF_DAY.search(before) and _ZONE.match(after):
        return True
    if before.endswith("Dr.") and is_named(before[:-3], f" {after}"):
        return True
    if before.endswith("Assoc.") and re.match(rf"(?:{TEACHERS})\b", after):
        return True
    if is_within_place(before, after):
        return True
    last = _LAST_WORD.search(before)
    if not last:
        return False
    if last[2]:
        return bool(_IN_A_SUM.match(after)) or (last[2][1] in "sd" and _is_small_letter(after))
    word = last[1]
    if INGREDIENT.match(before) and len(before) < _REACH - 1 and not _OPENER.match(after):
        return True
    if _is_small_letter(after):
        return bool(_is_shortened(word) or _MEASURE.search(before) or (word in BIBLE and _PLACE.match(after)))
    if after[:2].isupper() and word.isupper() and word not in _RANKS:
        word, after = word.capitalize(), after.title()
    if _NAME.match(after) and word in _RANKS:
        if not is_rank(word, before[: -len(word) - 1], f" {after}"):
            return False
        return word not in ("Sr", "Corp") or not re.search(r"[A-Z][\w’']*,? \w+\.$", before)
    return _is_before_number(before, word, after)


def _is_shortened(word: str) -> bool:
    """Whether a word is an abbreviation or a roman numeral, which it is in a text without capitals too."""
    is_numeral = len(word) > 1 and roman_value(word) > 0 and (word.isupper() or word.islower())
    return is_numeral or word in SHORT_NAMES or word.lower() in NO_WORDS or word in _DAYS or word[0] == "&"


def _is_before_number(before: str, word: str, after: str) -> bool:
    """Whether a number belongs to the word before it: 'Bk. 3', 'lat. 51°', '1 Cor. xiii. 4', 'Luke ii. 14'."""
    if word.lower() in ("lat", "long"):
        return bool(_DEGREES.match(after))
    if (word.lower() in _BEFORE_AMOUNT and word != "Ed") or word in _LABELS:
        return bool(_AMOUNT.match(after) or _LETTERED.match(after))
    if word in SHORT_MONTHS and word != "May":
        return bool(re.match(r"[0-9]{1,4}\b", after))
    if word in SHORT_DAYS:
        return bool(_DATE.match(after) or _AND_DAY.match(after))
    if word.lower() in _COUNTED:
        return bool(_NUMBER.match(after))
    if word in BIBLE and _PLACE.match(after):
        return True
    if roman_value(word) and _PART_OF_PLACE.match(after):
        return True
    return bool(roman_value(word) and _CITED.search(before) and re.match("[0-9]", after))
