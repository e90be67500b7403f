"""Short forms of screenplays: ``INT. KITCHEN`` and ``(CONT'D)``."""

import re

from triforce_tts.text.numbers import Rule


def _say_scene(match: re.Match[str]) -> str:
    """The place of a scene of a screenplay: ``INT. KITCHEN`` as 'Interior. KITCHEN'."""
    places = {"INT": "Interior", "EXT": "Exterior"}
    return " and ".join(places[place.upper()] for place in match.groups() if place) + ","


RULES: list[Rule] = [
    # In small letters these are also an extension, an interior design and the like, so that the time of the scene must follow.
    (re.compile(r"^(INT|EXT)\.(?:/(INT|EXT)\.)?(?= (?![0-9]+\b(?![^\n]{0,80} -))\S)"), _say_scene),
    (re.compile(r"^(Int|Ext)\.(?:/(Int|Ext)\.)?(?= [A-Z][^.!?\n]{0,60} - )"), _say_scene),
    (re.compile(r"\(CONT(?:'D|\.|D)?\)", re.IGNORECASE), lambda m: "(continued)"),
]
