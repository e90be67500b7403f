"""The CUDA kernels of switched convolutions, run on a CPU by a small stand-in for what CUDA offers.

This shows that their arithmetic and their addresses are right, not that a GPU runs them: for that, ``tests/gpu``.
"""

import ctypes
import shutil
import subprocess
from pathlib import Path

import pytest
import torch

from triforce_tts.switched_op import switched_conv_reference

HERE = Path(__file__).parent
EXACT, TF32, BFLOAT16 = 0, 1, 3  # the numbers of switched_cuda::Kind
# The largest error, as a share of the largest number: float32 keeps 24 bits, TF32 11 and bfloat16 8.
TOLERANCES = {EXACT: 1e-5, TF32: 2e-3, BFLOAT16: 2**-7}
# Batch, channels, outputs, breadth; then height and width of the input, the kernel, stride, padding, dilation.
SHAPES = {
    "a line": ((2, 16, 24, 3), (1, 90), (1, 3), (1, 1), (0, 1), (1, 1)),
    "odd channels": ((2, 5, 7, 4), (1, 50), (1, 5), (1, 2), (0, 3), (1, 2)),
    "a picture": ((2, 8, 72, 2), (9, 11), (3, 3), (1, 1), (1, 1), (1, 1)),
    "an odd picture": ((1, 3, 66, 5), (12, 7), (5, 3), (2, 1), (2, 3), (1, 2)),
    "many columns": ((1, 80, 8, 2), (1, 70), (1, 3), (1, 1), (0, 1), (1, 1)),
    "one position": ((1, 4, 4, 3), (1, 1), (1, 3), (1, 1), (0, 1), (1, 1)),
    "blocks of the sort": ((3, 2, 2, 3), (30, 30), (1, 1), (1, 1), (0, 0), (1, 1)),
}


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    compiler = shutil.which("c++")
    if compiler is None:
        pytest.skip("there is no C++ compiler")
    target = tmp_path_factory.mktemp("cuda") / "kernels.so"
    words = [compiler, "-std=c++17", "-O1", "-shared", "-fPIC", "-w", f"-I{HERE}", str(HERE / "switched_conv_cuda.cpp")]
    subprocess.run([*words, "-o", str(target)], check=True, timeout=300)
    return ctypes.CDLL(str(target))


def run(library: ctypes.CDLL, name: str, kind: int, index: torch.Tensor | None = None) -> None:
    (batch, channels, outputs, breadth), size, kernel, stride, padding, dilation = SHAPES[name]
    places = [(size[i] + 2 * padding[i] - dilation[i] * (kernel[i] - 1) - 1) // stride[i] + 1 for i in range(2)]
    dtype = torch.bfloat16 if kind == BFLOAT16 else torch.float32
    rng = torch.Generator().manual_seed(0)
    x, weight, grad, bias = (
        torch.randn(shape, generator=rng).to(dtype)
        for shape in (
            (batch, *size, channels),
            (breadth, outputs, *kernel, channels),
            (batch, *places, outputs),
            (outputs,),
        )
    )
    bias = bias.float()
    if index is None:
        index = torch.randint(breadth, (batch, *places), generator=rng)
        index[0] = index[0].clamp_max(max(0, breadth - 2))  # kernels are used unequally
    y, dw = torch.full_like(grad, torch.nan), torch.full_like(weight, torch.nan)
    dx, order = torch.zeros(x.shape), torch.empty(index.numel(), dtype=torch.int32)
    starts = torch.empty(breadth + 1, dtype=torch.int32)
    sizes = torch.tensor([batch, channels, outputs, breadth, *size, *kernel, *places, *stride, *padding, *dilation])
    tensors = (x, weight, bias, index, grad, starts, order, y, dx, dw)
    pointers = [ctypes.c_void_p(tensor.data_ptr()) for tensor in tensors]
    library.switched_conv(ctypes.c_void_p(sizes.data_ptr()), kind, *pointers)

    assert order.tolist() == index.flatten().sort(stable=True).indices.tolist()
    assert starts.tolist() == [0, *index.flatten().bincount(minlength=breadth).cumsum(0).tolist()]
    exact_x, exact_weight = x.double().movedim(-1, 1).requires_grad_(), weight.double().requires_grad_()
    exact = switched_conv_reference(exact_x, exact_weight, bias.double(), index, stride, padding, dilation)
    exact_dx, exact_dw = torch.autograd.grad(exact, (exact_x, exact_weight), grad.double().movedim(-1, 1))
    for found, expected in ((y.movedim(-1, 1), exact.detach()), (dx.movedim(-1, 1), exact_dx), (dw, exact_dw)):
        assert (found.double() - expected).abs().max() <= TOLERANCES[kind] * expected.abs().max().clamp_min(1e-6)


@pytest.mark.parametrize("kind", [EXACT, TF32, BFLOAT16], ids=["exact", "tf32", "bf16"])
@pytest.mark.parametrize("name", list(SHAPES))
def test_the_kernels_compute_what_the_reference_computes(library: ctypes.CDLL, name: str, kind: int) -> None:
    run(library, name, kind)


def test_all_positions_may_choose_one_kernel(library: ctypes.CDLL) -> None:
    run(library, "a line", BFLOAT16, torch.full((2, 1, 90), 2))
