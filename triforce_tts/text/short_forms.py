"""Short forms in lists, orders and titles: ``Mon., Wed. & Fri.``, ``Qty 2``, ``$3 ea.``, ``Assoc. Prof.``, ``Sr. Director``."""

import re

from triforce_tts.text.abbreviation_names import TITLES
from triforce_tts.text.dates import SHORT_DAYS
from triforce_tts.text.numbers import Rule
from triforce_tts.text.saints import kept_stop

# 'Sat.' and 'Sun.' are words as well, so that they count as days only beside another day.
_DAY = "|".join(sorted(SHORT_DAYS, key=len, reverse=True))
_JOINT = r"(?:, (?:and |& |or )?| (?:and|&|or) )"
# What may be senior or junior at work, while 'Sr. Mary' is a sister.
_POSTS = (
    "Director|Manager|Engineer|Developer|Dev|Analyst|Architect|Designer|Editor|Executive|Consultant|Associate|Advisor|Adviser"
    "|Officer|Producer|Partner|Scientist|Researcher|Accountant|Counsel|Lecturer|Programmer|Software|Project|Product|Vice|VP|High"
)
TEACHERS = "Prof|Professor|Dean|Dir|Director|Editor|Producer|Justice|Pastor|Minister|Member|Fellow|VP"

_SPELLED = [
    *["omg", "idk", "btw", "brb", "ttyl", "tbh", "imo", "imho"],
    *["wtf", "fyi", "ikr", "afaik", "iirc", "smh", "tldr"],
]
# What is typed in messages, in small letters or at the start of a message.
_TYPED = {
    **{word: " ".join(word.upper()) for word in _SPELLED},
    **{"thx": "thanks", "thnx": "thanks", "pls": "please", "plz": "please", "ppl": "people", "msg": "message"},
    **{"tmrw": "tomorrow", "2moro": "tomorrow", "2nite": "tonight", "2day": "today", "gr8": "great", "l8r": "later"},
    **{"mtg": "meeting", "appt": "appointment", "bday": "birthday", "w8": "wait", "luv": "love"},
}
_TYPED_WORD = "|".join(_TYPED)
_TYPED_FIRST = "|".join(map(str.capitalize, _TYPED))  # as the first word of a message; 'Imo State' is a name


def _say_days(match: re.Match[str]) -> str:
    """Every day of a list: 'Mon., Wed. & Fri.' as Monday, Wednesday & Friday."""
    return re.sub(rf"\b({_DAY})\b\.?", lambda day: SHORT_DAYS[day[1]], match[0]) + kept_stop(match)


def _say_typed(match: re.Match[str]) -> str:
    """A short form of messages as the words or letters that it stands for; a first word keeps its capital letter."""
    said = _TYPED[match[0].lower()]
    return said[0].upper() + said[1:] if match[0][0].isupper() else said


_TITLE = "Mr|Mrs|Ms|Mx|Miss|Dr|Prof"
_POINTS = {
    "N": "north",
    "S": "south",
    "E": "east",
    "W": "west",
    "NE": "northeast",
    "NW": "northwest",
    "SE": "southeast",
    "SW": "southwest",
}
_PAIRS = {"b": "born", "d": "died", "m": "married", "abt": "about", "bef": "before", "aft": "after"}


def _say_titles(match: re.Match[str]) -> str:
    """``Mr/Mrs`` as 'Mister or Missus'."""
    names = {**TITLES, "Dr": "Doctor"}
    return " or ".join(names.get(title, title) for title in re.findall("[A-Za-z]+", match[0]))


