"""A convolution that has several kernels and uses one of them at each position: the operation without its selector.

``switched_conv`` uses the native operators of ``csrc`` if they were built, and ``switched_conv_reference`` otherwise.
The reference computes all kernels everywhere and keeps what was selected, so it costs as many convolutions as there
are kernels.
"""

import functools
import warnings
from collections.abc import Sequence

import torch
from torch.nn import functional as F

from triforce_tts import native

NATIVE_TYPES = {
    "cpu": (torch.float32, torch.float64, torch.bfloat16),
    "cuda": (torch.float32, torch.bfloat16, torch.float16),
}


def switched_conv(
    x: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor | None,
    index: torch.Tensor,
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
) -> torch.Tensor:
    """[batch, outputs, *places]: the convolution of ``x`` at each place with the kernel that ``index`` names there.

    Args:
        x: [batch, inputs, *positions], with one or two dimensions of positions.
        weight: the kernels, [breadth, outputs, *kernel, inputs]: in the order in which the products read them.
        bias: [outputs]; all kernels share it.
        index: int64 [batch, *places], in [0, breadth).
        stride: the stride in each dimension of positions, as in ``torch.nn.functional.conv2d``.
        padding: the number of zeros on either side of each dimension.
        dilation: the distance between neighbouring taps of a kernel, in each dimension.
    """
    device = x.device.type
    if torch.is_autocast_enabled(device):  # Autocast does the same for torch's own convolutions.
        dtype = torch.get_autocast_dtype(device)
        x, weight, bias = x.to(dtype), weight.to(dtype), None if bias is None else bias.to(dtype)
    if not is_native(device, x.dtype):
        return switched_conv_reference(x, weight, bias, index, stride, padding, dilation)
    y: torch.Tensor = torch.ops.triforce_tts.switched_conv(
        x.movedim(1, -1), weight, bias, index, list(stride), list(padding), list(dilation)
    )
    return y.movedim(-1, 1)


def switched_conv_reference(
    x: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor | None,
    index: torch.Tensor,
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
) -> torch.Tensor:
    """The result of ``switched_conv``, computed in PyTorch alone: a whole convolution for each kernel."""
    convolution = F.conv1d if x.dim() == 3 else F.conv2d
    selected = index.unsqueeze(1)
    out: torch.Tensor | None = None
    for number, kernel in enumerate(weight.movedim(-1, 2)):
        y = convolution(x, kernel, bias, tuple(stride), tuple(padding), tuple(dilation))
        out = y if out is None else torch.where(selected == number, y, out)
    assert out is not None, "a switched convolution has at least one kernel"
    return out


def is_native(device: str, dtype: torch.dtype) -> bool:
    """Whether the native operator can take tensors of this kind; the first call without the library prints a note."""
    if dtype not in NATIVE_TYPES.get(device, ()):
        return False
    if native.available():
        return torch._C._dispatch_has_kernel_for_dispatch_key("triforce_tts::switched_conv", device.upper())
    if native.missing():
        _warn_once()
    return False


# This does the work of ``torch.compiler.assume_constant_result``. Calling that would import torch's compiler, which
# takes longer than to speak a sentence.
is_native._dynamo_marked_constant = True  # type: ignore[attr-defined]


@functools.cache
def _warn_once() -> None:
    warnings.warn(
        "the native operators are not built: a switched convolution costs as much as all of its kernels together; "
        "'make ext' builds them",
        RuntimeWarning,
        stacklevel=4,
    )
