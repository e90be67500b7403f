"""Short forms of screenplays: ``INT. KITCHEN`` and ``(CONT'D)``."""

import re

from triforce_tts.text.numbers import Rule


def _say_scene(match: re.Match[str]) -> str:
    """The place of a scene of a screenplay: ``INT. KITCHEN`` as 'Interior. KITCHEN'."""
    places = {"INT": "Interior", "EXT": "Exterior"}
    return " and ".join(places[place.upper()] for place in match.groups() if place) + ","


RULES: list[Rule] = [
    (re.compile(r"^(INT|EXT|Int|Ext)\.(?:/(INT|EXT|Int|Ext)\.)?(?= \S)"), _say_scene),
    (re.compile(r"\(CONT(?:'D|\.|D)?\)", re.IGNORECASE), lambda m: "(continued)"),
]
