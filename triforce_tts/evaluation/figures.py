"""The names of the figures: how each is called and written, and which direction is better."""

from dataclasses import dataclass
from typing import Literal

from triforce_tts.evaluation.report import Estimate
from triforce_tts.synthesis.stopwatch import STAGES


@dataclass(frozen=True)
class Meaning:
    """The way in which a figure is shown."""

    title: str
    decimals: int = 2
    # Empty: the figure should be near that of natural speech.
    better: Literal["less", "more", ""] = ""


WORD_ERROR, CHARACTER_ERROR, SIMILARITY, OVERALL, P808 = (
    "word_error",
    "character_error",
    "similarity",
    "dnsmos_ovrl",
    "p808",
)
RTF = "rtf"
FIGURES = {
    WORD_ERROR: Meaning("words wrong", 3, "less"),
    CHARACTER_ERROR: Meaning("characters wrong", 3, "less"),
    OVERALL: Meaning("DNSMOS overall", 2, "more"),
    "dnsmos_sig": Meaning("DNSMOS speech", 2, "more"),
    "dnsmos_bak": Meaning("DNSMOS background", 2, "more"),
    P808: Meaning("DNSMOS P.808", 2, "more"),
    SIMILARITY: Meaning("similarity to the voice", 3, "more"),
    "f0_hz": Meaning("median pitch, Hz", 0),
    "f0_range": Meaning("range of pitch, semitones", 1),
    "rate": Meaning("characters a second", 1),
    "level_db": Meaning("level of speech, dBFS", 1),
    "ending_db": Meaning("last 50 ms against the speech, dB", 1),
    "complete": Meaning("complete", 3, "more"),
    "as_predicted": Meaning("lasts 0.6 to 1.6 times what was predicted", 3, "more"),
    RTF: Meaning("seconds of work a second of speech", 2, "less"),
}


def meaning(name: str) -> Meaning:
    """The ``Meaning`` of the figure ``name``; ``rtf_gpt`` is the part of stage ``gpt`` in ``rtf``."""
    if name in FIGURES:
        return FIGURES[name]
    stage = name.removeprefix(f"{RTF}_")
    return Meaning(f"of these by {STAGES.get(stage, stage)}", FIGURES[RTF].decimals, "less")


def ordered(names: set[str]) -> list[str]:
    """``names`` in the order in which they are shown."""
    order = [*FIGURES, *(f"{RTF}_{stage}" for stage in STAGES)]
    return sorted(names, key=lambda name: (order.index(name) if name in order else len(order), name))


def written(name: str, estimate: Estimate) -> str:
    """The value with its interval; the value of a single sentence has no interval."""
    places = meaning(name).decimals
    # Zero is added because a small negative number would be written as -0.00.
    value, low, high = (
        f"{round(number, places) + 0.0:.{places}f}" for number in (estimate.value, estimate.low, estimate.high)
    )
    return value if estimate.sentences == 1 else f"{value} ({low} to {high})"
