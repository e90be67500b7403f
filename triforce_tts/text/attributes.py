"""Whether an amount describes the noun behind it, so that its unit is singular: ``a 5 km run``, ``a $20 bill``."""

import re

from triforce_tts.text.abbreviation_names import OPENERS

# Words after an amount that show that the amount describes no noun: 'a $20 for', 'a 5 km from here'.
_NO_NOUN_AFTER = (
    "in to of for and or but on at by from with per a an the each every is was are were has had will would can could may"
    " might must that which who when where while as if than then more less worth off annually yearly monthly weekly daily"
    " today tomorrow yesterday ago later until since before after over under up down out about away apart not so because"
    " north south east west northeast northwest southeast southwest inside outside instead only too it he she they we you i"
    " above below beyond behind along across past through toward towards between beneath underneath downstream upstream"
    " ahead back onward overhead downhill uphill offshore inland upward downward upwards downwards"
)
# Behind these the amount is that of the noun before it: 'a locker 200 cm tall', but 'a 200 cm tall locker'.
_EXTENT_AFTER = re.compile(
    r" (?:tall|long|wide|high|deep|thick|broad|large|heavy|square|across|taller|longer|wider|higher|lower|deeper|thicker|broader"
    r"|larger|smaller|heavier|lighter|shorter|narrower|faster|slower|nearer|closer|farther|further|cheaper|dearer|older|younger"
    r"|hotter|colder|warmer|cooler|richer|poorer|extra)\b"
)
_ADJECTIVES = (
    "big huge massive giant tiny small little full mere whole new old good nice fine great grand further additional extra single"
    " strange heavy light standard typical black white red blue green brown grey gray silver golden wooden metal steel"
)
_MONTHS = "Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?"
_ATTRIBUTE_AFTER = re.compile(
    rf"(?: | ?- ?)(?:can(?= of\b|[.,;:)]|$)|(?!(?:{_NO_NOUN_AFTER.replace(' ', '|')})\b(?!-))[a-z]{{2,}})"
)
# A name as the noun: 'a 9mm Glock', 'a 5 km London loop'; but 'every 5 km Mary rested'.
_NAME_AFTER = re.compile(rf"(?: | ?- ?)(?!(?:{OPENERS}|[NS][EW]|AND|OR|[A-Z][a-z]+day|{_MONTHS})\b)[A-Z][A-Za-z]")
_ARTICLE_BEFORE = re.compile(r"\b[Aa]n?(?: [a-z]{2,})? $")
_ATTRIBUTE_BEFORE = re.compile(r"\b(?:[Aa]n?|[Aa]nother|[Ee]ach|[Ee]very)(?: [a-z]{2,}){0,1} $")
_COUNT_BEFORE = re.compile(r"\b(?i:one|two|three|four|five|six|seven|eight|nine|ten|twelve|several) $")
_NOUN_BEFORE = re.compile(
    rf"\b(?:[Aa](?:n|nother)?|[Ee]ach|[Ee]very) (?!(?:{_ADJECTIVES.replace(' ', '|')})\b)[a-z]{{2,}} $"
)
_LOOSE_BEFORE = re.compile(r"\b(?:[Aa]n? [a-z]{2,}|[Aa]nother|[Ee]ach) $")
_CLAUSE_ENDS = re.compile(
    r" [a-z]+(?: (?:in|and|or|at|with|by|from|to|on|of|but|when|as|than|which|that)\b|[.,;:!?)\"]|$)"
)


def is_attribute(match: re.Match[str]) -> bool:
    """Whether an amount describes the noun after it, so that its unit is singular: 'a 5 km run', 'a $20 bill'."""
    before = match.string[max(0, match.start() - 30) : match.start()]
    after = match.string[match.end() : match.end() + 24]
    if _EXTENT_AFTER.match(after) and (
        _NOUN_BEFORE.search(before) or (_LOOSE_BEFORE.search(before) and _CLAUSE_ENDS.match(after))
    ):
        return False
    is_counted = _COUNT_BEFORE.search(before) and not _EXTENT_AFTER.match(after)  # 'two 8 oz. cans'
    if _ARTICLE_BEFORE.search(before) and _NAME_AFTER.match(after):
        return True
    return bool((is_counted or _ATTRIBUTE_BEFORE.search(before)) and _ATTRIBUTE_AFTER.match(after))
