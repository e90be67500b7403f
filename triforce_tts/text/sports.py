"""Scores of cricket (``287/4``, ``153/6 dec.``), odds (``11/4``) and minutes of football (``Rooney 23'``)."""

import re

from triforce_tts.text.numbers import Rule, number_words, rule

_DAY_BEFORE = re.compile(r"\b(?i:on|since|until|till|by|from|before|after) $")  # then it may be a date
_NO_SCORE = re.compile(
    r"\b(?i:pages?|pp?\.|rooms?|flat|no\.|numbers?|pressure(?: was| of)?|root of|begins?|began|closes?|opens?|starts?|ends?) $"
)
_NO_SCORE_AFTER = re.compile(
    r" (?:inch(?:es)?|cups?|miles?|time|of|[ap]\.?m)\b| at (?:dawn|noon|midnight|dusk|night|[0-9])"
    r"| (?:[A-Z]\w+ ){1,2}(?:Street|Road|Lane|Avenue|Square|Terrace|Place|St|Rd)\b"
)
_CRICKET = re.compile(
    r"\b(?:overs|[0-9] ?ov|wickets?|innings|stumps|lbw|not out|all out|batsm[ae]n|batters?|bowl(?:ed|er|ers|ing)|the Ashes|Test match|cricket|ODI|T20I?)\b"
)


# Batter is stirred, and a bowl is filled, in a kitchen.
_KITCHEN = re.compile(
    r"\b(?:cakes?|flour|pancakes?|oven|[Ss]tir|mix|oz|inch(?:es)?|thick|in\.|cups?|[Bb]atter (?:is|needs|should))(?!\w)"
)


def _is_no_score(match: re.Match[str]) -> bool:
    """Whether what stands around makes it a date, an address, a page, a measure or a pressure of blood."""
    before = match.string[max(0, match.start() - 16) : match.start()]
    after = match.string[match.end() : match.end() + 40]
    return bool(_DAY_BEFORE.search(before) or _NO_SCORE.search(before) or _NO_SCORE_AFTER.match(after))


def _say_wickets(match: re.Match[str]) -> str:
    """Runs for wickets: 'two hundred and eighty seven for four', where the text speaks of cricket."""
    around = match.string[max(0, match.start() - 80) : match.end() + 60]
    if not _CRICKET.search(around) or _is_no_score(match):
        return match[0]
    return f"{number_words(match[1])} for {number_words(match[2])}{' declared' if match[3] else ''}"


def _say_wickets_first(match: re.Match[str]) -> str:
    """``3/45`` as 'three for forty five', where the text speaks of cricket: wickets before runs, as in Australia or of a bowler."""
    around = match.string[max(0, match.start() - 80) : match.end() + 60]
    is_score = _CRICKET.search(around) and not _KITCHEN.search(around) and not _is_no_score(match)
    return f"{number_words(match[1])} for {number_words(match[2])}" if is_score else match[0]


_BETTING = re.compile(
    r"\b(?i:odds|fav|favourites?|favorites?|outsiders?|bookies|bookmakers?|backed|tipped|horses?|racing|punters?|starting price|betting|bets?|wager(?:ed)?|jockeys?)\b"
)
_FOOTBALL = re.compile(
    r"[0-9]\+[0-9]{1,2}'|\b(?i:goals?|scor(?:ed|ers?)|utd|united|fc|pens?|penalty|half-?time|full-?time|substitut\w+|booked|yellow card|red card)\b"
)


def _say_odds(match: re.Match[str]) -> str:
    """``11/4`` as 'eleven to four', where the text speaks of bets."""
    around = match.string[max(0, match.start() - 50) : match.end() + 40]
    is_share = int(match[1]) <= int(match[2]) and not re.match(
        " (?:fav|joint|on|against)", match.string[match.end() :][:10]
    )
    is_bet = _BETTING.search(around) and not is_share and not _is_no_score(match)
    return f"{number_words(match[1])} to {number_words(match[2])}" if is_bet else match[0]


def _say_minute(match: re.Match[str]) -> str:
    """``Rooney 23'`` as a minute of a match, where the text speaks of football."""
    around = match.string[max(0, match.start() - 100) : match.end() + 100]
    if not _FOOTBALL.search(around):
        return match[0]
    name, minute, more = match.groups()
    return f"{name}{minute} plus {more} minutes" if more else f"{name}{minute} minutes"


RULES: list[Rule] = [
    rule(
        r"(?<![\w.,/$£€-])([1-9][0-9]{1,2})/([0-9])( ?d(?:ecl?)?\b\.?)?(?![\w/]|[.,][0-9]|-[0-9])(?! (?:of|inch|cup|mile))",
        _say_wickets,
    ),
    rule(
        r"(?<![\w.,/$£€-])(?<![0-9] )(?!9/11(?![0-9]))([0-9]|10)/([1-9][0-9]{1,2})(?![\w/-]|[.,][0-9]| ?[\"'])",
        _say_wickets_first,
    ),
    rule(
        r"(?<![\w.,/$£€-])([1-9][0-9]{1,2})-([0-9]|10) dec(?:l\b\.?|lared\b|\b\.?)(?!\w)",
        lambda m: f"{number_words(m[1])} for {number_words(m[2])} declared",
    ),
    rule(
        r"(?<![\w.,/$£€-])(?<![0-9] )([1-9][0-9]{0,2})/(1|2|4|5|8|11|13|10)(?![\w/-]|[.,][0-9])",
        _say_odds,
    ),
    rule(r"(?<![\w.])(45|90|105|120)\+([0-9]{1,2})'(?= minute)", lambda m: f"{m[1]} plus {m[2]}"),
    rule(r"(?<![\w.])(45|90|105|120)\+([0-9]{1,2})'(?!\w)", lambda m: f"{m[1]} plus {m[2]} minutes"),
    # In 'the Alpha 23', which sank' a ship is so many feet long.
    rule(
        r"((?<!\b[Tt]he )(?<!\b[Aa] )(?<!\b[Aa]n )\b[A-Z][\w'-]{1,30} )([1-9][0-9]{0,2})(?:\+([0-9]{1,2}))?'(?=[,;)](?! [a-z])| \(|$)",
        _say_minute,
    ),
]
