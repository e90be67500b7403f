import pytest
import torch
from torch import nn

from triforce_tts.audio.mel import AudioConfig
from triforce_tts.errors import ConfigError
from triforce_tts.models.diffusion import Diffusion
from triforce_tts.models.dvae import DVAE, DVAEConfig
from triforce_tts.models.gpt import GPT, RMSNorm
from triforce_tts.schema import parse

pytestmark = pytest.mark.usefixtures("one_thread")

LENGTHS = (40, 37, 22, 9, 4, 1)  # frames; most of these lengths are no multiple of the downsampling


@pytest.fixture
def clips() -> list[torch.Tensor]:
    rng = torch.Generator().manual_seed(0)
    return [torch.randn(length, 20, generator=rng) for length in LENGTHS]


def batched(clips: list[torch.Tensor], filler: float = 0.0, extra: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """The clips are padded on the right with ``filler``, to ``extra`` frames more than the longest clip."""
    lengths = torch.tensor([len(clip) for clip in clips])
    mel = torch.full((len(clips), int(lengths.max()) + extra, clips[0].shape[1]), filler)
    for row, clip in zip(mel, clips, strict=True):
        row[: len(clip)] = clip
    return mel, lengths


@torch.no_grad()
def test_batched_codes_and_mels_are_those_of_each_clip_alone(tiny_dvae: DVAE, clips: list[torch.Tensor]) -> None:
    mel, lengths = batched(clips)
    codes = tiny_dvae.encode(mel, lengths)
    decoded = tiny_dvae.decode(codes, lengths)
    rebuilt, forward_codes, _ = tiny_dvae(mel, lengths)
    assert torch.equal(codes, forward_codes)
    assert len(codes.unique()) > 20
    for row, clip in enumerate(clips):
        alone = tiny_dvae.encode(clip[None])
        n_codes = -(-len(clip) // 4)
        assert alone.shape == (1, n_codes, 2)
        assert torch.equal(codes[row, :n_codes], alone[0])
        heard = tiny_dvae.decode(alone, torch.tensor([len(clip)]))[0, : len(clip)]
        assert heard.std() > 0.1
        assert torch.allclose(decoded[row, : len(clip)], heard, atol=1e-5)
        assert torch.allclose(rebuilt[row, : len(clip)], heard, atol=1e-5)


@torch.no_grad()
@pytest.mark.parametrize("extra", [0, 1, 3, 50])
def test_what_lies_past_the_end_changes_nothing(tiny_dvae: DVAE, clips: list[torch.Tensor], extra: int) -> None:
    clean, lengths = batched(clips)
    noisy, _ = batched(clips, filler=100.0, extra=extra)
    n_codes = tiny_dvae.code_lengths(lengths).tolist()
    codes, noisy_codes = tiny_dvae.encode(clean, lengths), tiny_dvae.encode(noisy, lengths)
    rebuilt, noisy_rebuilt = tiny_dvae(clean, lengths)[0], tiny_dvae(noisy, lengths)[0]
    other = noisy_codes.clone()
    for row, count in enumerate(n_codes):
        assert torch.equal(codes[row, :count], noisy_codes[row, :count])
        assert torch.allclose(rebuilt[row, : LENGTHS[row]], noisy_rebuilt[row, : LENGTHS[row]], atol=1e-5)
        other[row, count:] = 59
    first, second = tiny_dvae.decode(noisy_codes, lengths), tiny_dvae.decode(other, lengths)
    assert torch.equal(first, second)
    for row, length in enumerate(LENGTHS):
        assert first[row, length:].abs().sum() == 0


@torch.no_grad()
def test_decoding_the_codes_is_the_reconstruction(tiny_dvae: DVAE, clips: list[torch.Tensor]) -> None:
    for clip in clips:
        lengths = torch.tensor([len(clip)])
        rebuilt, codes, _ = tiny_dvae(clip[None], lengths)
        assert rebuilt.shape == (1, *clip.shape)
        decoded = tiny_dvae.decode(codes, lengths)
        assert decoded.shape[1] == 4 * codes.shape[1]
        assert torch.allclose(decoded[:, : len(clip)], rebuilt, atol=1e-5)


@torch.no_grad()
def test_a_length_counts_as_its_last_started_group(tiny_dvae: DVAE, clips: list[torch.Tensor]) -> None:
    """The frames that complete the last group are zeros, whether the caller or the network adds them."""
    lengths = torch.tensor([1, 4, 5, 37, 40])
    assert tiny_dvae.code_lengths(lengths).tolist() == [1, 1, 2, 10, 10]
    padded = torch.nn.functional.pad(clips[1], (0, 0, 0, 3))[None]
    assert torch.equal(tiny_dvae.encode(clips[1][None]), tiny_dvae.encode(padded, torch.tensor([37])))


@torch.no_grad()
@pytest.mark.parametrize("length", [37, 38, 5, 1])
def test_the_frames_of_a_started_group_are_heard(tiny_dvae: DVAE, length: int) -> None:
    rng = torch.Generator().manual_seed(length)
    mel = torch.randn(1, length, 20, generator=rng)
    codes, decoded = tiny_dvae.encode(mel), tiny_dvae(mel, torch.tensor([length]))[0]
    heard = set()
    for _ in range(10):
        louder = mel.clone()
        louder[:, -1] += 20 * torch.randn(20, generator=rng)
        heard.add(tuple(tiny_dvae.encode(louder)[0, -1].tolist()))
    assert len(heard) > 2
    assert codes.shape[1] == -(-length // 4)
    assert decoded[0, -1].abs().max() > 0.01


@torch.no_grad()
def test_a_code_depends_on_its_receptive_field_alone(tiny_dvae: DVAE) -> None:
    """The reach of a code in mel frames, layer by layer, is 1 + 1 + 2 + 2 + 4 + 4 = 14, and 3 in its own group of 4."""
    rng = torch.Generator().manual_seed(0)
    mel = torch.randn(1, 160, 20, generator=rng)
    before = tiny_dvae.encode(mel)[0]
    changed = torch.zeros(len(before), dtype=torch.long)
    for frame in (0, 3, 70, 81, 99, 159):
        for _ in range(20):
            louder = mel.clone()
            louder[:, frame] += 20 * torch.randn(20, generator=rng)
            differs = (tiny_dvae.encode(louder)[0] != before).any(-1)
            distance = (4 * torch.arange(len(before)) + 1.5 - frame).abs()
            assert not differs[distance > 16].any()
            changed += differs
    assert changed.max() > 0


@torch.no_grad()
def test_a_decoded_frame_depends_on_the_codes_around_it(tiny_dvae: DVAE) -> None:
    codes = torch.randint(0, 60, (1, 40, 2), generator=torch.Generator().manual_seed(0))
    other = codes.clone()
    other[:, 20] = (codes[:, 20] + 17) % 60
    difference = (tiny_dvae.decode(codes) - tiny_dvae.decode(other))[0].abs().amax(-1)
    near = (torch.arange(160) - 81.5).abs() <= 16
    assert difference[near].max() > 0.01
    assert difference[~near].max() == 0


@torch.no_grad()
def test_each_group_says_something(tiny_dvae: DVAE) -> None:
    codes = torch.zeros(1, 6, 2, dtype=torch.long)
    first, second = codes.clone(), codes.clone()
    first[..., 0], second[..., 1] = 30, 30
    silent, one, two = (tiny_dvae.decode(x) for x in (codes, first, second))
    assert min((one - silent).abs().max(), (two - silent).abs().max(), (one - two).abs().max()) > 0.01


def test_training_reaches_every_weight(tiny_dvae: DVAE, clips: list[torch.Tensor]) -> None:
    mel, lengths = batched(clips)
    tiny_dvae(mel, lengths)[0].square().mean().backward()
    for name, parameter in tiny_dvae.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().max() > 0, name


def test_no_network_normalises_over_time_or_over_the_batch(
    tiny_dvae: DVAE, tiny_gpt: GPT, tiny_diffusion: Diffusion
) -> None:
    widths = {16, 32, 8}
    for network in (tiny_dvae, tiny_gpt, tiny_diffusion):
        norms = [m for m in network.modules() if "norm" in type(m).__name__.lower()]
        assert norms
        for norm in norms:
            assert type(norm) in (nn.LayerNorm, RMSNorm), type(norm)
            shape = tuple(norm.normalized_shape if isinstance(norm, nn.LayerNorm) else norm.weight.shape)
            assert len(shape) == 1
            assert shape[0] in widths
        assert not list(network.buffers()) or isinstance(network, DVAE)
    assert {name.rpartition(".")[2] for name, _ in tiny_dvae.named_buffers()} == {"_levels", "_basis"}


@torch.no_grad()
@pytest.mark.parametrize("downsampling", [1, 2, 8])
def test_other_downsamplings(tiny_audio: AudioConfig, downsampling: int) -> None:
    torch.manual_seed(0)
    config = DVAEConfig(channels=8, downsampling=downsampling, levels=(5, 5), groups=3, blocks=1)
    network = DVAE(config, tiny_audio.n_mels).eval()
    mel = torch.randn(2, 13, tiny_audio.n_mels)
    codes = network.encode(mel, torch.tensor([13, 5]))
    assert codes.shape == (2, -(-13 // downsampling), 3)
    alone = network.encode(mel[1:, :5])
    assert torch.equal(codes[1, : alone.shape[1]], alone[0])
    assert network.decode(codes).shape == (2, codes.shape[1] * downsampling, tiny_audio.n_mels)
    assert network(mel, torch.tensor([13, 5]))[0].shape == mel.shape


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"downsampling": 3}, "power of two, found 3"),
        ({"downsampling": 0}, "power of two, found 0"),
        ({"levels": []}, "levels must be"),
        ({"levels": [5, 1]}, "levels must be"),
        ({"levels": [5, 2]}, "levels must be"),
    ],
)
def test_impossible_sizes_are_refused(changes: dict[str, object], message: str) -> None:
    sizes = {"channels": 8, "downsampling": 4, "levels": [5, 5], "groups": 2, "blocks": 1}
    assert parse(DVAEConfig, sizes, "here").n_codes == 25
    with pytest.raises(ConfigError, match=message):
        parse(DVAEConfig, {**sizes, **changes}, "here")
