"""Abbreviations, initials, acronyms and roman numerals as the words or letters that are said for them."""

import re
from collections.abc import Callable
from functools import lru_cache

from triforce_tts.text.numbers import MONTHS, cardinal, ordinal
from triforce_tts.text.phonemes import Lexicon

_TITLES = {
    "Mr": "Mister",
    "Mrs": "Missus",
    "Ms": "Miz",
    "Messrs": "Messers",
    "Prof": "Professor",
    "Rev": "Reverend",
    "Hon": "Honorable",
    "Gen": "General",
    "Col": "Colonel",
    "Maj": "Major",
    "Capt": "Captain",
    "Cmdr": "Commander",
    "Lt": "Lieutenant",
    "Sgt": "Sergeant",
    "Cpl": "Corporal",
    "Adm": "Admiral",
    "Gov": "Governor",
    "Sen": "Senator",
    "Rep": "Representative",
    "Mt": "Mount",
    "Ft": "Fort",
}
# Their dot may end a sentence as well.
_SUFFIXES = {
    "Jr": "Junior",
    "Sr": "Senior",
    "Esq": "Esquire",
    "Inc": "Incorporated",
    "Ltd": "Limited",
    "Co": "Company",
    "Corp": "Corporation",
    "Bros": "Brothers",
    "Ave": "Avenue",
    "Blvd": "Boulevard",
    "Rd": "Road",
    "Dept": "Department",
    "dept": "department",
    "Govt": "Government",
    "govt": "government",
    "approx": "approximately",
    "Approx": "Approximately",
    "etc": "et cetera",
    "al": "al",
}
_BEFORE_NUMBERS = {
    "no": "number",
    "nos": "numbers",
    "vol": "volume",
    "vols": "volumes",
    "ch": "chapter",
    "chap": "chapter",
    "fig": "figure",
    "figs": "figures",
    "sec": "section",
    "eq": "equation",
    "p": "page",
    "pp": "pages",
    "ext": "extension",
    "ca": "circa",
    "c": "circa",
}
_LATIN = {
    "e.g.": "for example",
    "i.e.": "that is",
    "viz.": "namely",
    "cf.": "compare",
    "vs.": "versus",
    "vs": "versus",
    "w/o": "without",
    "w/": "with",
}
_MONTHS = {month[:3]: month for month in MONTHS} | {"Sept": "September"}
_DAYS = {
    "Mon": "Monday",
    "Tue": "Tuesday",
    "Tues": "Tuesday",
    "Wed": "Wednesday",
    "Thu": "Thursday",
    "Thur": "Thursday",
    "Thurs": "Thursday",
    "Fri": "Friday",
    "Sat": "Saturday",
    "Sun": "Sunday",
}
# Spelled although the dictionary has a word of the same letters, unless everything around is upper case too.
_ALWAYS_SPELLED = {
    "AC",
    "AI",
    "DC",
    "EU",
    "GI",
    "HR",
    "ID",
    "IP",
    "IQ",
    "IT",
    "OS",
    "PA",
    "PR",
    "QA",
    "UN",
    "US",
    "WHO",
}
_LONGEST_ACRONYM = 4  # longer ones with a vowel are mostly read as words: COVID, UNESCO

_COUNTED = {
    *(
        "act",
        "appendix",
        "article",
        "book",
        "bowl",
        "canto",
        "chapter",
        "class",
        "division",
        "figure",
        "grade",
        "group",
        "level",
    ),
    *(
        "mark",
        "part",
        "phase",
        "plate",
        "psalm",
        "scene",
        "section",
        "series",
        "stage",
        "table",
        "title",
        "type",
        "vatican",
    ),
    *("volume", "war"),
}
_RULERS = {
    *(
        "Alexander",
        "Alfonso",
        "Benedict",
        "Boniface",
        "Catherine",
        "Charles",
        "Christian",
        "Clement",
        "Constantine",
        "Edward",
    ),
    *(
        "Elizabeth",
        "Ferdinand",
        "Francis",
        "Frederick",
        "George",
        "Gregory",
        "Gustav",
        "Harald",
        "Henry",
        "Innocent",
        "Ivan",
        "James",
    ),
    *(
        "John",
        "Julius",
        "Leo",
        "Leopold",
        "Louis",
        "Mary",
        "Napoleon",
        "Nicholas",
        "Otto",
        "Paul",
        "Peter",
        "Philip",
        "Pius",
    ),
    *("Ramesses", "Richard", "Robert", "Rudolf", "Thutmose", "Urban", "Victor", "Wilhelm", "William"),
}
_ROMAN = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100}
_ROMAN_NUMERAL = re.compile(r"(?=.)(?:XC|XL|L?X{0,4})(?:IX|IV|V?I{0,3})")
_ENDS_TEXT = r"[\"')\]]*\s*$"

