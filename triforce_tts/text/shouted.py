"""Texts that are all in capitals: their words become words again, and acronyms and numerals stay."""

import re

from triforce_tts.text.codes import DOUBTFUL_STATES, STATES
from triforce_tts.text.letters import ALWAYS_SPELLED, WORDS_TOO, is_known, is_spelled_in_lexicon
from triforce_tts.text.money import CODES
from triforce_tts.text.roman import LONG_NUMERAL


def is_shouted(text: str) -> bool:
    """Whether the text is all upper case, so that capitals mean nothing; a lone acronym is not shouted."""
    words = re.findall(r"[A-Z]{2,}", text) if text.isupper() else []
    return len(words) > 1 or (len(words) == 1 and len(words[0]) > 5)


def calm(text: str) -> str:
    """A shouted text with its words capitalised only, so that names are found; acronyms and numerals stay upper case.

    ``quieten`` makes the words small when everything else is done.
    """
    return re.sub(r"(?<![A-Za-z'])(?:[A-Z]+'[A-Z]+|[A-Z]{2,})(?![A-Za-z])(?!\.[A-Za-z])", _calm_word, text)


def quieten(text: str) -> str:
    """The text with the words that ``calm`` capitalised in small letters."""
    return re.sub(r"\b[A-Z](?!'s\b)[a-z']+", lambda word: word[0].lower(), text)


def _calm_word(match: re.Match[str]) -> str:
    word = match[0]
    letters = word.partition("'")[0]
    kept = letters + word[len(letters) :].lower()
    before = match.string[max(0, match.start() - 1) : match.start()]
    if letters in WORDS_TOO and (
        match.string[: match.start()].endswith("THE ") or _NATIONAL.match(match.string[match.end() :][:16])
    ):
        return kept
    if before.isdigit() and letters in ("ST", "ND", "RD", "TH"):
        return word.lower()
    if letters in _MAGNITUDES and re.search("[0-9][ -]$", match.string[max(0, match.start() - 2) : match.start()]):
        return word.lower()
    beside_digit = match.string[match.end() : match.end() + 1].isdigit()
    if beside_digit and len(letters) < 4:
        return kept
    if letters in ALWAYS_SPELLED - WORDS_TOO and before != "-":
        return kept
    if letters in ("WWI", "WWII", "WWIII"):
        return kept
    if letters in CODES and letters != "TRY" and re.match(r" ?[0-9]", match.string[match.end() : match.end() + 2]):
        return kept
    if letters in ("AD", "BC", "BCE", "CE") and _BESIDE_NUMBER.search(
        match.string[max(0, match.start() - 2) : match.end() + 2]
    ):
        return kept
    if letters == "US" and (
        (not match.start() and not match.string.startswith(("US TOO", "US ALL")))
        or _WITH_COUNTRY.match(match.string[match.end() :][:16])
    ):
        return kept
    if _is_state(match):
        return kept
    numeral = LONG_NUMERAL.fullmatch(letters) and letters not in (
        "I",
        "MIX",
        "MILD",
        "MIL",
        "DIM",
        "LID",
        "CIVIL",
        "DID",
        "MD",
        "DILL",
    )
    spelled = not is_known(letters) and (len(letters) <= 3 or not re.search("[AEIOUY]", letters))
    if numeral or spelled or is_spelled_in_lexicon(letters):
        return kept
    return word.capitalize()


# After these words 'US' is a country, even among other capitals.
_NATIONAL = re.compile(
    r"(?<![A-Z]) (?:ARMY|NAVY|AIR|MARINES?|SENATE|CONGRESS|PRESIDENT|TREASURY|GOVERNMENT|DOLLARS?|SUPREME|OPEN|STATES?|TROOPS"
    r"|ECONOMY|ELECTIONS?|MILITARY|CITIZENS?|COURTS?|TARIFFS?|HISTORY)\b"
)

# Behind a digit they belong to an amount, and its rules want small letters: '$5 MILLION'.
_MAGNITUDES = frozenset(["HUNDRED", "THOUSAND", "MILLION", "BILLION", "TRILLION", "LAKH", "LAKHS", "CRORE", "CRORES"])
_BESIDE_NUMBER = re.compile(r"^[0-9]| [0-9]$")
# At the start of a headline, and beside another country, 'US' is one too.
_WITH_COUNTRY = re.compile(
    r"(?:,| AND|-| VS\.?|,? &) ?(?:UK|EU|UN|CHINA|RUSSIA|IRAN|CANADA|MEXICO|JAPAN|INDIA|ISRAEL|CUBA)\b"
)


def _is_state(match: re.Match[str]) -> bool:
    """Whether the word is the code of a state behind the name of a town: 'ST. LOUIS, MO'."""
    is_behind = match.string[max(0, match.start() - 2) : match.start()] == ", "
    ends = re.match(r"[.,;:!?)]|$| [0-9]{5}\b", match.string[match.end() : match.end() + 6])
    return match[0] in STATES and match[0] not in DOUBTFUL_STATES and is_behind and ends is not None
