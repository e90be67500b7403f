"""Abbreviations and initials as the words or letters that are said for them."""

import re
from collections.abc import Callable

from triforce_tts.text.dates import SHORT_DAYS, SHORT_MONTHS
from triforce_tts.text.numbers import cardinal

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
    "Hwy": "Highway",
    "Pkwy": "Parkway",
    "Expy": "Expressway",
    "Ln": "Lane",
    "Terr": "Terrace",
    "Univ": "University",
    "Assn": "Association",
    "Intl": "International",
    "Dept": "Department",
    "dept": "department",
    "Govt": "Government",
    "govt": "government",
    "approx": "approximately",
    "Approx": "Approximately",
    "etc": "et cetera",
    "est": "established",
    "al": "al",
}
_BEFORE_NUMBERS = {
    "no": "number",
    "art": "article",
    "pt": "part",
    "ep": "episode",
    "par": "paragraph",
    "para": "paragraph",
    "tab": "table",
    "app": "appendix",
    "ex": "exercise",
    "ed": "edition",
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
    "e.g": "for example",
    "i.e": "that is",
    "i.e.": "that is",
    "viz.": "namely",
    "cf.": "compare",
    "vs.": "versus",
    "vs": "versus",
    "w/o": "without",
    "w/": "with",
}
_ENDS_TEXT = r"[\"')\]]*\s*$"

# These abbreviations of streets need no dot, because they are not also words.
_STREETS = ("Ave", "Blvd", "Rd", "Hwy", "Pkwy", "Expy", "Ln")
_PLACES = {"Hwy": "Highway", "Rte": "Route", "Apt": "Apartment", "Ste": "Suite"}
# After these words a letter with a dot is a label that ends a sentence, and not an initial: 'plan B. The'.
_LABELLED = (
    "plan|vitamin|type|section|part|group|appendix|exhibit|option|class|grade|letter|point|phase|hepatitis|step|chapter"
    "|figure|table|schedule|category|side|team|model|version|platform|gate|block|wing|row|zone|line|room|unit|building"
    "|answer|choice|case|item|series|variant|site|sample|size|key|note|string|or|than|is|was|are|equals"
)
_OPENERS = (
    "The|He|She|It|They|We|You|I|But|And|In|On|At|This|That|These|Those|There|Then|When|What|A|An|If|So|As|For|Now|To|Of"
    "|By|My|His|Her|Its|Our|Your|Their|No|Yes|Not|Or|Nor|Yet|After|Before|While|Where|Who|Why|How|Each|Every|All|Some|One"
    "|Also|However|Next|Here|With|From|Once|Since|Until|Thus|Let|Both|Many|Most"
)
_SINGLE_INITIAL = re.compile(rf"(?:^|[^a-z])(?!(?:{_LABELLED}) $)[a-z]{{2,16}},? $|[A-Z][a-z]+, $")
_AFTER_INITIAL = re.compile(rf" (?!(?:{_OPENERS})\b)[A-Z][a-z]+")

Replace = Callable[[re.Match[str]], str]


def expand(text: str) -> str:
    """The text with abbreviations and initials in words; call this before numbers are spoken."""
    for pattern, replace in _RULES:
        text = pattern.sub(replace, text)
    return text


def _say_suffix(match: re.Match[str]) -> str:
    word = _SUFFIXES[match[1]]
    ends = re.match(_ENDS_TEXT, match.string[match.end() : match.end() + 8])
    street = match[1] in ("etc", "al", *_STREETS) and re.match(
        r"[\"')]* [\"']?[A-Z]", match.string[match.end() : match.end() + 8]
    )
    return f"{word}." if ends or street else word


def _say_saint_or(street: str, before_name: str) -> Replace:
    """'St.' and 'Dr.' in words: they mean Saint and Doctor before a name, Street and Drive after a name."""

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
    if after[:1].isalnum():
        return f"{letters}. "  # The writer forgot the space after the dot.
    return f"{letters}." if ends else letters


def _say_initial(match: re.Match[str]) -> str:
    before = re.search(r"(\S+) $", match.string[max(0, match.start() - 30) : match.start()])
    if match[1] == "M" and before and before[1] in ("A", "P"):
        return match[0]  # "A M" and "P M" are spelled already
    name_before = match.start() == 0 or (before and before[1][0].isupper() and before[1][-1].isalnum())
    return match[1] if name_before or _is_lone_initial(match) else match[0]


def _is_lone_initial(match: re.Match[str]) -> bool:
    """Whether 'J.' after a word of small letters begins a name: 'by J. Smith', but not 'plan B. He left'."""
    before = match.string[max(0, match.start() - 20) : match.start()]
    after = match.string[match.end() : match.end() + 20]
    return bool(_SINGLE_INITIAL.search(before) and _AFTER_INITIAL.match(after))


