"""Where there is speech: silero-vad, and the two-threshold rule that makes spans of its probabilities.

The network (silero-vad 6.2, MIT) lies in its wheel in a form that takes many frames in one call and gives bit for bit what
the frame-by-frame one does. A frame is heard with the last 64 samples of the one before it.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from triforce_tts.judges.networks import session
from triforce_tts.schema import Config

from ..common.segments import ANALYSIS_RATE, Sound, Wave

FRAME = 512  # samples at ANALYSIS_RATE
FRAME_S = FRAME / ANALYSIS_RATE  # 32 ms
_CONTEXT = 64  # samples
_STATE = (1, 1, 128)  # of the network's memory: hidden and cell
_FILE = "data/silero_vad_16k_sequence.onnx"
_SHA256 = "9ccdacc4719d8aa7e45a77536bfabec45a03ba1f2fad5e241ab4060b24238a85"


class VadConfig(Config):
    """When sound counts as speech; the numbers are silero-vad's own defaults."""

    threshold: float = Field(default=0.5, gt=0, lt=1)  # probability at which speech begins
    exit_threshold: float = Field(default=0.35, ge=0, lt=1)  # probability below which it ends
    min_speech_s: float = Field(default=0.25, ge=0)  # shorter speech is a click or a cough
    min_silence_s: float = Field(default=0.1, ge=0)  # shorter silence is the closure of a consonant
    pad_s: float = Field(default=0.03, ge=0)  # added on each side: words begin and end softly
    block_seconds: float = Field(default=32.0, gt=0)  # heard in one call; bounds the memory, changes no result

    @model_validator(mode="after")
    def _ends_below_its_start(self) -> "VadConfig":
        if self.exit_threshold > self.threshold:
            raise ValueError(f"exit_threshold must not exceed threshold, found {self.exit_threshold}, {self.threshold}")
        return self


def speech_probabilities(sound: Sound, config: VadConfig) -> npt.NDArray[np.float32]:
    """How likely each frame of ``FRAME_S`` seconds holds speech, [frames]; the last one is filled with silence.

    Raises:
        TriforceError: the network is missing or another one.
    """
    network = session("silero_vad", _FILE, _SHA256)
    hidden = cell = np.zeros(_STATE, np.float32)
    context = np.zeros(_CONTEXT, np.float32)
    found = []
    for frames in _frames(sound.blocks(config.block_seconds, ANALYSIS_RATE)):
        before = np.concatenate([context[None], frames[:-1, -_CONTEXT:]])
        context = frames[-1, -_CONTEXT:]
        inputs = {"input": np.concatenate([before, frames], axis=1), "h": hidden, "c": cell}
        probabilities, hidden, cell = network.run(["speech_probs", "hn", "cn"], inputs)
        found.append(probabilities.reshape(-1))
    return np.concatenate(found) if found else np.zeros(0, np.float32)


def speech_spans(probabilities: npt.NDArray[np.float32], config: VadConfig) -> list[tuple[float, float]]:
    """Start and end of each stretch of speech in seconds, in order and apart.

    Speech begins at a frame of ``threshold`` and ends at the first frame below ``exit_threshold`` that no frame of
    ``threshold`` follows within ``min_silence_s``. The last end may lie up to a frame behind the end of the sound.
    """
    raw: list[tuple[float, float]] = []
    start: float | None = None
    end: float | None = None  # where the speech ends, unless it comes back soon enough
    for i, probability in enumerate(probabilities.tolist()):
        now = i * FRAME_S
        if probability >= config.threshold:
            start, end = (now if start is None else start), None
        elif probability < config.exit_threshold and start is not None:
            end = now if end is None else end
            if now - end >= config.min_silence_s:
                raw.append((start, end))
                start = end = None
    if start is not None:
        raw.append((start, len(probabilities) * FRAME_S))
    return _padded([span for span in raw if span[1] - span[0] > config.min_speech_s], len(probabilities), config.pad_s)


def _padded(spans: list[tuple[float, float]], frames: int, pad_s: float) -> list[tuple[float, float]]:
    """``spans`` longer by ``pad_s`` on each side; neighbours share a gap that is too short for both."""
    starts, ends = [], []
    for i, (start, end) in enumerate(spans):
        before = start - spans[i - 1][1] if i else 2 * start  # nobody shares the silence before the first
        after = spans[i + 1][0] - end if i + 1 < len(spans) else 2 * (frames * FRAME_S - end)
        starts.append(start - min(pad_s, before / 2))
        ends.append(end + min(pad_s, after / 2))
    return list(zip(starts, ends, strict=True))


def _frames(blocks: Iterator[Wave]) -> Iterator[Wave]:
    """``blocks`` of one sound as frames [frames, FRAME]; what is left of a block goes to the next."""
    rest = np.zeros(0, np.float32)
    for block in blocks:
        rest = np.concatenate([rest, block])
        whole = len(rest) // FRAME * FRAME
        if whole:
            yield rest[:whole].reshape(-1, FRAME)
        rest = rest[whole:]
    if len(rest):
        yield np.pad(rest, (0, FRAME - len(rest)))[None]
