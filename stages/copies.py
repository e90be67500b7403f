"""Copies of training samples: few hours of speech go further with them.

A copy that begins within a code frame has other codes for the same sound. A copy at another speed (and so at another pitch)
counts as a reader of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from triforce_tts.audio.resample import resample
from triforce_tts.text.alignment import KEY as ALIGNMENT

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Copy:
    """How a copy of a sample differs from it; without arguments it is the sample itself."""

    speed: float = 1.0  # how many times as fast the copy plays, as on a faster tape
    # The copy begins ``shift / shifts`` of a code frame later.
    shift: int = 0
    shifts: int = 1

    @property
    def name(self) -> str:
        """The mark of this copy in keys and names of shards; empty for the sample itself. A key holds no dot."""
        parts = [self._pace, f"{self.shift}of{self.shifts}" if self.shift else ""]
        return "-".join(part for part in parts if part)

    @property
    def _pace(self) -> str:
        return f"x{self.speed:g}".replace(".", "_") if self.speed != 1.0 else ""

    def start(self, frame: int) -> int:
        """The samples that are left out at the beginning; ``frame`` is the number of samples in a code frame."""
        return round(self.shift * frame / self.shifts)

    def sound(self, samples: "torch.Tensor", sample_rate: int, frame: int) -> "torch.Tensor":
        """The copy [m] of ``samples`` [n]; ``frame`` is the number of samples in a code frame."""
        import torch

        start = self.start(frame)
        if self.speed == 1.0:
            return samples[start:]
        # The samples are taken as if their rate were ``speed`` times as high, so the copy is so many times as fast.
        return torch.from_numpy(resample(samples.numpy(), round(sample_rate * self.speed), sample_rate))[start:]

    def meta(self, meta: dict[str, Any], later_s: float) -> dict[str, Any]:
        """The JSON of the copy, which begins ``later_s`` seconds later."""
        if not self.name:
            return meta
        times = meta.get(ALIGNMENT)
        return {
            **meta,
            "speaker": "-".join(part for part in (meta.get("speaker", ""), self._pace) if part),
            "duration_s": round(meta["duration_s"] / self.speed - later_s, 4),
            **({} if times is None else {ALIGNMENT: [[self._moved(time, later_s) for time in word] for word in times]}),
        }

    def _moved(self, time: float, later_s: float) -> float:
        return max(0.0, round(time / self.speed - later_s, 4))


def copies_of(speeds: Sequence[float], shifts: int) -> list[Copy]:
    """The samples themselves, and all copies of them that ``speeds`` and ``shifts`` ask for."""
    all_speeds = [1.0, *sorted(set(speeds) - {1.0})]
    return [Copy(speed, shift, shifts) for speed in all_speeds for shift in range(shifts)]
