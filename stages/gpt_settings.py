"""The settings of stage 2: how samples become sequences, the network, and the run."""

import math
from typing import Annotated

from pydantic import Field, model_validator

from triforce_tts.models.gpt import GPTConfig
from triforce_tts.schema import Config

from .trainer.settings import Count, DataSettings, RunSettings, Share, Weight

VoiceSeconds = Annotated[float, Field(gt=0, le=60, allow_inf_nan=False)]


class SequenceSettings(DataSettings):
    """How samples become sequences."""

    # the shares of the kinds speak, listen, speech, text
    mixture: tuple[Share, Share, Share, Share] = (0.8, 0.15, 0.0, 0.05)
    voice_seconds: tuple[VoiceSeconds, VoiceSeconds]  # the shortest and the longest voice prompt
    # The share of voice prompts that are the end of the recording before, where the data holds recordings in their order:
    # the same reader and key, with a number one lower, as segments of a book have.
    previous_share: Share = 0.0
    letters_share: Share = 0.1  # the share of words that are spelled in letters although the lexicon has them
    # The weight of text tokens in 'speak' (Betker's value; text is easier than speech).
    text_weight: Weight = 0.01
    # Whether aligned speech carries its text in place; this needs shards that were built with --align.
    reads: bool = False
    # The share of aligned samples that are spoken without text in place, for the score of speech given text.
    plain_share: Share = 0.1
    speech_weight: Weight = 0.2  # the weight of speech tokens in 'listen'
    # The weight of the guided-attention loss, where a speech token has 1; 0: no guidance.
    guide_weight: Weight = 0.0
    guide_layers: tuple[Count, ...] = ()  # the layers whose first head is guided along the text
    # How far from the diagonal a guided head may look without a penalty, as a share of the text.
    guide_width: Annotated[float, Field(ge=1e-3, le=10, allow_inf_nan=False)] = 0.15

    @model_validator(mode="after")
    def _check(self) -> "SequenceSettings":
        if not math.isclose(sum(self.mixture), 1.0, abs_tol=1e-6):
            raise ValueError(f"mixture must be four shares that sum to 1, found {list(self.mixture)}")
        if self.voice_seconds[0] > self.voice_seconds[1]:
            raise ValueError(f"voice_seconds must be two rising lengths, found {list(self.voice_seconds)}")
        return self


class GPTSettings(Config):
    """The whole of ``configs/gpt/*.yaml``."""

    model: GPTConfig
    data: SequenceSettings
    run: RunSettings
