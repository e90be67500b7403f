"""The presets of ``speak`` and ``narrate``: all the settings that each preset chooses, in one table.

An option of the user comes before the preset's choice. docs/speaking.md reports the measured differences.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Preset:
    """One choice between speed and care."""

    tries: int  # the most tries of a line that is incomplete or that a check finds wrong
    # The number of takes of each line, whether right or wrong; the best take is kept.
    takes: int
    phase_iterations: int  # iterations of Griffin-Lim, if stage 3 leaves the phase open
    align: bool  # whether the aligner looks for the words in the sound
    recogniser: bool  # whether Whisper hears each line, if it is installed


# More iterations of Griffin-Lim than these change neither the spectrum nor what DNSMOS says (docs/speaking.md#presets).
ITERATIONS = 48

PRESETS = {
    "fast": Preset(tries=1, takes=1, phase_iterations=16, align=False, recogniser=False),
    "standard": Preset(tries=3, takes=1, phase_iterations=ITERATIONS, align=True, recogniser=False),
    "best": Preset(tries=5, takes=3, phase_iterations=ITERATIONS, align=True, recogniser=True),
}
STANDARD = "standard"
_FAST, _USUAL, _BEST = PRESETS["fast"], PRESETS[STANDARD], PRESETS["best"]
HELP = (
    "fast: one try of each line, no alignment, and where stage 3 leaves the phase open "
    f"{_FAST.phase_iterations} iterations of Griffin-Lim (else {_USUAL.phase_iterations}); standard: up to {_USUAL.tries} tries of a line that is incomplete or found wrong; "
    f"best: {_BEST.takes} takes of every line, of which the best by alignment and, where it is installed, Whisper is kept, and up to "
    f"{_BEST.tries} tries."
)
