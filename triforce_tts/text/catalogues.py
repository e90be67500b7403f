"""Numbers of works in the catalogues of composers: ``K. 331``, ``BWV 1007``, ``D.960``, ``Hob. XVI:52``."""

import re

from triforce_tts.text.numbers import Rule, cardinal, number_words, pairs, rule
from triforce_tts.text.roman import roman_value

# These letters stand for nothing else.
_CLEAR = "BWV|BuxWV|HWV|TWV|WoO|SWV|KV"
# These are initials and labels as well, so a word of music must stand near.
_DOUBTFUL = "KWV|RV|Wq|Fp|FP|JS|K|D|Z|H|L|S|R|B"
_MUSIC = re.compile(
    r"\b(?:(?i:sonat(?:a|as|ina)|concert(?:o|os|i)|symphon(?:y|ies)|quartets?|quintets?|sextets?|octet|trios?|lieder|requiem|impromptus?"
    r"|fantas(?:y|ia|ie)|fugues?|preludes?|cantatas?|motets?|oratorio|minuets?|rondos?|serenades?|divertiment[oi]|partitas?"
    r"|nocturnes?|etudes?|waltz(?:es)?|mazurkas?|sinfonia|overtures?|anthems?)"
    r"|Lied|Mass|[A-G](?:[- ](?:flat|sharp))? (?:major|minor)|Schubert|Mozart|Scarlatti|Purcell|Haydn|Vivaldi|Bach|Liszt"
    r"|Köchel|Kochel|Deutsch|Kirkpatrick|Handel|Telemann|Boccherini|Poulenc|Dvorak)(?:'s)?\b"
)
_REACH = 90  # a word of music stands at most so many characters away


def _say_work(match: re.Match[str]) -> str:
    """The letters by themselves and the number in pairs: 'K three thirty one'."""
    letters = match["letters"]
    if match["doubtful"]:
        letters = match["doubtful"]
        around = match.string[max(0, match.start() - _REACH) : match.end() + _REACH]
        if not _MUSIC.search(around):
            return match[0]
    number = match["number"]
    spoken = pairs(number) if len(number) < 5 else number_words(number)
    return f"{' '.join(letters).upper()} {spoken}" + (f" {match['part']}" if match["part"] else "")


def _say_hoboken(match: re.Match[str]) -> str:
    return f"Hoboken {cardinal(roman_value(match[1]))}{f' {match[2]}' if match[2] else ''} {number_words(match[3])}"


RULES: list[Rule] = [
    rule(
        rf"(?<![\w.'-])(?:(?P<letters>{_CLEAR})|(?P<doubtful>{_DOUBTFUL}))(?:\. ?| )(?P<number>[1-9][0-9]{{0,3}})(?P<part>[a-h])?"
        r"(?![\w%$£€]|[.,:/-][0-9])",
        _say_work,
    ),
    rule(r"\bHob\. ?([IVX]{1,6})([a-z])?: ?([0-9]{1,3})\b", _say_hoboken),
    rule(r"(\b[Oo]p)\. ?(?:posth)\b\.?", lambda m: f"{'O' if m[1][0] == 'O' else 'o'}pus posthumous"),
]
