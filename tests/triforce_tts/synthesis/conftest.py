"""Models in memory with random networks: they speak noise, but every part of them has an effect."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from tests.conftest import scrambled
from triforce_tts.audio.mel import AudioConfig
from triforce_tts.models.dvae import DVAE
from triforce_tts.models.gpt import GPT, GPTConfig
from triforce_tts.models.targets import DiffusionConfig
from triforce_tts.models.upsampler import Upsampler, make_upsampler
from triforce_tts.sequences import Vocabulary, VocabularyConfig
from triforce_tts.synthesis.model import Model
from triforce_tts.synthesis.script import SpeakingLimits
from triforce_tts.text.tokenizer import TextTokenizer
from triforce_tts.voices import Voice

MakeModel = Callable[[str, bool], Model]
TARGETS = {
    "magnitude": DiffusionConfig(
        target="magnitude", channels=16, hidden=32, blocks=2, kernel_size=5, reference_channels=8
    ),
    "complex": DiffusionConfig(
        target="complex", channels=16, hidden=32, blocks=2, kernel_size=5, reference_channels=8, bands=3, band_overlap=2
    ),
    "source": DiffusionConfig(
        target="source",
        channels=16,
        hidden=32,
        blocks=2,
        kernel_size=5,
        reference_channels=8,
        pitch_channels=8,
        pitch_blocks=1,
    ),
}


@pytest.fixture
def make_model(tiny_audio: AudioConfig, tiny_dvae: DVAE) -> MakeModel:
    """A model whose stage 3 has the given target, and whose GPT reads the text in place or does not."""

    def make(target: str, reads: bool) -> Model:
        tokenizer = TextTokenizer()
        sizes = VocabularyConfig(n_text=tokenizer.size, n_codes=tiny_dvae.config.n_codes, groups=2, reads=reads)
        vocabulary = Vocabulary(sizes)
        gpt = scrambled(GPT(GPTConfig(layers=2, dim=32, heads=4, hidden=48, max_tokens=400), vocabulary.size))
        diffusion = scrambled(make_upsampler(TARGETS[target], tiny_audio))
        assert isinstance(gpt, GPT)
        assert isinstance(diffusion, Upsampler)
        if target == "source":  # Wild filters make loud sounds, in which roundings are loud too.
            with torch.no_grad():
                diffusion.project_out.weight *= 0.2
                diffusion.project_out.bias *= 0.2
        limits = SpeakingLimits(longest_symbol_s=0.2)
        return Model(
            Path("tiny"), torch.device("cpu"), "tiny", "0", 1, tiny_audio, tiny_dvae, gpt, diffusion, tokenizer,
            vocabulary, limits, 0.5, 15.0,
        )  # fmt: skip

    return make


@pytest.fixture
def voice(tiny_audio: AudioConfig) -> Voice:
    rng = torch.Generator().manual_seed(5)
    codes, speaker = torch.randint(0, 60, (10, 2), generator=rng), torch.randn(1, 8, generator=rng)
    return Voice("someone", codes, speaker, torch.linspace(-0.4, 0.4, tiny_audio.n_mels))