Replace = Callable[[re.Match[str]], str]


def expand(text: str) -> str:
    """Abbreviations, initials and roman numerals in words; to be called before numbers are spoken."""
    for pattern, replace in _RULES:
        text = pattern.sub(replace, text)
    return text


def spell_acronyms(text: str) -> str:
    """``HTTP`` as 'H T T P'; what the dictionary knows (NASA, FBI) and shouted words stay as they are."""
    return _ACRONYM.sub(_say_acronym, text)


@lru_cache(maxsize=1)
def _lexicon() -> Lexicon:
    return Lexicon.load()


def is_known(word: str) -> bool:
    """Whether the dictionary has the word or a regular form of it."""
    return _lexicon().lookup(word) is not None


def _say_suffix(match: re.Match[str]) -> str:
    word = _SUFFIXES[match[1]]
    ends = re.match(_ENDS_TEXT, match.string[match.end() : match.end() + 8])
    street = match[1] in ("etc", "al", "Ave", "Blvd", "Rd") and re.match(
        r"[\"')]* [\"']?[A-Z]", match.string[match.end() : match.end() + 8]
    )
    return f"{word}." if ends or street else word


def _say_saint_or(street: str, before_name: str) -> Replace:
    """'St.' and 'Dr.': before a name one thing, after the name of a street another."""

    def say(match: re.Match[str]) -> str:
        before = match.string[max(0, match.start() - 30) : match.start()]
        after = match.string[match.end() : match.end() + 8]
        named_before = re.search(r"[A-Z0-9][\w']* $", before)
        sentence_start = re.search(r"(?:^|[.!?\"] ?)[A-Z]\w* $", before) and len(before) < 30
        name_follows = re.match(r" [A-Z]", after)
        if name_follows and (
            not named_before or sentence_start or re.search(r"\b(?:In|At|To|From|The|And|Of|By|For) $", before)
        ):
            return before_name
        if named_before or not name_follows:
            return f"{street}." if re.match(_ENDS_TEXT, after) or name_follows else street
        return before_name

    return say


def _say_dotted(match: re.Match[str]) -> str:
    """``U.S.`` as 'U S'; the last dot stays where it ends the sentence too."""
    letters = " ".join(match[0].replace(".", "").upper())
    after = match.string[match.end() : match.end() + 8]
    half_day = letters in ("A M", "P M")
    ends = re.match(_ENDS_TEXT, after) or (half_day and re.match(r"[\"')]* [\"']?[A-Z]", after))
    return f"{letters}." if ends else letters


def _say_initial(match: re.Match[str]) -> str:
    before = re.search(r"(\S+) $", match.string[max(0, match.start() - 30) : match.start()])
    if match[1] == "M" and before and before[1] in ("A", "P"):
        return match[0]  # the half of the day, already spelled
    name_before = match.start() == 0 or (before and before[1][0].isupper() and before[1][-1].isalnum())
    return match[1] if name_before else match[0]


def _say_roman(match: re.Match[str]) -> str:
    name, numeral = match.group(1, 2)
    if not _ROMAN_NUMERAL.fullmatch(numeral):
        return match[0]
    value = _roman_value(numeral)
    after = match.string[match.end() : match.end() + 12]
    if name.lower() in _COUNTED:
        return f"{name} {cardinal(value)}"
    if name in _RULERS and value < 40:
        # 'Elizabeth I know' is no queen, 'Mary I. Smith' neither.
        if numeral == "I" and not re.match(r"[,;:!?)\"']|\.?$| (?:of|died|reigned|ruled|who)\b", after):
            return match[0]
        return f"{name} the {ordinal(value)}"
    return f"{name} {cardinal(value)}" if len(numeral) > 1 and value < 40 else match[0]


def _roman_value(numeral: str) -> int:
    values = [_ROMAN[letter] for letter in numeral]
    return sum(-a if a < b else a for a, b in zip(values, [*values[1:], 0], strict=True))


def _say_acronym(match: re.Match[str]) -> str:
    word, ending = match.group(1, 2)
    known = is_known(word)
    if "II" in word and _ROMAN_NUMERAL.fullmatch(word):
        return cardinal(_roman_value(word)) + (ending or "")  # no acronym; 'IV' and 'XL' may be
    read_as_word = len(word) > _LONGEST_ACRONYM and re.search("[AEIOUY]", word)
    if _is_shouted(match) or read_as_word or (known and word not in _ALWAYS_SPELLED):
        return match[0]
    return " ".join(word) + ("'s" if ending else "")


