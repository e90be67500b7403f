"""Finds when each word of a segment is spoken, so that a GPT can read each word at its place among the codes."""

from collections.abc import Sequence

import torch

from triforce_tts.audio.io import Audio
from triforce_tts.judges.align import MODEL_RATE, aligner
from triforce_tts.schema import Config
from triforce_tts.text import alignment

from ..common.segments import Segment, Sound

UNALIGNED = "words do not fit the sound"


class AlignConfig(Config):
    """Whether words are aligned, and what happens to a segment whose words cannot be aligned.

    Nobody has checked the text of a raw recording. If its words cannot be aligned, some are wrong or are not spoken. A
    GPT that learns from such a segment says words that are not written, so the segment is dropped.
    """

    enabled: bool = True
    drop: bool = True  # drop a segment whose words cannot be aligned; False keeps it without the times of its words


def place_words(sound: Sound, segments: Sequence[Segment], config: AlignConfig) -> None:
    """Add the detail ``alignment`` to each kept segment with a text; see ``triforce_tts.text.alignment``."""
    if not config.enabled:
        return
    for segment in segments:
        if segment.kept and segment.text:
            wave = sound.read(segment.start_s, segment.end_s, MODEL_RATE)
            words = aligner()(Audio(torch.from_numpy(wave), MODEL_RATE), segment.text)
            if words is not None:
                segment.details[alignment.KEY] = words
            elif config.drop:
                segment.drop(UNALIGNED)
