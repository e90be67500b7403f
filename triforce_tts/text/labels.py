"""Numbers with a letter that name a thing: ``Fig. 3g``, ``Figs. 2h-j``, ``seat 12L``, ``runway 27R``; the letter is no unit."""

import re

from triforce_tts.text.numbers import Rule, cardinal, number_words, pairs, rule, spell_digits
from triforce_tts.text.roman import roman_value

# The names of parts of texts and of places, and what is said for the short ones.
_SHORT = {
    **{"Fig": "Figure", "fig": "figure", "Figs": "Figures", "figs": "figures", "Sec": "Section", "sec": "section"},
    **{"Secs": "Sections", "secs": "sections", "Sect": "Section", "sect": "section", "Apt": "Apartment", "Rm": "Room"},
}
# What is measured as well needs a capital: 'a table 3m long', but 'Table 3m'.
_NAMED = (
    r"[Ff]igs?|[Ff]igures?|[Ss]ecs?|[Ss]ect|[Ss]ections?|[Qq]uestions?|[Cc]lauses?|[Pp]aragraphs?|[Ss]ubsections?|[Aa]rticles?"
    r"|[Pp]anels?|Tables?|Exhibits?|Schemes?|Plates?|Boxe?s?|Rules?|Zones?|Items?|Appendix|Apt|Apartment|Flat|Rm|[Ss]eats?|Gates?"
)
_ITEM = r"[0-9]{1,3}[A-Za-z](?:(?:-| -- )[a-zA-Z])?(?![A-Za-z0-9']|-(?![0-9]{1,3}[A-Za-z])|\.[A-Za-z0-9])"
_JOINT = r"(?:,? (?:and|or|to|&) |, |-| -- )"
# Behind these the number is an amount after all: 'Plate 5g of it', 'Table 3m wide', 'Section 20m from the gate'.
_AMOUNT_AFTER = (
    r"(?! (?:of|from|tall|long|wide|high|deep|thick|across|apart|away|off|behind|ahead|above|below|by|x|per|a|an|each|every|before"
    r"|after|down|up|square|back|beyond|past|to|around|under|over|later|earlier|nearer|further|farther|closer|long|inside|outside)\b"
    r"| in (?:length|height|width|depth|diameter|front|size|total|all)\b| [x×])"
)
# Things that are measured or weighed as well, so that a noun behind the number shows an amount: 'Flat 3m piece', 'Item 250g bag'.
_LOOSE = (
    r"(?!(?:Zones?|Items?|Flat|Plates?|Panels?|[Ss]eats?|Gates?|Boxe?s?|Rooms?|Rm|Rule) [0-9]{1,3}[glmhVW] "
    r"(?!(?:shows?|lists?|gives?|is|was|are|were|and|or|has|had|contains?|for|with|on|at|in|please|now|says?|states?|to)\b)[a-z])"
)
# A label has no article: 'the figure 20m in front'.
_NO_ARTICLE = r"(?<!\b[Tt]he )(?<!\b[Aa] )(?<!\b[Aa]n )(?<!\b[Ee]ach )(?<!\b[Ee]very )(?<!\b[Tt]his )"
_UNITS = "LVWghlm"
_SEATED = "[Ss]eats?|[Gg]ates?|[Rr]ooms?|[Aa]partments?|[Ss]uites?|[Rr]ows?"
_SIDES = {"L": "left", "R": "right", "C": "center"}


def _say_item(match: re.Match[str]) -> str:
    number, first, last = match.groups()
    return f"{number_words(number)} {first}" + (f" to {last}" if last else "")


def _say_labels(match: re.Match[str]) -> str:
    """Every number of ``Figs. 2h-j and 3m`` with its letters, where one could be taken for a unit or where letters form a range."""
    items = re.sub(r"(?<=[0-9][A-Za-z])(?:-| -- )(?=[0-9])", " to ", match[2])
    if not re.search(rf"[0-9][{_UNITS}]|[0-9][A-Za-z](?:-| -- )[A-Za-z]|[A-Za-z] to [0-9]", items):
        return match[0]
    words = re.sub(r"([0-9]{1,3})([A-Za-z])(?:(?:-| -- )([A-Za-z]))?", _say_item, items)
    return f"{_SHORT.get(match[1], match[1])} {words}"


def _say_runway(match: re.Match[str]) -> str:
    """``27L/09R`` as 'two seven left, zero nine right'."""
    ends = re.findall("([0-9]{1,2})([LRC])?", match[2])
    return match[1] + ", ".join(
        f"{spell_digits(number)} {_SIDES[side]}" if side else spell_digits(number) for number, side in ends
    )


_CHORD = "(?:[IV]{1,3}|[iv]{1,3})"


def _say_chords(match: re.Match[str]) -> str:
    """``I-IV-V`` as 'one, four, five'; 'I-I-I' stammers."""
    values = [roman_value(chord) for chord in re.findall("[IViv]+", match[0])]
    is_progression = "v" in match[0].lower() and all(0 < value < 8 for value in values) and len(set(values)) > 1
    return ", ".join(map(cardinal, values)) if is_progression else match[0]


RULES: list[Rule] = [
    rule(rf"(?<![\w'.-]){_CHORD}(?:(?:-| -- ){_CHORD}){{2,7}}(?![\w'-])", _say_chords),
    rule(rf"{_NO_ARTICLE}\b{_LOOSE}({_NAMED})\.? ({_ITEM}(?:{_JOINT}{_ITEM}){{0,6}}){_AMOUNT_AFTER}", _say_labels),
    rule(
        rf"{_NO_ARTICLE}\b({_SEATED}) ([0-9]{{1,3}})([LVW])(?![A-Za-z0-9'-]|\.[A-Za-z0-9])(?! (?:bulbs?|lamps?|power|batter(?:y|ies)|supply|current|bottles?|cans?|lights?)\b)",
        lambda m: f"{m[1]} {pairs(m[2]) if len(m[2]) > 2 else number_words(m[2])} {m[3]}",
    ),
    rule(
        r"(\b[Rr]unways? )((?:0?[1-9]|[12][0-9]|3[0-6])[LRC](?:/(?:0?[1-9]|[12][0-9]|3[0-6])[LRC]?)?)(?![A-Za-z0-9/-])",
        _say_runway,
    ),
]
