"""Short forms in lists, orders and titles: ``Mon., Wed. & Fri.``, ``Qty 2``, ``$3 ea.``, ``Assoc. Prof.``, ``Sr. Director``."""

import re

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


RULES: list[Rule] = [
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
