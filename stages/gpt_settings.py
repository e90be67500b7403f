"""The settings of stage 2: how samples become sequences, the network, and the run."""

import math
from typing import Annotated

from pydantic import Field, model_validator

from triforce_tts.models.gpt import GPTConfig
from triforce_tts.schema import Config

from .settings import Count, DataSettings, RunSettings, Share, Weight

VoiceSeconds = Annotated[float, Field(gt=0, le=60, allow_inf_nan=False)]


class SequenceSettings(DataSettings):
    """How samples become sequences."""

    mixture: tuple[Share, Share, Share, Share] = (0.8, 0.15, 0.0, 0.05)  # of speak, listen, speech, text
    voice_seconds: tuple[VoiceSeconds, VoiceSeconds]  # shortest and longest voice prompt
    letters_share: Share = 0.1  # of words that are spelled although the lexicon knows them
    text_weight: Weight = 0.01  # of text tokens in 'speak' (Betker's value; text is easier than speech)
    reads: bool = False  # speech whose alignment is known carries its text in place; needs shards built with --align
    plain_share: Share = 0.1  # of aligned samples that are spoken without, for the score of speech given text
    speech_weight: Weight = 0.2  # of speech tokens in 'listen'
    guide_weight: Weight = 0.0  # of the guided-attention loss beside a speech token's; 0: none
    guide_layers: tuple[Count, ...] = ()  # whose first head is guided along the text
    # How far from the diagonal a guided head may look free of charge, share of the text.
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
