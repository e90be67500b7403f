"""Fixtures that several tests share."""

import gc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from torch import nn

from triforce_tts.audio.mel import AudioConfig
from triforce_tts.models.diffusion import Diffusion
from triforce_tts.models.dvae import DVAE, DVAEConfig
from triforce_tts.models.gpt import GPT, GPTConfig
from triforce_tts.models.targets import DiffusionConfig
from triforce_tts.sequences import Vocabulary, VocabularyConfig


def pytest_collection_finish() -> None:
    """Keep what was imported out of the garbage collector, which would visit all of it again and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder of hardly trained tiny networks; tests may read it and must not write to it."""
    from tests.corpus import tiny_model

    return tiny_model(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Shards with an odd number of training samples, their codes, and the DVAE of the codes.

    Tests must not write to them.
    """
    from tests.corpus import babble_shards, coded_shards, trained_dvae

    folder = tmp_path_factory.mktemp("corpus")
    shards = babble_shards(folder / "shards", 12)
    dvae = trained_dvae(folder / "dvae", shards, steps=5)
    return {"shards": shards, "dvae": dvae, "codes": coded_shards(folder / "codes", shards, dvae)}


@pytest.fixture
def ray_cluster() -> Iterator[None]:
    """A Ray cluster of two workers on this machine; if it cannot be started, the test is skipped with the reason."""
    ray = pytest.importorskip("ray")
    try:
        ray.init(
            num_cpus=2, include_dashboard=False, log_to_driver=False, object_store_memory=100_000_000, namespace="test"
        )
    except (OSError, RuntimeError, ValueError) as error:  # the machine has no shared memory or forbids sockets
        ray.shutdown()
        pytest.skip(f"no Ray cluster can be started here: {error}")
    yield
    ray.shutdown()


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Use one thread, because for tiny tensors it takes longer to divide the work between threads than to do it."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def computed_again(
    compute: Callable[..., torch.Tensor], inputs: tuple[torch.Tensor, ...]
) -> tuple[torch.Tensor, Callable[[], None]]:
    """What ``record`` gives, without a GPU: it computes anew from the same places, into the same place."""
    answer = compute(*inputs)

    def replay() -> None:
        answer.copy_(compute(*inputs))

    return answer, replay


def scrambled(network: nn.Module, seed: int = 0) -> nn.Module:
    """``network`` in eval mode with larger weights, because in a new network some parts have nearly no effect."""
    rng = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in sorted(network.named_parameters()):
            if parameter.ndim == 1 and name.endswith("weight"):
                parameter.copy_(1.0 + 0.2 * torch.randn(parameter.shape, generator=rng))
            else:
                fan_in = parameter[0].numel() if parameter.ndim > 1 else 25
                parameter.copy_(torch.randn(parameter.shape, generator=rng) / fan_in**0.5)
    return network.eval()


@pytest.fixture(scope="session")
def tiny_audio() -> AudioConfig:
    return AudioConfig(sample_rate=8000, n_fft=256, hop_length=64, n_mels=20)


@pytest.fixture
def tiny_dvae(tiny_audio: AudioConfig) -> DVAE:
    config = DVAEConfig(channels=16, downsampling=4, levels=(5, 4, 3), groups=2, blocks=1)
    network = scrambled(DVAE(config, tiny_audio.n_mels))
    assert isinstance(network, DVAE)
    return network


@pytest.fixture
def tiny_diffusion(tiny_audio: AudioConfig) -> Diffusion:
    config = DiffusionConfig(target="magnitude", channels=16, hidden=32, blocks=2, kernel_size=5, reference_channels=8)
    network = scrambled(Diffusion(config, tiny_audio))
    assert isinstance(network, Diffusion)
    return network


@pytest.fixture(scope="session")
def tiny_vocabulary() -> Vocabulary:
    return Vocabulary(VocabularyConfig(n_text=6, n_codes=8, groups=2))


@pytest.fixture
def tiny_gpt(tiny_vocabulary: Vocabulary) -> GPT:
    config = GPTConfig(layers=2, dim=32, heads=4, hidden=48, max_tokens=64)
    network = scrambled(GPT(config, tiny_vocabulary.size))
    assert isinstance(network, GPT)
    return network


@pytest.fixture(scope="session")
def vowels() -> torch.Tensor:
    """1.5 s of sound at 8 kHz with a spectrogram like that of speech.

    A gliding pitch through two moving formants, and breath.
    """
    rng = torch.Generator().manual_seed(0)
    time = torch.arange(12000, dtype=torch.float64) / 8000
    pitch = 120 + 30 * torch.sin(2 * torch.pi * 0.8 * time)  # Hz
    phase = 2 * torch.pi * torch.cumsum(pitch, 0) / 8000
    formants = [500 + 250 * torch.sin(2 * torch.pi * 1.1 * time), 1500 + 500 * torch.cos(2 * torch.pi * 0.7 * time)]
    voiced = torch.zeros_like(time)
    for harmonic in range(1, 24):
        gain = sum(torch.exp(-(((harmonic * pitch - formant) / 200) ** 2)) for formant in formants)
        voiced += (gain + 0.02) / harmonic**0.5 * torch.sin(harmonic * phase)
    syllables = (0.5 - 0.5 * torch.cos(2 * torch.pi * 3 * time)) ** 0.5
    breath = 0.02 * torch.randn(time.shape, generator=rng, dtype=torch.float64)
    sound = voiced * syllables + breath
    return (0.5 * sound / sound.abs().max()).float()


def next_logits(network: GPT, ids: torch.Tensor, probe: dict[int, torch.Tensor] | None = None) -> torch.Tensor:
    """Logits [batch, steps, vocabulary] of the id after each step of ``ids``."""
    return network.logits(network.hidden(ids, probe=probe))