RULES: list[Rule] = [
    (re.compile(rf"\b(?:{_TITLE})\b\.?(?:/(?:{_TITLE})\b\.?){{1,4}}"), _say_titles),
    # A side of the compass behind a distance: '5 mi. N. of Boston'.
    (
        re.compile(
            r"(?<=[0-9] )(km|mi|m|ft|yds|miles?|kilometers?|kilometres?|meters?|metres?|yards?|feet|blocks?|leagues?)\.? ([NS]?[EW]|[NS])\.?(?= of\b)"
        ),
        lambda m: f"{m[1]} {_POINTS[m[2]]}",
    ),
    # Dates of a life that are not sure: 'b. abt. 1790'; and a wedding behind a birth: 'b. 1820, m. 1845'.
    (
        re.compile(r"(?<![\w.])([bdm])\. ?(abt|bef|aft)\.? ?(?=(?:1[0-9]|20)[0-9]{2}(?![0-9]))"),
        lambda m: f"{_PAIRS[m[1]]} {_PAIRS[m[2]]} ",
    ),
    (re.compile(r"(?<=[0-9][,;] )m\. ?(?=1[4-9][0-9]{2}(?![0-9]))"), lambda m: "married "),
    (re.compile(r"(?<!\bI )\b(?:([Ll])vl?|LVL)\b\.? ?(?=[0-9?])"), lambda m: f"{m[1] or 'L'}evel "),
    (
        re.compile(
            r"(?:\bF|(?<=\()f)ig(s?) (?=[0-9])(?![0-9]{1,4} (?:[a-z]{1,20}s|oz|lb|cup|g|kg|min|each|per|tsp|tbsp)\b)"
        ),
        lambda m: f"{m[0][0]}igure{m[1]} ",
    ),
    (re.compile(r"\bCat\. ?(?=[1-5] (?:hurricane|storm|typhoon|cyclone)\b)"), lambda m: "Category "),
    (
        re.compile(
            r"\b((?i:model|part|serial|case|patent|catalog(?:ue)?|order|lot|item|style|docket|invoice|policy|account|report|file|job|batch|document) )[Nn]o\. ?(?=[A-Z]{1,4}-?[0-9])"
        ),
        lambda m: f"{m[1]}number ",
    ),
    # The days of work: '9-5 M-F'.
    (
        re.compile(
            r"\bM(?:-| -- )F(?=[:,]? [0-9])|(?:(?<=[0-9] )|(?<=[ap]m )|(?<=[ap]m, )|(?<=[0-9], ))M(?:-| -- )F(?=[.,;)]|$)"
        ),
        lambda m: "Monday to Friday",
    ),
    (
        re.compile(
            rf"(?:(?<![\w.@#/'-])({_TYPED_WORD})|(?:^|(?<=[.!?] ))({_TYPED_FIRST})(?! [A-Z]))(?![\w@/-]|\.\w|'s)"
        ),
        _say_typed,
    ),
    # Notes with a flat, beside a word of music: 'in Eb major', 'a Bb clarinet'.
    (
        re.compile(
            r"(?<![\w'-])([A-G])b(?=[- ](?:major|minor|flat|clarinets?|trumpets?|cornets?|chords?|scales?|horns?|sax(?:ophone)?s?|instruments?|tuba|key|note)\b)"
        ),
        lambda m: f"{m[1]} flat",
    ),
    (re.compile(rf"\b(?:{_DAY})\b\.?(?:{_JOINT}(?:{_DAY})\b\.?){{1,6}}"), _say_days),
    (re.compile(rf"(?:(?<=[ap]\.m\. )|(?<=[AP] M ))({_DAY})\b\.?(?![a-z])"), lambda m: SHORT_DAYS[m[1]] + kept_stop(m)),
    (re.compile(r"\b(Tues|Thurs)\b(?!\.)"), lambda m: SHORT_DAYS[m[1]]),
    (re.compile(r"\b([Qq])ty\b\.?(?=:? ?[0-9])"), lambda m: f"{'Q' if m[1] == 'Q' else 'q'}uantity"),
    (re.compile(r"(?<=[0-9] )ea\b(?:\.|(?=[,;:!?)]|$))"), lambda m: f"each{kept_stop(m)}"),
    (re.compile(r"(?<=[0-9] )y\.o\.?(?!\w)"), lambda m: f"yo{kept_stop(m)}"),
    (re.compile(r"(?<=[0-9](?:st|nd|rd|th) )fl\.(?!\w)"), lambda m: f"floor{kept_stop(m)}"),
    (re.compile(rf"\bAssoc\.(?= (?:{TEACHERS})\b)"), lambda m: "Associate"),
    (re.compile(rf"\b([SJ])r\.(?= (?:{_POSTS})\b)"), lambda m: "Senior" if m[1] == "S" else "Junior"),
    (re.compile(r"\bEduc\.(?=,| [a-z0-9(])"), lambda m: "Education"),
    (re.compile(r"\bApp\.(?= [A-Z](?:[.,;:)]|$))"), lambda m: "Appendix"),
    (re.compile(r"\bA/C\b|\ba/c\b"), lambda m: "A C"),
    (re.compile(r"\bR\. v\.? (?=[A-Z][a-z])"), lambda m: "R versus "),
    (re.compile(r"\bMk\.? ?(?=[IVX]+\b|[0-9])"), lambda m: "Mark "),
    (re.compile(r"\bIPv(?=[46]\b)"), lambda m: "I P v "),
    (re.compile(r"\bWall St\b\.?(?= [A-Z])"), lambda m: "Wall Street"),
]
