"""Places in books, and the stops of roman numerals: ``1 Cor. xiii. 4``, ``vol. ii. p. 33``, ``George III. was``."""

import re

from triforce_tts.text.abbreviation_names import BEFORE_NUMBERS
from triforce_tts.text.numbers import Rule, cardinal, ordinal, rule
from triforce_tts.text.roman import roman_value

_BIBLE = (
    "Gen:Genesis,Ex:Exodus,Exod:Exodus,Lev:Leviticus,Num:Numbers,Deut:Deuteronomy,Josh:Joshua,Judg:Judges,Sam:Samuel,"
    "Chr:Chronicles,Chron:Chronicles,Kgs:Kings,Neh:Nehemiah,Esth:Esther,Ps:Psalm,Psa:Psalm,Prov:Proverbs,Eccl:Ecclesiastes,"
    "Eccles:Ecclesiastes,Ecclus:Ecclesiasticus,Isa:Isaiah,Jer:Jeremiah,Lam:Lamentations,Ezek:Ezekiel,Dan:Daniel,Hos:Hosea,"
    "Obad:Obadiah,Mic:Micah,Nah:Nahum,Hab:Habakkuk,Zeph:Zephaniah,Hag:Haggai,Zech:Zechariah,Mal:Malachi,Macc:Maccabees,"
    "Matt:Matthew,Rom:Romans,Cor:Corinthians,Gal:Galatians,Eph:Ephesians,Phil:Philippians,Col:Colossians,"
    "Thess:Thessalonians,Tim:Timothy,Tit:Titus,Philem:Philemon,Heb:Hebrews,Jas:James,Pet:Peter,Rev:Revelation,"
    "Wis:Wisdom,Esd:Esdras,Tob:Tobit,Jdt:Judith,Jn:John,Lk:Luke,Mk:Mark,Mt:Matthew"
)
BIBLE = dict(pair.split(":") for pair in _BIBLE.split(","))
OTHER_BOOKS = ("Ruth", "Ezra", "Job", "Psalms", "Song", "Joel", "Amos", "Jonah", "Mark", "Luke", "John", "Acts", "Jude")
_QURAN = ("Qur'an", "Quran", "Koran", "Surah", "Sura")
# These are first names and words as well: 'Meet Tim 10:30', 'Phil 9:30'.
_AMBIGUOUS = frozenset(["Tim", "Dan", "Phil", "Sam", "Gal", "Mal", "Tit", "Pet", "Mic", "Jas"])
_BOOK = "|".join(sorted({*BIBLE, *BIBLE.values(), *OTHER_BOOKS, *_QURAN}, key=len, reverse=True))
# A capital 'I' with a stop may be the word, so it needs a word before it. A lone 'C', 'D', 'L' or 'M' is mostly a label.
_PLACE = r" (?:Sc|Bk|Vol|Ch|Chap|Sect?|Pt)\. ?[0-9IVXivx]"
_STOPPED = rf"(?<![\w'.&-])(?:(?:[IVXLC]{{2,7}}|[VX])\.(?=,| [a-z(]|{_PLACE})|(?!cl\.)[ivxlc]{{2,8}}\.(?=,| [a-z0-9(]|{_PLACE}))"
_LONE = rf"(?<![\w.])(?:(?i:vol|bk|chap|ch|sc|act|book|part|chapter)\.? [IVXivx])\.(?= [a-z0-9(]|{_PLACE})"
_PLACE_AFTER = re.compile(
    r" (?:p|pp|ch|chap|sec|sect|sc|bk|pt|vol|no|cap|v|vv|line|page|chapter|scene|note|n)\b\.?(?: ?[0-9]| [ivxl]+\b)",
    re.I,
)


