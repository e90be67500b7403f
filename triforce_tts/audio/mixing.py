"""Mixes the channels of a sound to one: their mean, or one of them where the mean cancels the sound.

A cable with two wires exchanged, or an effect, turns the phase of one channel, and the mean of the channels is then
silence. This is decided for short windows, because such a sound may be a part of a recording; where a window is quiet,
such as a pause in speech, the last decision stays, unless the chosen channel lacks what another has.
"""

import math
from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

Wave = npt.NDArray[np.float32]

WINDOW = 8192  # samples of each channel for which one decision is made; a sixth of a second at 48 kHz
_MOST_CHANNELS = 8  # the windows of more channels are shorter, which limits the memory
# Channels that have nothing to do with each other leave the mean of n channels 1/n of the power of a channel. Below
# this share of that the mean is cancelled, and only above the other share it counts as whole again.
_CANCELLED, _WHOLE = 0.1, 0.5
_QUIET = 0.01  # a window with a smaller share of the power of the loudest of the last seconds decides nothing
_FORGETTING = 0.99  # the loudest power is multiplied by this with each window
_FADE = 256  # samples; one choice changes into the other over so many


def mixed(pieces: Iterable[Wave]) -> Iterator[Wave]:
    """One channel [samples] of ``pieces`` [channels, samples] of one sound; the number of channels may change."""
    mixer = _Mixer()
    for window in _windows(pieces):
        yield window[0] if len(window) == 1 else mixer(window)


def _windows(pieces: Iterable[Wave]) -> Iterator[Wave]:
    """``pieces`` in windows of the same length; the last before a change of channels is shorter.

    Sound of one channel is passed on as it comes.
    """
    kept: list[Wave] = []
    for piece in pieces:
        if kept and len(piece) != len(kept[0]):
            yield np.concatenate(kept, axis=1)
            kept = []
        if len(piece) == 1:
            yield piece
            continue
        kept.append(piece)
        size = max(1, WINDOW * _MOST_CHANNELS // max(_MOST_CHANNELS, len(piece)))
        if sum(part.shape[1] for part in kept) < size:
            continue
        whole = np.concatenate(kept, axis=1) if len(kept) > 1 else piece
        end = whole.shape[1] // size * size
        for start in range(0, end, size):
            yield whole[:, start : start + size]
        kept = [whole[:, end:]] if end < whole.shape[1] else []
    if kept:
        yield np.concatenate(kept, axis=1)


class _Mixer:
    """Mixes the windows of a sound in order."""

    def __init__(self) -> None:
        self.channel: int | None = None  # the channel that stands for all; None: their mean does
        self.loudest = 0.0  # the power of the loudest of the last windows

    def __call__(self, window: Wave) -> Wave:
        mean: Wave = np.add.reduce(window, 0) * np.float32(1 / len(window))
        before, self.channel = self.channel, self._choice(window, mean)
        chosen = _sound_of(window, mean, self.channel)
        if before == self.channel:
            return chosen
        fade = np.linspace(0, 1, min(_FADE, len(chosen)), dtype=np.float32)
        faded: Wave = chosen.copy()
        earlier = _sound_of(window, mean, before)[: len(fade)]
        faded[: len(fade)] = earlier + fade * (chosen[: len(fade)] - earlier)
        return faded

    def _choice(self, window: Wave, mean: Wave) -> int | None:
        """The channel that this window is taken from; None for the mean."""
        if self.channel is not None and self.channel >= len(window):  # the number of channels has changed
            self.channel = None
        level = window - window.mean(axis=1, keepdims=True)  # the constant part of a channel is no sound
        powers = np.einsum("cs,cs->c", level, level)
        power = float(powers.sum())
        if not math.isfinite(power):  # the file holds what is no number
            return self.channel
        self.loudest = max(power, _FORGETTING * self.loudest)
        if power <= _QUIET * self.loudest:
            # Who speaks softly, and in another channel alone, would be lost.
            is_elsewhere = self.channel is not None and powers[self.channel] < _CANCELLED * powers.max()
            return None if is_elsewhere else self.channel
        mixture = mean - mean.mean()
        share = len(window) ** 2 * float(np.vdot(mixture, mixture))
        if self.channel is None:
            loud = np.flatnonzero(powers >= powers.max() / 2)
            return int(loud[0]) if share < _CANCELLED * power else None  # the first, so that its phase stays the same
        return self.channel if share < _WHOLE * power else None


def _sound_of(window: Wave, mean: Wave, channel: int | None) -> Wave:
    sound: Wave = mean if channel is None else window[channel]
    return sound
