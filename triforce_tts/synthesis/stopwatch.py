"""A stopwatch for the stages."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

STAGES = {  # what the stages do, in the order of their work
    "text": "reading the text",
    "voice": "reading the voice",
    "gpt": "stage 2",
    "rank": "ranking the candidates",
    "dvae": "stage 1",
    "diffusion": "stage 3",
    "phase": "making the wave",
    "choice": "choosing among the takes",
}


@dataclass
class Stopwatch:
    """The seconds spent in each stage."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def time(self, stage: str) -> Iterator[None]:
        """Add the block's duration to ``stage``."""
        began = time.perf_counter()
        yield
        self.seconds[stage] = self.seconds.get(stage, 0.0) + time.perf_counter() - began
