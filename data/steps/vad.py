"""Finds speech with silero-vad, and makes spans of its probabilities with two thresholds.

The wheel of silero-vad 6.2 (MIT) contains a form of the network that takes many frames in one call and gives exactly
the same numbers as one call for each frame. The input for a frame includes the last 64 samples of the frame before it.
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
_STATE = (1, 1, 128)  # the shape of the network's state: hidden and cell
_FILE = "data/silero_vad_16k_sequence.onnx"
_SHA256 = "9ccdacc4719d8aa7e45a77536bfabec45a03ba1f2fad5e241ab4060b24238a85"


class VadConfig(Config):
    """When sound counts as speech; the numbers are the defaults of silero-vad."""

    threshold: float = Field(default=0.5, gt=0, lt=1)  # speech begins at this probability
    exit_threshold: float = Field(default=0.35, ge=0, lt=1)  # speech ends below this probability
    min_speech_s: float = Field(default=0.25, ge=0)  # shorter speech is a click or a cough
    min_silence_s: float = Field(default=0.1, ge=0)  # shorter silence is the closure of a consonant
    pad_s: float = Field(default=0.03, ge=0)  # added on each side of the speech, because words begin and end softly
    block_seconds: float = Field(default=32.0, gt=0)  # the sound in one call; limits the memory, changes no result

    @model_validator(mode="after")
    def _ends_below_its_start(self) -> "VadConfig":
        if self.exit_threshold > self.threshold:
            raise ValueError(f"exit_threshold must not exceed threshold, found {self.exit_threshold}, {self.threshold}")
        return self


def speech_probabilities(sound: Sound, config: VadConfig) -> npt.NDArray[np.float32]:
    """The probability of speech in each frame of ``FRAME_S`` seconds, [frames]; the last frame is filled with silence.

    Raises:
        TriforceError: the network is missing or has a wrong checksum.
    """
    network = session("silero_vad", _FILE, _SHA256)
    hidden = cell = np.zeros(_STATE, np.float32)
    context = np.zeros(_CONTEXT, np.float32)
    blocks = []
    for frames in _frames(sound.blocks(config.block_seconds, ANALYSIS_RATE)):
        before = np.concatenate([context[None], frames[:-1, -_CONTEXT:]])
        context = frames[-1, -_CONTEXT:]
        inputs = {"input": np.concatenate([before, frames], axis=1), "h": hidden, "c": cell}
        probabilities, hidden, cell = network.run(["speech_probs", "hn", "cn"], inputs)
        blocks.append(probabilities.reshape(-1))
    return np.concatenate(blocks) if blocks else np.zeros(0, np.float32)


def speech_spans(probabilities: npt.NDArray[np.float32], config: VadConfig) -> list[tuple[float, float]]:
    """The start and the end of each stretch of speech in seconds, in order and without overlaps.

    Speech begins at a frame with a probability of ``threshold`` or more. It ends at the first frame below
    ``exit_threshold`` that is not followed by a frame of ``threshold`` or more within ``min_silence_s``. The last end
    may lie behind the end of the sound by up to a frame.
    """
    raw: list[tuple[float, float]] = []
    start: float | None = None
    end: float | None = None  # the speech ends here unless it goes on soon enough
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
    """``spans`` with ``pad_s`` added on each side; two spans divide a gap that is too short for both."""
    starts, ends = [], []
    for i, (start, end) in enumerate(spans):
        before = start - spans[i - 1][1] if i else 2 * start  # the first span has all of the silence before it
        after = spans[i + 1][0] - end if i + 1 < len(spans) else 2 * (frames * FRAME_S - end)
        starts.append(start - min(pad_s, before / 2))
        ends.append(end + min(pad_s, after / 2))
    return list(zip(starts, ends, strict=True))


def _frames(blocks: Iterator[Wave]) -> Iterator[Wave]:
    """``blocks`` of one sound as frames [frames, FRAME]; the rest of a block is joined with the next block."""
    rest = np.zeros(0, np.float32)
    for block in blocks:
        rest = np.concatenate([rest, block])
        whole = len(rest) // FRAME * FRAME
        if whole:
            yield rest[:whole].reshape(-1, FRAME)
        rest = rest[whole:]
    if len(rest):
        yield np.pad(rest, (0, FRAME - len(rest)))[None]