def _is_shouted(match: re.Match[str]) -> bool:
    """Whether the word beside is an upper-case one that the dictionary knows, as in 'STOP IT NOW'."""
    before = re.search(r"\b([A-Z]{2,})[ ,'-]+$", match.string[max(0, match.start() - 24) : match.start()])
    after = re.match(r"[ ,'-]+([A-Z]{2,})\b", match.string[match.end() : match.end() + 24])
    words = [found[1] for found in (before, after) if found]
    return any(word not in _ALWAYS_SPELLED and is_known(word) and not _is_spelled_in_lexicon(word) for word in words)


def _is_spelled_in_lexicon(word: str) -> bool:
    """Whether the dictionary itself spells the word out: 'fbi' has as many primary or secondary stresses as letters."""
    phones = _lexicon().lookup(word) or ()
    stresses = sum(phone[-1] in "12" for phone in phones)
    return stresses >= len(word) > 1


def _names(words: dict[str, str]) -> str:
    return "|".join(sorted(map(re.escape, words), key=len, reverse=True))


_MONTH_OR_DIGIT = rf"(?=,? ?(?:[0-9]|{_names(_MONTHS)}))"
_RULES: list[tuple[re.Pattern[str], Replace]] = [
    (re.compile(rf"(?<![\w.])({_names(_LATIN)})(?![\w])", re.IGNORECASE), lambda m: _LATIN[m[1].lower()]),
    (re.compile(r"\bet al\."), lambda m: "and others"),
    (re.compile(r"\b([A-Z]{1,2})&([A-Z]{1,2})\b"), lambda m: f"{' '.join(m[1])} and {' '.join(m[2])}"),  # AT&T
    (re.compile(r"\bWW(I{1,2})\b"), lambda m: f"World War {cardinal(len(m[1]))}"),
    (re.compile(r"\bPh\. ?D\b\.?"), lambda m: "P H D"),
    (re.compile(r"\b([A-Z])\.(?= [A-HJ-Z]\. ?[A-Z])"), _say_initial),
    (re.compile(r"(?<![\w.])([A-HJ-Z])\.(?= [A-Z][A-Za-z])"), _say_initial),
    (re.compile(r"(?<![\w.'])(?:[A-Za-z]\.){2,}(?!\w)|(?<![\w.'])(?:[A-Z]\.){2,}"), _say_dotted),
    (re.compile(r"(?<=[0-9]) ?([AaPp])[Mm]\b"), lambda m: f" {m[1].upper()} M"),
    (re.compile(rf"\b({_names(_TITLES)})\.(?!\w)"), lambda m: _TITLES[m[1]]),
    (re.compile(r"\b(Mr|Mrs|Ms)(?= [A-Z])"), lambda m: _TITLES[m[1]]),
    (re.compile(r"\bDr(?= [A-Z])"), lambda m: "Doctor"),
    (re.compile(r"\bDr\.(?!\w)"), _say_saint_or("Drive", "Doctor")),
    (re.compile(r"\bSt\.(?!\w)"), _say_saint_or("Street", "Saint")),
    (
        re.compile(rf"(?<![\w.])({_names(_BEFORE_NUMBERS)})\. ?(?=[0-9]|[IVX]{{2,}}\b)", re.IGNORECASE),
        lambda m: _keep_case(m[1], _BEFORE_NUMBERS),
    ),
    (re.compile(rf"\b({_names(_MONTHS)})(?:\.(?!\w)|(?= [0-9]))"), lambda m: _MONTHS[m[1]]),
    (re.compile(rf"\b({_names(_DAYS)})\.?{_MONTH_OR_DIGIT}"), lambda m: _DAYS[m[1]]),
    (re.compile(rf"\b({_names(_SUFFIXES)})\.(?!\w)"), _say_suffix),
    (re.compile(r"\b([A-Z][a-z]+) ([IVXL]+)\b(?!')"), _say_roman),
]


def _keep_case(word: str, words: dict[str, str]) -> str:
    """The expansion with a capital where the abbreviation had one, and a space."""
    expanded = words[word.lower()]
    return (expanded.capitalize() if word[0].isupper() else expanded) + " "


_ACRONYM = re.compile(r"(?<![A-Za-z'])([A-Z]{2,})('?s)?(?![A-Za-z])")
