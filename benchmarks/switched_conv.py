"""Speed and memory of switched convolutions beside plain ones: ``python -m benchmarks.switched_conv``, on a GPU if there is one.

A row is one shape and one breadth. The plain convolution of the same shape, the native operator, the reference in
PyTorch and the whole layer (with the selector "pointwise" and its norm) take turns in one loop. A figure is the fastest
of the rounds, because other programs on the machine can only make a round slower. ``share`` is the plain convolution's time
over the operator's, and ``layer`` that over the whole layer's. ``reference`` is the reference's time over the operator's.
``memory`` is what the operator's forward and backward pass take at most beside their inputs, over what the plain
convolution takes so. On a GPU torch counts them; on a CPU the kernel of Linux tells the largest size of the process.

On a machine that other programs use, ``--clock cpu --threads 1`` counts the processor's time instead of the clock's.
The positions choose their kernels at random and equally often, which gives the shortest runs of one kernel.
"""

import argparse
import ctypes
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional as F

from benchmarks.train import table
from triforce_tts.models.switched_conv import SwitchedConv1d, SwitchedConv2d
from triforce_tts.switched_op import is_native, switched_conv, switched_conv_reference

BREADTHS = (1, 2, 4, 8, 16, 32, 64)
# With more kernels the reference is not measured, because it computes as many convolutions as there are kernels.
REFERENCE_BREADTH = 16
TYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
_PROCESS, _C = Path("/proc/self"), ctypes.CDLL(None)
CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}

Pass = Callable[[], torch.Tensor]


