"""Counts of a whole with a slash: ``Part 1/3``, ``HP: 45/100``, ``3/5 stars``, ``a 7/10``, ``(0/10)``, ``(1/3) More below``."""

import re

from triforce_tts.text.numbers import Rule, number_words, rule

# Parts of a series. In small letters only those that are hardly measured: 'the day 1/3 of them left'.
_PARTS = (
    "[Pp]art|[Pp]age|[Ss]tep|[Cc]hapters?:?|[Ee]pisode|[Ll]esson|[Ss]lide|[Pp]hoto|[Ii]mage|[Tt]weet|Day|Week|Level|Round|Wave"
    "|Quest|Attempt|Question|Phase|Stage|Module|Task|Item|Batch|Volume|Draft|Session|Lap|Hole"
)
# What somebody has of all that is possible: a player of a game, a patient at an examination.
_POINTS = (
    "HP|MP|SP|XP|EXP|AP|Exp|Hit Points|Health|Mana|Stamina|Energy|Progress|Hunger|Thirst|Sanity|Armou?r|Shields?|Durability"
    "|Morale|Loyalty|Fuel|Ammo|Charges|Lives|Kills|Collected|Score|Apgar|APGAR|GCS"
)
_GOALS = "Slay|Kill|Defeat|Collect|Gather|Rescue|Deliver|Craft|Destroy|Harvest|Hunt|Catch|Find|Complete|Completed|Objective|Quest"
# What is sought in a textbook.
_SOUGHT = "probability|value|mean|median|mode|square|terms|sum|fraction|area|ratio|x|y|n|root|slope|limit|answer|half|work|off|price|cos|sin|tan|chance"
_SCALES = r"[Pp]ain|[Ss]everity|[Ii]ntensity|[Ss]trength|(?:[Ff]inal )?(?:[Vv]erdict|[Rr]ating|[Ss]core):"
_START = r"(?<![\w.,/$£€-])"
# Behind these the number is a share or a measure: 'part 1/3 full', 'step 1/2 inch', 'Health 1/2 of it'.
_END = (
    r"(?![0-9A-Za-z/%\"'°]|[.,:][0-9]| ?-[0-9]| (?:of|full|empty|an?|the|inch|inches|in\.|cups?|miles?|tsp|tbsp|teaspoons?|tablespoons?"
    r"|lbs?|oz|pounds?|ounces?|hours?|cm|mm|km|way|less|more|as|time)\b)"
)
# A count is said by itself; behind a share stands what is shared: 'Charges 1/2 price', 'Fuel 3/4 gone', 'Photo 3/4 view'.
_ALONE = (
    r"(?=[.,;:!?)\]\"]|$| [-(\[A-Z]| (?:and|or|is|was|are|were|on|in|for|with|at|after|before|but|failed|begins?|starts?|complete|completed|done"
    r"|throughout|bilaterally|today|tomorrow|posted|uploaded)\b|(?<!/[2348]) (?:left|remaining|used)\b)"
)
_SHARED = r"(?:(?<!/[2348])|(?! (?:complete|completed|done)\b))"
_AFTER_MARK = r"(?=[.,;:!?)\"](?![0-9])|$| (?:from|for|would|overall|but|and|because|experience|movie|film|book|game|performance|product)\b)"


def _say_of(match: re.Match[str], joint: str) -> str:
    """The count and the whole, unless the count is larger."""
    before, count, whole = match.groups()
    if int(count.replace(",", "")) > int(whole.replace(",", "")) or whole == "1":
        return match[0]
    return f"{before}{number_words(count)} {joint} {number_words(whole)}"


def _say_part(match: re.Match[str]) -> str:
    return _say_of(match, "of")


def _say_share(match: re.Match[str]) -> str:
    return _say_of(match, "out of")


def _say_mark(match: re.Match[str]) -> str:
    return f"{match[1]}{number_words(match[2])} out of {number_words(match[3])}"


_AMOUNT = r"([0-9]{1,3}(?:,[0-9]{3}){1,3}|[0-9]{1,6})"
_COUNT = rf"{_AMOUNT} ?/ ?{_AMOUNT}"
RULES: list[Rule] = [
    rule(rf"(\b(?:{_PARTS}) )([0-9]{{1,3}})/([0-9]{{1,3}}){_END}{_ALONE}", _say_part),
    rule(rf"(\b(?:{_POINTS}):? ){_COUNT}{_END}{_ALONE}{_SHARED}", _say_share),
    # Two phases of a trial or two stages of a disease: 'a phase 1/2 trial'.
    rule(
        r"(\b(?:[Pp]hase|[Ss]tage|[Gg]rade) )(1/2|2/3|3/4)(?= (?:trials?|stud(?:y|ies)|clinical|cancers?|tumou?rs?|disease|toxicit(?:y|ies)|adverse|patients?|results?|data)\b)",
        lambda m: f"{m[1]}{number_words(m[2][0])} {number_words(m[2][2])}",
    ),
    rule(
        rf"(\b(?:{_GOALS})\b(?![^()]{{0,40}}\b(?:{_SOUGHT})\b)[^.!?()\[\]]{{0,40}}[(\[]){_COUNT}(?=[)\]])", _say_share
    ),
    rule(r"([(\[])(0) ?/ ?([1-9][0-9]{0,3})(?=[)\]])", _say_share),
    # The place of a post in a thread, which stands first or last.
    rule(r"(^[(\[])([0-9]{1,2})/([0-9]{1,2})(?=[)\]] ?[A-Z\"'])", _say_part),
    rule(r"((?<=[.!?\"'] )[(\[])([0-9]{1,2})/([0-9]{1,2})(?=[)\]]$)", _say_part),
    rule(rf"((?<!\b[Oo]n ){_START})([0-9]|10)/(5|10)(?= stars?\b)", _say_share),
    rule(
        rf"(\b(?:{_SCALES}) (?:is |was |of |at )?)([0-9]{{1,2}}(?:\.[0-9])?)/(5|10|15|20|100){_END}{_ALONE}", _say_mark
    ),
    rule(
        rf"(\b(?:[Aa]|[Aa] (?:solid|strong|perfect|good|weak|full)|[Ss]olid|[Ee]asy) )([0-9]{{1,2}})/(10){_AFTER_MARK}",
        _say_mark,
    ),
    rule(
        r"((?:^|(?<=[.!?,:\"'(] )|(?<=\bwas ))\"?)([0-9]{1,2})/(10)(?=,? (?:would|highly|recommend|no notes|again|(?:do not|don't|never) (?:recommend|buy|go|come|waste|bother|again))\b)",
        _say_mark,
    ),
]