def _say_place(match: re.Match[str]) -> str:
    """``1 Cor. xiii. 4-7`` as 'First Corinthians thirteen four to seven'."""
    count, book, chapter, verse, last = match.group("count", "book", "chapter", "verse", "last")
    number = int(chapter) if chapter.isdigit() else roman_value(chapter)
    is_marked = bool(count) or match[0].startswith(f"{book}.")
    is_sure = is_marked or book not in _AMBIGUOUS or (chapter.isalpha() and len(chapter) > 1)
    if chapter.isdigit() and not is_marked and ": " in match[0]:
        return match[0]  # 'Gal 3: 4 times'
    if not number or not is_sure:
        return match[0]
    words = BIBLE.get(book, book)
    if count:
        words = f"{ordinal(int(count) if count.isdigit() else len(count)).capitalize()} {words}"
    words += f" {cardinal(number)}"
    if verse:
        words += f"{',' if number > 99 or int(verse) > 99 else ''} {cardinal(int(verse))}"
    return words + (f" to {cardinal(int(last))}" if last else "")


def _unstop(match: re.Match[str]) -> str:
    """A roman numeral without its stop, as the sentence goes on; a comma parts it from the next part of a place."""
    numeral = match[0][:-1]
    if not roman_value(numeral.split(" ")[-1]):
        return match[0]
    after = match.string[match.end() : match.end() + 12]
    is_place = _PLACE_AFTER.match(after) or re.match(r" [A-Z0-9]", after)
    return numeral + ("," if is_place else "")


def _say_volumes(match: re.Match[str]) -> str:
    first, last = roman_value(match[2]), roman_value(match[3])
    name = BEFORE_NUMBERS.get(match[1].lower(), match[1].lower())
    name = name.capitalize() if match[1][0].isupper() else name
    return f"{name} {cardinal(first)} to {cardinal(last)}" if first and last else match[0]


# Words with 's' that are no counted noun behind the number of a psalm: 'Ps. 23 says'.
_VERBS = (
    "is|was|as|says|has|does|tells|speaks|reads|begins|ends|gives|shows|teaches|praises|asks|calls|this|thus|verses"
)
# The books whose short name with a number behind it is never a name or a rank.
_WRITTEN = "Gen|Exod|Lev|Deut|Josh|Isa|Jer|Ezek|Hos|Matt|Rom|Gal|Eph|Heb|Prov|Eccl|Jn|Lk"
_CHAPTER_BEFORE = re.compile(r"(?:[0-9]|\b[ivxlIVXL]+\.?), $")
_PROGRAM = re.compile(r"\b(?i:software|apps?|programs?|windows|firmware|drivers?|plugin|library|releases?|updates?)\b")
_VERSES = r"(?P<verse>[1-9][0-9]{0,2})(?: ?-{1,2} ?(?P<last>[0-9]{1,3}))?(?![0-9:]|[.,][0-9]| ?[AaPp]\.?[Mm]\b)"
_COUNT = r"(?<![\w.])(?:(?P<count>[1-4]|I{1,3}) )?"
_BEFORE = rf"{_COUNT}\b(?P<book>{_BOOK})\b\.? "


def _say_verse_or_version(match: re.Match[str]) -> str:
    before = re.split(r"[.;!?] ", match.string[max(0, match.start() - 60) : match.start()])[-1]
    if before.endswith(", ") and not _CHAPTER_BEFORE.search(before):
        return match[0]
    return "version " if _PROGRAM.search(before) else "verse "


def _say_lines(match: re.Match[str]) -> str:
    """Act, scene and line of a play: ``III.i.56`` as 'three, one, fifty six'."""
    act, scene = roman_value(match[1]), roman_value(match[2])
    if not act or not scene:
        return match[0]
    return f"{cardinal(act)}, {cardinal(scene)}, {cardinal(int(match[3]))}" + (
        f" to {cardinal(int(match[4]))}" if match[4] else ""
    )


def _say_numbered(match: re.Match[str]) -> str:
    """``(1)-(3)``, a range of equations or sections."""
    first, last = int(match[1]), int(match[2])
    return f"({first} to {last})" if first < last else match[0]