def _say_initials(match: re.Match[str]) -> str:
    """Whether ``J. R. R.`` stands before a name; the half of a day does not: '5 P. M. He left'."""
    if match[0] in ("A. M. ", "P. M. ") and re.search(
        "[0-9] $", match.string[max(0, match.start() - 2) : match.start()]
    ):
        return match[0]
    return match[0].replace(".", "")


def _names(words: dict[str, str]) -> str:
    return "|".join(sorted(map(re.escape, words), key=len, reverse=True))


_MONTH_OR_DIGIT = rf"(?=,? ?(?:[0-9]|{_names(SHORT_MONTHS)}))"
_RULES: list[tuple[re.Pattern[str], Replace]] = [
    (re.compile(rf"(?<![\w.])({_names(_LATIN)})(?![\w])", re.IGNORECASE), lambda m: _LATIN[m[1].lower()]),
    (re.compile(r"\bet al\."), lambda m: "and others"),
    (re.compile(r"\b([A-Z]{1,2})&([A-Z]{1,2})\b"), lambda m: f"{' '.join(m[1])} and {' '.join(m[2])}"),  # AT&T
    (re.compile(r"\bWW(I{1,2})\b"), lambda m: f"World War {cardinal(len(m[1]))}"),
    (re.compile(r"\bPh\. ?D\b\.?"), lambda m: "P H D"),
    (re.compile(r"(?<![\w.])(?:[A-Z]\. ){2,6}(?=[A-Z][a-z])"), _say_initials),
    (re.compile(r"\b([A-Z])\.(?= [A-HJ-Z]\. ?[A-Z])"), _say_initial),
    (re.compile(r"(?<![\w.])([A-HJ-Z])\.(?= [A-Z][A-Za-z])"), _say_initial),
    (re.compile(r"(?<![\w.'])(?:[A-Za-z]\.){2,}(?!\w)|(?<![\w.'])(?:[A-Z]\.){2,}(?:[A-Z]\b(?![.']))?"), _say_dotted),
    (re.compile(r"(?<![\w.'])[A-Z]\.[A-Z]\b(?![.'])"), _say_dotted),
    (re.compile(r"(?<![\w.'])[a-z]\.[a-z](?:\.[a-z])*\b(?![.'\w])"), _say_dotted),
    (re.compile(rf"\b({_names(_TITLES)})\.(?!\w)"), lambda m: _TITLES[m[1]]),
    (re.compile(r"\b(Mr|Mrs|Ms)(?= [A-Z])"), lambda m: _TITLES[m[1]]),
    (re.compile(r"\bDr(?= [A-Z])"), lambda m: "Doctor"),
    (re.compile(r"\bDr\.(?!\w)"), _say_saint_or("Drive", "Doctor")),
    (re.compile(r"\bSt\.(?!\w)"), _say_saint_or("Street", "Saint")),
    (
        re.compile(rf"(?<![\w.])({_names(_BEFORE_NUMBERS)})\. ?(?=[0-9]|[IVX]{{2,}}\b)", re.IGNORECASE),
        lambda m: _keep_case(m[1], _BEFORE_NUMBERS),
    ),
    (re.compile(rf"(?<=[a-z] )({'|'.join(_STREETS)})\b(?!\.)"), lambda m: _SUFFIXES[m[1]]),
    (re.compile(r"(?<=[a-z] )Dr(?=[,;]|$)"), lambda m: "Drive"),
    (re.compile(r"\b(Hwy|Rte|Apt|Ste)\b\.? ?(?=#?[0-9])"), lambda m: f"{_PLACES[m[1]]} "),
    (re.compile(r"(?<=[a-z] )St(?=[,;]| [a-z]|$)"), lambda m: "Street"),
    (re.compile(r"(?<=[0-9](?:st|nd|rd|th) )[sS]t\b\.?"), lambda m: "Street"),
    (re.compile(r"\b(?:St|ST)(?= [A-Z][a-z])"), lambda m: "Saint"),
    (re.compile(rf"\b({_names(SHORT_MONTHS)})(?:\.(?!\w)|(?= [0-9]))"), lambda m: SHORT_MONTHS[m[1]]),
    (re.compile(rf"\b({_names(SHORT_DAYS)})\.?{_MONTH_OR_DIGIT}"), lambda m: SHORT_DAYS[m[1]]),
    (re.compile(rf"\b({_names(_SUFFIXES)})\.(?!\w)"), _say_suffix),
]


def _keep_case(word: str, words: dict[str, str]) -> str:
    """The expansion with a capital where the abbreviation had one, and a space."""
    expanded = words[word.lower()]
    return (expanded.capitalize() if word[0].isupper() else expanded) + " "
