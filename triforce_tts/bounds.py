"""The bounds of what a user can give for speaking, in one place, and one way to refuse the rest."""

import math
from dataclasses import dataclass

from triforce_tts.errors import ConfigError


@dataclass(frozen=True)
class Bound:
    """The numbers from ``least`` to ``most``."""

    least: float
    most: float
    whole: bool = True  # whether only integers are meant

    def check(self, name: str, value: object) -> None:
        """Refuse a ``value`` outside; ``name`` is how the user calls it.

        Raises:
            ConfigError: no number, not a whole one, not finite, too small or too large.
        """
        is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        if not is_number or (self.whole and not isinstance(value, int)) or not self.least <= value <= self.most:  # type: ignore[operator]
            kind = "a whole number" if self.whole else "a number"
            raise ConfigError(f"{name} {value}: expected {kind} from {_written(self.least)} to {_written(self.most)}")


def _written(limit: float) -> str:
    return str(limit) if isinstance(limit, int) else f"{limit:g}"


_SEEDS = 2**63  # a random generator takes so many
SEED = Bound(0, _SEEDS - 1)  # wide enough for a clock's nanoseconds
DIFFUSION_STEPS = Bound(0, 1000)  # 0 leaves stage 3 out; more than some tens change nothing
CANDIDATES = Bound(1, 64)  # all are drawn in one batch
THREADS = Bound(0, 1024)  # 0: as many as there are cores; no machine has more
GUIDANCE = Bound(0.0, 100.0, whole=False)
PHASE_ITERATIONS = Bound(0, 10_000)
TEMPERATURE = Bound(0.0, 100.0, whole=False)  # 0 takes the likeliest
TOP_P = Bound(1e-9, 1.0, whole=False)
TRIES = Bound(1, 100)
MAX_CHARACTERS = 20_000  # of one text: about twenty minutes of speech; more is a book, which has its own program


def one_of(name: str, value: object, choices: tuple[str, ...]) -> None:
    """Refuse a ``value`` that is none of ``choices``.

    Raises:
        ConfigError: it is another one.
    """
    if value not in choices:
        raise ConfigError(f"{name} {value!r}: expected one of {', '.join(choices)}")


def derived_seed(seed: int) -> int:
    """``seed``, the sum or product of accepted ones, within the range again; different ones stay different in practice."""
    return seed % _SEEDS