# Before the rules of addresses, as it looks like one.
LINES_OF_PLAYS: list[Rule] = [
    rule(r"(?<![\w.])([IVX]{1,4})\.([ivx]{1,5})\.([0-9]{1,3})(?:-([0-9]{1,3}))?(?![0-9A-Za-z])", _say_lines),
]
RULES: list[Rule] = [
    rule(
        rf"({_BEFORE}[0-9]{{1,3}}:[0-9]{{1,3}}) ?-{{1,2}} ?([0-9]{{1,3}}):([0-9]{{1,3}})(?![0-9:]|[.,][0-9])",
        lambda m: f"{m[1]} to {cardinal(int(m[4]))} {cardinal(int(m[5]))}",
    ),
    rule(rf"{_BEFORE}(?P<chapter>[0-9]{{1,3}}): ?{_VERSES}", _say_place),
    rule(rf"{_BEFORE}(?P<chapter>[ivxlc]{{1,8}}|[IVXLC]{{2,8}})(?:\.,?|,|:) ?{_VERSES}", _say_place),
    rule(
        rf"{_COUNT}\b(?P<book>{'|'.join(BIBLE)})\. (?P<chapter>[ivxlc]{{2,8}}\b|[IVXLC]{{2,8}}\b|[ivxlc](?=[.,;:)]))(?P<verse>)(?P<last>)(?:\.(?=[,;:)]| [a-z]))?(?!\w)",
        _say_place,
    ),
    rule(rf"\b({_WRITTEN})\. ?(?=[0-9]{{1,3}}(?![0-9.,:/]?[0-9])(?! [a-z]+s\b))", lambda m: f"{BIBLE[m[1]]} "),
    rule(
        r"(?<![\w.])(?P<count>[1-3]|I{1,3}) (?P<book>Sam|Kgs|Chr|Chron|Cor|Thess|Tim|Pet|Macc)\. ?(?P<chapter>[0-9]{1,2})(?P<verse>)(?P<last>)(?![0-9:])",
        _say_place,
    ),
    # Without a stop, and without a verse: '1 Cor 13', 'Ps 23'.
    rule(
        r"(?<![\w.])(?P<count>[1-3]) (?P<book>Sam|Kgs|Chron|Cor|Thess|Tim|Pet|Macc) (?P<chapter>[0-9]{1,2})(?P<verse>)(?P<last>)(?![0-9:]|[.,][0-9]| [a-z]+s\b)",
        _say_place,
    ),
    rule(r"\bPss\. ?(?=[0-9])", lambda m: "Psalms "),
    rule(
        r"(?<![A-Z]\. )(\b(?!(?:In|At|Of|The|To|From|For|And|By|On|With|As|But|Or)\b)[A-Z]\w+ )?\bS\. (?=(?:Matt(?:hew)?|Mark|Luke|John|Paul|Peter|James|Jude)\b)",
        lambda m: m[0] if m[1] else "Saint ",  # behind a first name it is an initial: 'Robert S. James'
    ),
    rule(
        r"(?:(?<=[,;(] )|(?<=\()|^)v\. ?(?=[0-9]{1,3}(?![0-9.,:]?[0-9]))",
        _say_verse_or_version,
    ),
    rule(r"\bPs (?=[0-9]{1,3}\b(?![.,:]?[0-9]))", lambda m: "Psalm "),
    rule(
        rf"()\b(?P<count>)(?P<book>Pss?|Psa)\. ?(?P<chapter>[0-9]{{1,3}})\b(?P<verse>)(?P<last>)(?![.,:]?[0-9])(?! (?!{_VERBS}\b)[a-z]+s\b)",
        _say_place,
    ),
    rule(
        r"\b((?i:vols?|bks?|chaps?|chapters|volumes|books|pp?))\.? ([ivxlc]{1,8})\.? ?- ?([ivxlc]{1,8})\b(?:\.(?=[,;)]| [a-z]))?",
        _say_volumes,
    ),
    # Not in numbers of base 16, such as '0x12ff', '#00ff' and '3a9ff'.
    rule(r"(?<![\w#])([1-9][0-9]{0,3})ff\b(?:\.(?=[,;)]| [a-z]))?", lambda m: f"{m[1]} and following"),
    rule(r"(?<![\w(])\(([0-9]{1,3})\)(?:-| -- )\(([0-9]{1,3})\)", _say_numbered),
    rule(_STOPPED, _unstop),
    rule(_LONE, _unstop),
]
