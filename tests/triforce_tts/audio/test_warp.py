from pathlib import Path

import pytest
import torch

from tests.training import trainer
from triforce_tts.audio.warp import KNOTS, WarpSettings, draw_warp, warp_mel

rng = torch.Generator().manual_seed(0)
MEL = torch.randn(3, 20, 7, generator=rng)
LENGTHS = torch.tensor([20, 13, 1])


def moves(batch: int, strength: float = 0.9) -> torch.Tensor:
    settings = WarpSettings(time=strength, bands=strength)
    return torch.stack([draw_warp(settings, torch.Generator().manual_seed(seed)) for seed in range(batch)])


def test_one_knot_by_hand() -> None:
    """Five frames and a knot in their middle that reads half of the way to the end: frames 0, 2, 4 read 0, 3, 4, and
    those between them the middle of their neighbours' places, 1.5 and 3.5."""
    mel = torch.tensor([0.0, 10.0, 20.0, 30.0, 70.0])[None, :, None].expand(1, 5, 2)
    bent = warp_mel(mel, torch.tensor([5]), torch.tensor([[[0.5], [0.0]]]))
    assert bent[0, :, 0].tolist() == pytest.approx([0, 15, 30, 50, 70])
    assert torch.equal(bent[..., 0], bent[..., 1])
    turned = warp_mel(mel[..., 0][:, None].expand(1, 3, 5), torch.tensor([3]), torch.tensor([[[0.0], [0.5]]]))
    assert turned[0, 1].tolist() == pytest.approx([0, 15, 30, 50, 70])


def test_without_moves_nothing_changes_but_the_padding() -> None:
    bent = warp_mel(MEL, LENGTHS, torch.zeros(3, 2, KNOTS))
    for item, length in enumerate(LENGTHS):
        assert torch.equal(bent[item, :length], MEL[item, :length])
        assert not bent[item, length:].any()


def test_the_padding_and_the_neighbours_of_an_utterance_change_nothing() -> None:
    drawn = moves(3)
    loud = MEL.clone()
    for item, length in enumerate(LENGTHS):
        loud[item, length:] = 1e9
    together = warp_mel(loud, LENGTHS, drawn)
    for item, length in enumerate(LENGTHS):
        alone = warp_mel(MEL[item : item + 1, :length], LENGTHS[item : item + 1], drawn[item : item + 1])
        torch.testing.assert_close(together[item, :length], alone[0], rtol=0, atol=1e-6)
        assert not together[item, length:].any()


@pytest.mark.parametrize("strength", [0.1, 0.9])
def test_time_goes_on_from_end_to_end(strength: float) -> None:
    """A mel that rises with time still does, from the same first value to the same last one."""
    rising = torch.arange(50.0)[None, :, None].expand(40, 50, 6).clone()
    bent = warp_mel(rising, torch.full((40,), 50), moves(40, strength))
    assert (bent.diff(dim=1) > 0).all()
    assert torch.equal(bent[:, 0], rising[:, 0])
    torch.testing.assert_close(bent[:, -1], rising[:, -1])
    furthest = float((bent - rising).abs().max())
    assert 0.3 * strength / 2 * 49 / (KNOTS + 1) < furthest <= strength / 2 * 49 / (KNOTS + 1) + 1e-3


def test_gradients() -> None:
    mel = MEL.double().requires_grad_()
    drawn = moves(3).double().requires_grad_()
    assert torch.autograd.gradcheck(lambda x, m: warp_mel(x, LENGTHS, m), (mel, drawn))


def test_nothing_is_drawn_for_no_warp() -> None:
    generator = torch.Generator().manual_seed(3)
    before = generator.get_state()
    assert draw_warp(WarpSettings(), generator).shape == (2, 0)
    assert torch.equal(generator.get_state(), before)
    assert draw_warp(WarpSettings(time=0.5), generator)[1].tolist() == [0.0] * KNOTS


def test_stage_1_trains_on_bent_mels(corpus: dict[str, Path], tmp_path: Path) -> None:
    plain = trainer("dvae", corpus, tmp_path / "plain").task
    bent = trainer("dvae", corpus, tmp_path / "bent", ["warp.time=0.9", "warp.bands=0.5"]).task
    batches = [
        task.collate([task.sample(index, torch.Generator().manual_seed(index)) for index in range(4)])
        for task in (plain, bent)
    ]
    assert torch.equal(batches[0].samples, batches[1].samples)
    assert batches[0].moves.shape == (4, 2, 0) and batches[1].moves.abs().max() > 0.1
    losses = [float(task.module(batch)[0].detach()) for task, batch in zip((plain, bent), batches, strict=True)]
    assert losses[0] != losses[1]
    still = batches[1].__class__(batches[1].samples, batches[1].lengths, torch.zeros(4, 2, KNOTS))
    assert float(plain.module(still)[0].detach()) == pytest.approx(losses[0], rel=1e-6)
