"""Initialisms that hide behind a name or a word of the dictionary: ``the UPS driver``, ``an EEG``, ``HMS Victory``, ``the SAT``."""

import re

from triforce_tts.text.abbreviation_names import OPENERS

# In a text that is not shouted these capitals are letters: the dictionary has only a rare word, a name or an abbreviation.
_LETTERS_IN_PROSE = (
    "AB AG CA CO DI MS NE NI OP PI RA SA SE ACA ACS AES AKA AKC ALS AMR ASA ATA COD COO DES DOB DOE DOI EDI EEG"
    " EMA ENT FOB GAO HMS IBS IDE ILO ILS IMS INS MIB MIS NES NIS ONS OTA POS ROI SAP SOP STS TIA TOS UPS URI UVA"
)
_SPELLED_IN_PROSE = frozenset(_LETTERS_IN_PROSE.split())
# Words or syllables that are called or stretched: '"NI!"', 'NE-VER'.
_CALLED_BEFORE = re.compile(r"[A-Za-z]-$|(?:^|[ (])[\"']$")
_CALLED_AFTER = re.compile(r"!|\.{2}|-[A-Z]{2}")
# A number in words: digits are words before letters are read.
_COUNT = r"(?:zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|[a-z]{3,5}(?:teen|ty))\b"
# Words of other languages behind a small word that is stressed: 'CA va bien', 'SE acabo'.
_FOREIGN_AFTER = re.compile(
    r",? (?:va|vas|y|est|sont|con|que|acabo|claro|por|senor(?:a|ita)?|amo|pas|plus|bouge|me|te|le|hao|signore|signora)\b"
)
# A name in capitals before what that person says, at the start of the text: 'ASA: Come in.'
_SPEAKER = r"\|: ?[A-Z\"']"
# Where these follow or stand before, the letters are a word, a syllable, a name, a title or a company: 'corn on the COB',
# 'MIS-understood', 'MS. Lee', 'Lee and CO'.
_NO_LETTERS = {
    **dict.fromkeys(("ASA", "EMA"), re.compile(rf"{_SPEAKER}|.*\b(?:King|Uncle|Aunt) \|")),
    "CO": re.compile(r".*(?:&|\b[A-Z][a-z]+ +and) *\||.*\|(?:\.|-[a-z])"),
    "COD": re.compile(
        r".*\b(?:Cape|[Gg]rilled|[Ff]ried|[Ss]alt|[Bb]aked|[Ff]resh|ate) \||.*\| (?:and chips|fillets?|liver)\b"
    ),
    "COO": re.compile(r".*\b(?:[Bb]aby|bab(?:y|ies)|[Dd]oves?|pigeons?|to) \|"),
    "DES": re.compile(rf"{_SPEAKER}|.*\|(?:-[a-z]| [A-Z][a-z])"),
    "DI": re.compile(rf"{_SPEAKER}|.*\b(?:Princess|Lady|Aunt) \|"),
    "FOB": re.compile(r".*\b[Kk]ey \||.*\| off\b"),
    "INS": re.compile(r".*\|  ?(?:and|&) +(?:outs|OUTS)\b"),
    "MS": re.compile(
        rf".*\|(?:\. (?!(?:{OPENERS})\b)[A-Z]| (?!Word|Excel|Office|Access|Windows|Teams|Paint|Outlook)[A-Z][a-z'’]| (?:de|von|van) [A-Z])"
    ),
    "DOE": re.compile(r".*\b(?:John|Jane|[Aa]) \||.*\|(?:[ -]eyed\b| an? )"),
    "OP": re.compile(r".*\|(?:-[a-z]| art\b)"),
    # Here the number is meant: 'two PI', 'PI is about three'.
    "PI": re.compile(
        rf".*\b(?:[Nn]umber|[Ll]ife of|times|value of|(?:two|three|four|half|minus)) \||.*\| (?:is (?:about|approximately|equal|irrational|roughly|{_COUNT})|times|equals|squared|over)\b"
    ),
    "RA": re.compile(r".*\b(?:[Gg]od|[Ss]un) \||.*\|,? the (?:sun|god)\b"),
    "SAP": re.compile(
        r".*\b(?:[Ww]hat a|[Ss]uch a|[Yy]ou|poor|old|maple|tree) \||.*\| (?:from the|ran down|runs down|rises|rose|flows|drips)\b"
    ),
    "SOP": re.compile(r".*\| up\b"),
    "TIA": re.compile(r".*\| [A-Z][a-z]"),
    "UPS": re.compile(
        r".*\b(?:[Pp]ush|[Pp]ull|[Ss]it|[Gg]rown) \||.*\| (?: ?(?:and|&) +(?:downs|DOWNS)|the (?:ante|stakes|odds))\b"
    ),
    "URI": re.compile(rf"{_SPEAKER}|.*\| [A-Z][a-z]"),
    **dict.fromkeys(("AB", "MIS"), re.compile(r".*\|-[a-z]")),
}
# These are letters only beside certain words: 'the SAT', 'an LED', 'AM radio', 'that SOB', 'SR 520'.
_SPELLED_BESIDE = {
    "ADD": re.compile(r".*\b(?:has|have|had|having|with|for) \|(?:[.,;:)]|$| (?:and|or|but|meds?|medication)\b)"),
    "AM": re.compile(
        r"^.*\|(?: ?[/&] ?| and | or )FM\b|.*\| (?:radio|stations?|dial|band|broadcast\w*)\b|.*\bFM(?: ?[/&] ?| and | or )\|"
    ),
    "COB": re.compile(r".*\b(?:[Bb]y|before|until|till|at) \|"),
    "ERA": re.compile(
        rf".*\b(?:{_COUNT}|[Ll]owest|[Tt]eam|[Cc]areer|[Pp]itch(?:er's|ing)|(?:[Rr]atify(?:ing)?|[Pp]ass(?:ed|ing)?)(?: the)?) \|"
        rf"|.*\|,? (?:(?:of|was|is|to|at|under|below|above|over) )?(?:a )?{_COUNT}|.*\| (?:amendment|ratification)\b"
    ),
    "ET": re.compile(r".*[0-9] \||.* [AP] M \|"),
    "IL": re.compile(r".*(?:\b(?:[Ii]n|[Ff]rom|of|at|near|through|across)|[a-z],) \||.*\|-"),
    "LED": re.compile(
        r".*\b(?:[Aa]n|[Tt]he|[Oo]ne|[Ee]ach) \|(?! (?:him|her|them|us|me|to|by|the|a)\b)|.*\| (?:lights?|lighting|bulbs?|displays?|screens?|lamps?|strips?|TVs?|panels?)\b"
    ),
    "POW": re.compile(r".*\b(?:[Aa]|[Tt]he|[Ee]ach|[Ff]ormer|[Ee]very) \|(?!!)|.*\| (?:camps?|guards?)\b"),
    "SAT": re.compile(
        r".*\b(?:[Tt]he|[Hh]is|[Hh]er|[Mm]y|[Yy]our|[Aa]n) \|(?! (?:down|up|on|in|at|there|by)\b)|.*\| (?:scores?|tests?|exams?|prep)\b"
    ),
    "SEC": re.compile(r".*\b(?:[Tt]he|US|U S) \|"),
    "SI": re.compile(
        r".*\| (?:(?:base|derived) )?(?:units?|system|prefix(?:es)?|symbols?|standards?|brochure)\b|.*\b(?:[Tt]he|in) \|(?=[ .,;)])"
    ),
    "SOB": re.compile(
        r".*\b(?:[Tt]hat|[Tt]he|[Aa]n|[Yy]ou|[Tt]his|old|poor|lucky|tough|mean|dumb) \|(?! (?:story|stories)\b)"
    ),
    "SR": re.compile(rf".*\|[ -]{_COUNT}"),
    "TI": re.compile(
        rf".*\b(?:[Aa]|[Tt]he|[Mm]y) \||.*\|(?:-{_COUNT}| (?:calculators?|chips?|Instruments|graphing|processors?)\b)"
    ),
    "VE": re.compile(r".*\|(?:-| )(?:[Dd]ay|DAY)\b"),
}
# The corners of a figure of geometry: 'triangle ABE', 'the angle BAD'. A line may be one of a text or a shop.
_FIGURE_BEFORE = re.compile(
    r"\b(?:angles?|triangles?|segments?|chords?|arcs?|diameters?|quadrilaterals?|parallelograms?|rectangles?|rhombus|trapezoids?"
    r"|trapeziums?|polygons?|vectors?|(lines?|sides?|rays?)) +$"
)
# The corners of figures are mostly the first letters of the alphabet; other words are stressed, as 'HAD' and 'HE' are.
_CORNERS = frozenset("ABCDEFGH")
_STRESSED = frozenset(["EACH", "HAD", "HE"])


def _names_corners(word: str, before: str) -> bool:
    """Whether the letters are the corners of the figure that stands before them."""
    figure = _FIGURE_BEFORE.search(before)
    if figure is None or word in _STRESSED or len(set(word)) < len(word) or not _CORNERS.issuperset(word):
        return False
    return len(word) == 2 if figure[1] else len(word) < 5


def is_initialism(word: str, ending: str, before: str, after: str) -> bool:
    """Whether ``word``, in capitals, is said letter by letter between ``before`` and ``after`` in a text that is not shouted.

    ``ending`` is the plural or the genitive behind it: 's', "'s" or nothing.
    """
    if _names_corners(word, before):
        return True
    if word in _SPELLED_IN_PROSE:
        is_called = not ending and (_CALLED_BEFORE.search(before) or _CALLED_AFTER.match(after))
        is_word = word in _NO_LETTERS and _NO_LETTERS[word].match(f"{before}|{after}")
        is_foreign = len(word) == 2 and not ending and _FOREIGN_AFTER.match(after)
        return not (is_called or is_word or is_foreign)
    beside = _SPELLED_BESIDE.get(word)
    return beside is not None and bool(ending == "s" or beside.match(f"{before}|{after}"))
