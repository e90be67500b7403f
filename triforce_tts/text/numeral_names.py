"""Names that carry a roman numeral: works of a series, people with the name of their father, and headings that count."""

import re

from triforce_tts.text.numbers import Rule, cardinal, ordinal, rule
from triforce_tts.text.roman import roman_value

# Games, films and rockets whose instalments are numbered with roman numerals.
_SERIES = (
    "Grand Theft Auto|GTA|Final Fantasy|FF|Dragon Quest|Street Fighter|Rocky|Rambo|Star Wars|Star Trek|Civilization|Resident Evil"
    "|Tekken|Ultima|Wizardry|Elder Scrolls|Far Cry|God of War|Gears of War|Europa Universalis|Hearts of Iron"
    "|Crusader Kings|Age of Empires|Might and Magic|King's Quest|Space Quest|Police Quest|Police Academy|Halloween"
    "|Hellraiser|Death Wish|Assassin's Creed|Metal Gear Solid|Phantasy Star|Soul ?[Cc]alibur|Virtua Fighter|Dead or Alive|Saw"
    "|Ariane|Super Bowl|Wrestlemania|WrestleMania|Baldur's Gate|Devil May Cry|Red Alert|Fire Emblem|Kingdom Hearts"
)
# Names of men in families that number them; a name that is no ruler's stands here for its bearers alone.
_GIVEN = (
    "Adam|Albert|Alexander|Alfred|Andrew|Anthony|Arthur|Benjamin|Carl|Charles|Christopher|Clarence|Cornelius|Daniel|David|Donald"
    "|Douglas|Earl|Edgar|Edmund|Edward|Ernest|Eugene|Francis|Frank|Franklin|Frederick|George|Harold|Harry|Henry|Herbert|Howard"
    "|Hugh|Jack|Jacob|James|Jerome|Jesse|John|Jonathan|Joseph|Lawrence|Leonard|Lloyd|Louis|Martin|Matthew|Michael|Nathaniel"
    "|Oliver|Oscar|Patrick|Paul|Peter|Philip|Phillip|Ralph|Raymond|Richard|Robert|Roger|Roy|Samuel|Stephen|Steven|Theodore|Thomas"
    "|Thurston|Vincent|Walter|Warren|William"
)
_PLACED = (
    "Act|Book|Canto|Chapter|Class|Mark|Model|Page|Part|Phase|Section|Series|Stage|Study|Title|Type|Vatican|Volume|War"
    "|Street|Avenue|Road|Square|Boulevard|Court|Bridge|Airport|Station|Towers?|Cent(?:er|re)|Building|Plaza|Estate|Island"
)
# A word of a name that is followed by a letter, as in 'Delta V' and 'Agent V'.
_LETTERED = (
    "Agent|Brand|Camp|Company|Count|Delta|Formula|Key|Letter|Madame|Miss|Operation|Patient|Person|Plan|Project|Point|Shape|Sign"
    "|Sputnik|Symbol|The|Vitamin|Factor|Hepatitis|Group|Team|Unit|Versus"
)
# A title or two initials before a family name show that a numeral behind it counts its bearers.
_BEFORE_FAMILY = (
    r"(?:Mister|Missus|Miz|Doctor|Professor|Senator|Governor|Representative|Judge|Justice|Captain|Colonel|Major|Reverend|Sir)(?: [A-Z]\b\.?){0,2}"
    r"|[A-Z]\b\.? [A-Z]\b\.?"
)
_ENDS = r"(?![\w-])(?!'(?!s\b)|\.[A-Z])"
_HEADED = "letter|adventure|story|tale|night|evening|problem|ballad|rule|visit|memoir|stave|lesson"


def _say_instalment(match: re.Match[str]) -> str:
    """``Grand Theft Auto V`` as 'Grand Theft Auto five'; in 'Rocky I liked' the letter is the word."""
    return match[0] if roman_value(match[2]) == 0 else f"{match[1]} {cardinal(roman_value(match[2]))}"


def _say_son(match: re.Match[str]) -> str:
    """``Henry Ford II`` as 'Henry Ford the second'."""
    return f"{match[1]} the {ordinal(roman_value(match[2]))}"


RULES: list[Rule] = [
    rule(
        rf"^(\W{{0,3}}(?i:{_HEADED})) ([IVX]{{1,7}}|[CLX][IVXLC]{{1,8}})(?=\.?$|[.:;,)] ?[A-Z\"'-]| ?-| \()",
        _say_instalment,
    ),
    rule(
        rf"(?<![\w'-])((?:{_SERIES})) ([VX][IVX]{{0,5}}|I[IVX]{{1,3}}|XL[IVX]{{0,4}}|L[IVX]{{0,5}}|I(?=[,;:!?)\"]|\.?$)){_ENDS}",
        _say_instalment,
    ),
    # Three words of a title, as in 'Sins of the Solar Empire V'; 'United States of America V. Smith' is a case.
    rule(
        rf"(?<![\w'-])((?!(?:{_GIVEN}|Anna?|Anne|Elizabeth|Jane|Margaret|Mary|Maria|Sarah|King|Queen|Prince|Saint)\b)[A-Z][a-z']{{2,}}(?: (?:of|the|and)){{0,2}} [A-Z][a-z']{{2,}}(?: (?:of|the|and)){{0,2}}"
        rf" (?!(?:{_LETTERED})\b)[A-Z][a-z']{{2,}}) (V)(?!\.? [A-Z]){_ENDS}",
        _say_instalment,
    ),
    rule(
        rf"(?<![\w'-])((?:(?:{_GIVEN})(?: [A-Z]\b\.?){{0,2}}|{_BEFORE_FAMILY}) (?!(?:{_PLACED})\b)[A-Z][A-Za-z'-]{{2,}}) (II|III|IV)(?!\.? [A-Z][a-z]+ v\b){_ENDS}",
        _say_son,
    ),
]
