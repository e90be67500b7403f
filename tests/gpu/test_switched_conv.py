"""Switched convolutions on a GPU, by the operators of ``csrc`` where they were built for it, against float64 on the CPU."""

import pytest
import torch

from triforce_tts.models.switched_conv import SwitchedConv1d, SwitchedConv2d
from triforce_tts.switched_op import is_native, switched_conv, switched_conv_reference

pytestmark = [pytest.mark.gpu, pytest.mark.filterwarnings("ignore:the native operators are not built")]
TOLERANCES = {torch.float32: 1e-5, torch.bfloat16: 2**-7, torch.float16: 2**-9}  # shares of the largest number
# Batch, channels, outputs, breadth, positions, kernel, stride, padding, dilation.
SHAPES = [
    (16, 256, 256, 8, (125,), (3,), (1,), (1,), (1,)),
    (3, 31, 12, 5, (113,), (5,), (2,), (3,), (2,)),
    (2, 64, 96, 4, (33, 40), (3, 3), (1, 1), (1, 1), (1, 1)),
    (2, 7, 3, 70, (11, 6), (5, 3), (2, 1), (2, 3), (1, 2)),
]


def test_the_operators_were_built_for_this_gpu() -> None:
    """Without nvcc the reference serves: then this test says so, and the others test the reference."""
    if not is_native("cuda", torch.float32):
        pytest.skip("the operators of GPUs were not built ('make ext')")


@pytest.mark.parametrize("dtype", list(TOLERANCES), ids=str)
@pytest.mark.parametrize("shape", SHAPES, ids=["line", "odd line", "picture", "odd picture"])
@pytest.mark.parametrize("one", [False, True], ids=["all kernels", "one kernel"])
def test_it_computes_what_the_reference_computes(shape: tuple, dtype: torch.dtype, one: bool, exact: None) -> None:
    batch, channels, outputs, breadth, size, kernel, *geometry = shape
    rng = torch.Generator().manual_seed(0)
    x, weight, bias = (
        torch.randn(sizes, generator=rng).to(dtype).cuda().requires_grad_()
        for sizes in ((batch, channels, *size), (breadth, outputs, *kernel, channels), (outputs,))
    )
    places = [(n + 2 * p - d * (k - 1) - 1) // s + 1 for n, k, s, p, d in zip(size, kernel, *geometry, strict=True)]
    index = torch.full((batch, *places), 2) if one else torch.randint(breadth, (batch, *places), generator=rng)
    grad = torch.randn(batch, outputs, *places, generator=rng).to(dtype).cuda()

    def found() -> list[torch.Tensor]:
        y = switched_conv(x, weight, bias, index.cuda(), *geometry)
        return [y.detach(), *torch.autograd.grad(y, (x, weight, bias), grad)]

    first = found()
    leaves = [tensor.detach().double().cpu().requires_grad_() for tensor in (x, weight, bias)]
    y = switched_conv_reference(*leaves, index, *geometry)
    expected = [y.detach(), *torch.autograd.grad(y, leaves, grad.double().cpu())]
    for own, other in zip(first, expected, strict=True):
        assert (own.double().cpu() - other).abs().max() <= TOLERANCES[dtype] * other.abs().max()
    if is_native("cuda", dtype):
        assert all(torch.equal(one, other) for one, other in zip(first, found(), strict=True))


@pytest.mark.parametrize("kind", [SwitchedConv1d, SwitchedConv2d])
def test_a_layer_trains_and_is_compiled_as_one_graph(kind: type[SwitchedConv1d]) -> None:
    layer = kind(16, 24, 3, 4, padding=1, selector="conv", dropout=0.1, uses=2).cuda()
    compiled = torch.compile(layer, backend="aot_eager", fullgraph=True)
    x = torch.randn(2, 16, *[20] * kind.dims, device="cuda")
    for _ in range(3):
        compiled(x).square().mean().backward()
    assert int(layer.norm.seen) == 3
    assert all(parameter.grad is not None and parameter.grad.isfinite().all() for parameter in layer.parameters())


def test_nothing_waits_for_the_device() -> None:
    layer = SwitchedConv1d(16, 24, 3, 4, padding=1, dropout=0.1, uses=2).cuda()
    x = torch.randn(2, 16, 50, device="cuda")
    layer(x).sum().backward()
    torch.cuda.set_sync_debug_mode("error")
    try:
        for _ in range(3):
            layer(x).sum().backward()
    finally:
        torch.cuda.set_sync_debug_mode("default")