@dataclass(frozen=True)
class Shape:
    """A convolution without dilation whose kernel has the same width in each dimension."""

    batch: int
    channels: int
    outputs: int
    size: tuple[int, ...]
    kernel: int
    stride: int = 1

    @property
    def padding(self) -> int:
        return self.kernel // 2

    @property
    def places(self) -> tuple[int, ...]:
        return tuple((size + 2 * self.padding - self.kernel) // self.stride + 1 for size in self.size)

    @property
    def flops(self) -> float:
        """The number of operations of a forward pass."""
        taps = self.kernel ** len(self.size)
        return 2.0 * self.batch * math.prod(self.places) * taps * self.channels * self.outputs


SHAPES = {
    # The decoder of 'nano' on a batch of crops of 2 s: a block at the code rate, and the two rates above it.
    "nano, codes": Shape(16, 256, 256, (32,), 3),
    "nano, up 1": Shape(16, 256, 256, (63,), 3),
    "nano, up 2": Shape(16, 256, 256, (125,), 3),
    "nano, block": Shape(16, 256, 256, (125,), 1),
    # A block of 'base' on a batch of crops of 3 s.
    "base, up 2": Shape(128, 512, 512, (282,), 3),
    # The two shapes that the original's author timed.
    "seed, stride 2": Shape(32, 64, 64, (128, 128), 5, 2),
    "seed, parts": Shape(16, 32, 32, (260, 260), 5),
    # The second shape with fewer items, for a CPU.
    "seed, small": Shape(2, 64, 64, (128, 128), 5, 2),
    "pictures": Shape(16, 128, 128, (64, 64), 3),
}
DEFAULT = {
    "cpu": ("nano, codes", "nano, up 1", "nano, up 2", "nano, block", "seed, small"),
    "cuda": ("nano, up 2", "base, up 2", "seed, stride 2", "seed, parts", "pictures"),
}


@dataclass
class Rival:
    """A convolution to be timed: its forward pass, and the tensors whose gradients its backward pass computes."""

    forward: Pass
    leaves: Sequence[torch.Tensor]


def rivals(shape: Shape, breadth: int, device: torch.device, dtype: torch.dtype) -> dict[str, Rival]:
    """The rivals, which are timed in turn."""
    dims, geometry = len(shape.size), (shape.stride, shape.padding, 1)

    def random(*size: int) -> torch.Tensor:
        return torch.randn(*size, device=device, dtype=dtype)

    # The order of memory is the one in the DVAE.
    x = random(shape.batch, *shape.size, shape.channels).movedim(-1, 1).requires_grad_()
    layer = (SwitchedConv1d if dims == 1 else SwitchedConv2d)(
        shape.channels, shape.outputs, shape.kernel, breadth, shape.stride, shape.padding
    ).to(device, dtype)
    weight, bias = layer.weight, layer.bias
    assert bias is not None
    plain_x = random(shape.batch, shape.channels, *shape.size).requires_grad_()
    kernel = random(shape.outputs, shape.channels, *[shape.kernel] * dims).requires_grad_()
    index = torch.randint(breadth, (shape.batch, *shape.places), device=device)
    sides = tuple((value,) * dims for value in geometry)
    plain = F.conv1d if dims == 1 else F.conv2d
    by_name = {
        "plain": Rival(lambda: plain(plain_x, kernel, bias, *geometry), (plain_x, kernel, bias)),
        "plain, channels last": Rival(lambda: plain(x, kernel, bias, *geometry), (x, kernel, bias)),
        "layer": Rival(lambda: layer(x), (x, *layer.parameters())),
    }
    if is_native(device.type, dtype):
        by_name["operator"] = Rival(lambda: switched_conv(x, weight, bias, index, *sides), (x, weight, bias))
    if breadth <= REFERENCE_BREADTH:
        by_name["reference"] = Rival(lambda: switched_conv_reference(x, weight, bias, index, *sides), (x, weight, bias))
    return by_name


def seconds_of(rival: Rival, device: torch.device, clock: Callable[[], float]) -> tuple[float, float]:
    """The seconds of a forward pass, and of a forward and backward pass."""
    _wait(device)
    began = clock()
    y = rival.forward()
    _wait(device)
    between = clock()
    torch.autograd.grad(y, rival.leaves, torch.ones_like(y), allow_unused=True)
    _wait(device)
    return between - began, clock() - began


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize()


def peak_of(rival: Rival, device: torch.device) -> int:
    """The most bytes that a forward and backward pass of ``rival`` takes at a time."""
    if device.type == "cuda":
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        seconds_of(rival, device, time.perf_counter)
        return torch.cuda.max_memory_allocated() - before
    _C.malloc_trim(0)  # What earlier passes let go goes back to the system, so that this pass must ask for it again.
    (_PROCESS / "clear_refs").write_text("5")  # the peak begins anew; see man 5 proc
    before = _process_bytes("VmRSS")
    seconds_of(rival, device, time.perf_counter)
    return _process_bytes("VmHWM") - before


def _process_bytes(entry: str) -> int:
    lines = (_PROCESS / "status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(f"{entry}:"))


def measure(
    name: str, breadth: int, device: torch.device, precision: str, rounds: int, max_s: float, clock: str = "wall"
) -> dict[str, Any]:
    """A row of the table."""
    torch.manual_seed(0)
    shape = SHAPES[name]
    all_rivals = rivals(shape, breadth, device, TYPES[precision])
    best = {rival: [math.inf, math.inf] for rival in all_rivals}
    began = time.perf_counter()
    for number in range(rounds + 1):  # The first pass warms up.
        for rival, work in all_rivals.items():
            times = seconds_of(work, device, CLOCKS[clock])
            if number:
                best[rival] = [min(pair) for pair in zip(best[rival], times, strict=True)]
        if number >= 2 and time.perf_counter() - began > max_s:
            break
    # The plain convolution may use the order of memory that suits it best.
    fastest = [min(pair) for pair in zip(best.pop("plain"), best.pop("plain, channels last"), strict=True)]
    row = {"shape": name, "b": breadth, "precision": precision, "plain ms": round(fastest[1] * 1e3, 2),
           "plain GFLOP/s": round(3 * shape.flops / fastest[1] / 1e9)}  # fmt: skip
    for title, rival in (("share", "operator"), ("layer", "layer")):
        for part, number in (("forward", 0), ("both", 1)):
            row[f"{title} {part}"] = round(fastest[number] / best[rival][number], 2) if rival in best else "not built"
    timed = "operator" in best and "reference" in best
    row["reference"] = round(best["reference"][1] / best["operator"][1], 1) if timed else "-"
    counted = device.type == "cuda" or ((_PROCESS / "clear_refs").exists() and hasattr(_C, "malloc_trim"))
    plain = peak_of(all_rivals["plain"], device) if counted and "operator" in all_rivals else 0
    row["memory"] = round(peak_of(all_rivals["operator"], device) / plain, 2) if plain else "-"
    return row


def main() -> None:
    """Print a row for each shape and breadth."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shapes", nargs="+", choices=list(SHAPES), help="default: some that suit the device")
    parser.add_argument("--breadths", type=int, nargs="+", default=list(BREADTHS))
    parser.add_argument("--precisions", nargs="+", choices=list(TYPES), default=["fp32"])
    parser.add_argument("--rounds", type=int, default=20, help="at most, of each row")
    parser.add_argument("--seconds", type=float, default=20.0, help="of a row, after which no round begins")
    parser.add_argument("--clock", choices=list(CLOCKS), default="wall")
    parser.add_argument("--threads", type=int, help="of a CPU; default: as torch chooses")
    chosen = parser.parse_args()
    if chosen.threads:
        torch.set_num_threads(chosen.threads)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    rows = [
        measure(shape, breadth, device, precision, chosen.rounds, chosen.seconds, chosen.clock)
        for precision in chosen.precisions
        for shape in chosen.shapes or DEFAULT[device.type]
        for breadth in chosen.breadths
    ]
    print(table(rows))
    print(torch.cuda.get_device_name() if device.type == "cuda" else f"cpu, {torch.get_num_threads()} threads")


if __name__ == "__main__":
    main()
