"""The bounds of all numbers that a user can give for speech, and the error for a number outside of them."""

import math
from dataclasses import dataclass

from triforce_tts.errors import ConfigError


@dataclass(frozen=True)
class Bound:
    """The numbers from ``least`` to ``most``."""

    least: float
    most: float
    whole: bool = True  # whether the number must be an integer

    def check(self, name: str, value: object) -> None:
        """Refuse a ``value`` outside of the bounds; ``name`` is the name of the option for the user.

        Raises:
            ConfigError: the value is no number, not finite, too small or too large, or not whole though it must be.
        """
        is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        if not is_number or (self.whole and not isinstance(value, int)) or not self.least <= value <= self.most:  # type: ignore[operator]
            kind = "a whole number" if self.whole else "a number"
            raise ConfigError(f"{name} {value!r}: expected {kind} from {_written(self.least)} to {_written(self.most)}")


def _written(limit: float) -> str:
    return str(limit) if isinstance(limit, int) else f"{limit:g}"


_SEEDS = 2**63  # the number of seeds that a random generator can have
SEED = Bound(0, _SEEDS - 1)  # wide enough for the nanoseconds of a clock
DIFFUSION_STEPS = Bound(0, 1000)  # 0 leaves stage 3 out; more than a few tens of steps change nothing
CANDIDATES = Bound(1, 64)  # all candidates are drawn in one batch
THREADS = Bound(0, 1024)  # 0 takes as many threads as there are cores; no machine has more than 1024
GUIDANCE = Bound(0.0, 100.0, whole=False)
PHASE_ITERATIONS = Bound(0, 10_000)
TEMPERATURE = Bound(0.0, 100.0, whole=False)  # 0 always takes the likeliest token
TOP_P = Bound(1e-9, 1.0, whole=False)
TRIES = Bound(1, 100)
SPEED = Bound(0.8, 1.25, whole=False)  # farther from 1, more words are wrong (docs/speaking.md#speed)
PAUSE = Bound(0.0, 60.0, whole=False)  # seconds of one pause that a text asks for
BATCH = Bound(0, 256)  # lines that are drawn at once
PROCESSES = Bound(0, 1024)  # 0 takes as many as are useful
MAX_CHARACTERS = 20_000  # characters of one text, which is about twenty minutes of speech


def one_of(name: str, value: object, choices: tuple[str, ...]) -> None:
    """Refuse a ``value`` that is not among ``choices``.

    Raises:
        ConfigError: the value is not among them.
    """
    if value not in choices:
        raise ConfigError(f"{name} {value!r}: expected one of {', '.join(choices)}")


def derived_seed(seed: int) -> int:
    """A seed within the bounds for ``seed``, which is a sum or a product of valid seeds and may be too large.

    In practice, different numbers give different seeds.
    """
    return seed % _SEEDS
