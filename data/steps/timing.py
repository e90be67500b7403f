"""When each word of a segment is spoken: what the GPT needs to read a text in its place among the codes."""

from collections.abc import Sequence

import torch

from triforce_tts.audio.io import Audio
from triforce_tts.schema import Config
from triforce_tts.text import alignment

from ..common.align import MODEL_RATE, aligner
from ..common.segments import Segment, Sound

UNALIGNED = "words do not fit the sound"


class AlignConfig(Config):
    """Whether words are placed, and what becomes of a segment whose words cannot be.

    Nobody read a raw recording's text against its sound: words that find no place there are wrong, or too many. A GPT
    that learns from them says what is not written, so such a segment is dropped.
    """

    enabled: bool = True
    drop: bool = True  # a segment whose words cannot be placed; else it is kept without their times


def place_words(sound: Sound, segments: Sequence[Segment], config: AlignConfig) -> None:
    """Give each kept segment that has a text the detail ``alignment``; see ``triforce_tts.text.alignment``."""
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
