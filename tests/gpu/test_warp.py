"""The warp of mels on a GPU."""

import pytest
import torch

from triforce_tts.audio.warp import WarpSettings, draw_warp, warp_mel


@pytest.mark.gpu
def test_a_gpu_bends_as_a_cpu_does() -> None:
    rng = torch.Generator().manual_seed(0)
    lengths = torch.tensor([200, 137, 1, 0])
    moves = torch.stack([draw_warp(WarpSettings(time=0.9, bands=0.9), rng) for _ in lengths])
    found = {}
    for device in ("cpu", "cuda"):
        mel = torch.randn(4, 200, 80, generator=torch.Generator().manual_seed(1)).to(device).requires_grad_()
        given = moves.to(device).requires_grad_()
        bent = warp_mel(mel, lengths.to(device), given)
        bent.square().sum().backward()
        found[device] = [bent.detach().cpu(), *(x.grad.cpu() for x in (mel, given) if x.grad is not None)]
    for on_cpu, on_gpu in zip(found["cpu"], found["cuda"], strict=True):
        torch.testing.assert_close(on_gpu, on_cpu, rtol=1e-4, atol=1e-4)
