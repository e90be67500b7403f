"""The DVAE: its quantiser against a library, and codes that depend on their receptive field alone."""

import pytest
import torch
from torch import nn
from vector_quantize_pytorch import FSQ

from triforce_tts.audio.mel import AudioConfig
from triforce_tts.models.diffusion import Diffusion, DiffusionConfig
from triforce_tts.models.dvae import DVAE, DVAEConfig
from triforce_tts.models.gpt import GPT, GPTConfig
from triforce_tts.models.quantizer import GroupedFSQ

CONFIG = DVAEConfig(channels=32, downsampling=4, levels=(8, 5, 5), groups=2, blocks=2)


@pytest.fixture(scope="module")
def dvae() -> DVAE:
    torch.manual_seed(0)
    return DVAE(CONFIG, 20).eval()


@pytest.mark.parametrize(("levels", "groups"), [((8, 5, 5, 5), 2), ((4, 4), 3), ((7, 5), 1)])
def test_the_quantiser_is_the_librarys(levels: tuple[int, ...], groups: int) -> None:
    ours = GroupedFSQ(24, levels, groups)
    theirs = FSQ(levels=list(levels), dim=24, num_codebooks=groups)
    theirs.project_in.load_state_dict(ours.project_in.state_dict())
    theirs.project_out.load_state_dict(ours.project_out.state_dict())
    x = 3 * torch.randn(2, 50, 24)
    out, codes = ours(x)
    expected, their_codes = theirs(x)
    assert torch.allclose(out, expected, atol=1e-6)
    assert torch.equal(codes, their_codes.reshape(codes.shape))
    assert codes.max() < ours.n_codes
    assert torch.allclose(ours.embed(codes), out, atol=1e-6)


def test_a_grid_by_hand() -> None:
    quantizer = GroupedFSQ(1, (3,), 1)
    z = torch.tensor([-9.0, -0.3, 0.0, 0.3, 9.0])
    assert quantizer.bound(z[:, None]).round().flatten().tolist() == [-1, 0, 0, 0, 1]
    even = GroupedFSQ(1, (4,), 1)
    assert sorted(set(even.bound(torch.linspace(-9, 9, 99)[:, None]).round().flatten().tolist())) == [-2, -1, 0, 1]


def test_gradients_pass_straight_through() -> None:
    quantizer = GroupedFSQ(6, (5, 5), 2)
    x = torch.randn(1, 4, 6, requires_grad=True)
    quantizer(x)[0].sum().backward()
    assert x.grad is not None
    assert (x.grad != 0).all()


def test_batched_is_alone_and_padding_changes_nothing(dvae: DVAE) -> None:
    mel = 5 * torch.randn(3, 41, 20)
    lengths = torch.tensor([41, 18, 7])
    with torch.inference_mode():
        codes = dvae.encode(mel, lengths)
        decoded = dvae.decode(codes, lengths)
        for row, length in enumerate(lengths.tolist()):
            alone = dvae.encode(mel[row : row + 1, :length])[0]
            assert torch.equal(codes[row, : len(alone)], alone)
            mine = dvae.decode(alone[None], torch.tensor([length]))[0, :length]
            assert torch.allclose(decoded[row, :length], mine, atol=1e-5)
            assert (decoded[row, length:] == 0).all()


def test_a_code_depends_on_its_receptive_field_alone(dvae: DVAE) -> None:
    mel = torch.randn(1, 400, 20)
    changed = mel.clone()
    changed[:, 300:] += 10
    with torch.inference_mode():
        before, after = dvae.encode(mel), dvae.encode(changed)
    assert torch.equal(before[:, :60], after[:, :60])
    assert not torch.equal(before[:, 75:], after[:, 75:])


def test_training_and_decoding_agree(dvae: DVAE) -> None:
    mel, lengths = torch.randn(2, 30, 20), torch.tensor([30, 21])
    with torch.inference_mode():
        decoded, codes = dvae(mel, lengths)
        assert torch.allclose(decoded, dvae.decode(codes, lengths)[:, :30], atol=1e-5)
        assert dvae.code_lengths(lengths).tolist() == [8, 6]


def test_no_network_normalises_over_the_batch_or_over_time() -> None:
    audio = AudioConfig(sample_rate=8000, n_fft=512, hop_length=128, n_mels=20)
    diffusion = DiffusionConfig(
        target="magnitude", channels=16, hidden=32, blocks=2, kernel_size=7, reference_channels=8
    )
    gpt = GPTConfig(layers=1, dim=16, heads=2, hidden=32, max_tokens=64)
    forbidden = (
        nn.modules.batchnorm._BatchNorm,
        nn.modules.instancenorm._InstanceNorm,
        nn.GroupNorm,
        nn.LocalResponseNorm,
    )
    for network in (DVAE(CONFIG, 20), Diffusion(diffusion, audio), GPT(gpt, 99)):
        assert not [m for m in network.modules() if isinstance(m, forbidden)]
