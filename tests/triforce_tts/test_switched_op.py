"""A switched convolution against sums of masked plain ones, one position at a time, and the native operator against both."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import pytest
import torch
from torch.nn import functional as F

from triforce_tts import native, switched_op
from triforce_tts.switched_op import switched_conv, switched_conv_reference

built = pytest.mark.skipif(not native.LIBRARY.is_file(), reason="the native operators were not built ('make ext')")
pytestmark = pytest.mark.usefixtures("one_thread")

Tensors = tuple[torch.Tensor, ...]


@dataclass(frozen=True)
class Shape:
    """A switched convolution: batch, channels, outputs, breadth, then what each dimension of positions has."""

    batch: int
    channels: int
    outputs: int
    breadth: int
    size: tuple[int, ...]
    kernel: tuple[int, ...]
    stride: tuple[int, ...] = (1, 1)
    padding: tuple[int, ...] = (0, 0)
    dilation: tuple[int, ...] = (1, 1)

    @property
    def geometry(self) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
        dims = len(self.size)
        return self.stride[:dims], self.padding[:dims], self.dilation[:dims]

    @property
    def places(self) -> tuple[int, ...]:
        return tuple(
            (size + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1
            for size, kernel, stride, padding, dilation in zip(self.size, self.kernel, *self.geometry, strict=True)
        )


SHAPES = {
    "pointwise": Shape(2, 4, 3, 3, (9,), (1,)),
    "three wide": Shape(3, 8, 8, 4, (17,), (3,), padding=(1,)),
    "odd channels": Shape(2, 31, 12, 5, (13,), (5,), padding=(2,)),
    "one position": Shape(1, 3, 2, 2, (1,), (3,), padding=(1,)),
    "stride": Shape(2, 5, 7, 3, (20,), (3,), stride=(2,), padding=(1,)),
    "dilation": Shape(2, 5, 7, 3, (20,), (5,), padding=(3,), dilation=(2,)),
    "all of it": Shape(2, 9, 4, 3, (31,), (3,), stride=(3,), padding=(4,), dilation=(3,)),
    "one kernel": Shape(2, 4, 4, 1, (12,), (3,), padding=(1,)),
    "more kernels than positions": Shape(1, 3, 3, 40, (6,), (3,), padding=(1,)),
    "picture": Shape(2, 6, 5, 4, (9, 7), (3, 3), padding=(1, 1)),
    "odd picture": Shape(2, 7, 3, 3, (11, 6), (5, 3), (2, 1), (2, 3), (1, 2)),
    "runs": Shape(4, 2, 3, 2, (16, 16), (3, 3), padding=(1, 1)),  # more positions of a kernel than a product takes
}


def leaves(shape: Shape, dtype: torch.dtype = torch.float64) -> tuple[Tensors, torch.Tensor, torch.Tensor]:
    """The input, the kernels and the bias; an index; and a gradient of the output."""
    rng = torch.Generator().manual_seed(1)
    sizes = (
        (shape.batch, shape.channels, *shape.size),
        (shape.breadth, shape.outputs, *shape.kernel, shape.channels),
        (shape.outputs,),
    )
    tensors = tuple(torch.randn(size, generator=rng, dtype=torch.float64).to(dtype).requires_grad_() for size in sizes)
    index = torch.randint(shape.breadth, (shape.batch, *shape.places), generator=rng)
    grad = torch.randn(shape.batch, shape.outputs, *shape.places, generator=rng, dtype=torch.float64).to(dtype)
    return tensors, index, grad


def with_gradients(
    function: Callable[..., torch.Tensor], tensors: Tensors, index: torch.Tensor, grad: torch.Tensor, shape: Shape
) -> Tensors:
    """The output, and the gradients of the input, the kernels and the bias."""
    y = function(*tensors, index, *shape.geometry)
    return (y.detach(), *torch.autograd.grad(y, tensors, grad))


def masked(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, index: torch.Tensor, *geometry: tuple[int, ...]) -> torch.Tensor:  # fmt: skip
    """The sum of plain convolutions, each times 1 where its kernel was chosen and 0 elsewhere."""
    convolution = F.conv1d if x.dim() == 3 else F.conv2d
    return sum(
        convolution(x, weight[number].movedim(-1, 1), bias, *geometry) * (index == number).unsqueeze(1).to(x.dtype)
        for number in range(len(weight))
    )  # type: ignore[return-value]


WAYS = [pytest.param(True, marks=built, id="native"), pytest.param(False, id="reference")]


def way(native_one: bool) -> Callable[..., torch.Tensor]:
    if not native_one:
        return switched_conv_reference
    assert native.available()
    return switched_conv


@pytest.mark.parametrize("native_one", WAYS)
@pytest.mark.parametrize("name", list(SHAPES))
def test_it_is_the_sum_of_masked_convolutions(name: str, native_one: bool) -> None:
    shape = SHAPES[name]
    tensors, index, grad = leaves(shape)
    found = with_gradients(way(native_one), tensors, index, grad, shape)
    expected = with_gradients(masked, tensors, index, grad, shape)
    torch.testing.assert_close(found, expected, atol=1e-11, rtol=1e-11)


@pytest.mark.parametrize("native_one", WAYS)
def test_every_position_has_the_product_of_its_own_kernel(native_one: bool) -> None:
    """By a loop over positions and taps."""
    shape = SHAPES["odd picture"]
    (x, weight, bias), index, _ = leaves(shape)
    y = way(native_one)(x, weight, bias, index, *shape.geometry)
    stride, padding, dilation = shape.geometry
    for item, row, column in product(range(shape.batch), *map(range, shape.places)):
        total = bias.clone()
        for i, j in product(*map(range, shape.kernel)):
            at = (row * stride[0] - padding[0] + i * dilation[0], column * stride[1] - padding[1] + j * dilation[1])
            if 0 <= at[0] < shape.size[0] and 0 <= at[1] < shape.size[1]:
                total = total + weight[index[item, row, column], :, i, j] @ x[item, :, at[0], at[1]]
        torch.testing.assert_close(y[item, :, row, column], total, atol=1e-11, rtol=1e-11)


@pytest.mark.parametrize("native_one", WAYS)
@pytest.mark.parametrize("chosen", [0, 2])
def test_all_positions_may_choose_one_kernel(chosen: int, native_one: bool) -> None:
    """The other kernels' products are empty, and their gradients are zero."""
    shape = SHAPES["three wide"]
    tensors, index, grad = leaves(shape)
    index.fill_(chosen)
    y, dx, dw, db = with_gradients(way(native_one), tensors, index, grad, shape)
    kernel = tensors[1][chosen].detach().movedim(-1, 1).requires_grad_()
    plain = F.conv1d(tensors[0], kernel, tensors[2], *shape.geometry)
    expected = torch.autograd.grad(plain, (tensors[0], kernel, tensors[2]), grad)
    torch.testing.assert_close(
        (y, dx, dw[chosen].movedim(-1, 1), db), (plain.detach(), *expected), atol=1e-12, rtol=1e-12
    )
    assert not dw[[number for number in range(shape.breadth) if number != chosen]].any()


# float32 sums up to some hundred products; bfloat16 keeps 8 bits, and both round the same sums of float32 once.
TOLERANCES = {torch.float32: 1e-5, torch.bfloat16: 2**-7}


@built
@pytest.mark.parametrize("dtype", list(TOLERANCES), ids=str)
@pytest.mark.parametrize("name", list(SHAPES))
def test_the_native_operator_is_exact_to_its_type(name: str, dtype: torch.dtype) -> None:
    """Against float64 from the same numbers; the tolerance is relative to the largest number."""
    shape = SHAPES[name]
    tensors, index, grad = leaves(shape, dtype)
    found = with_gradients(way(True), tensors, index, grad, shape)
    exact = tuple(tensor.detach().double().requires_grad_() for tensor in tensors)
    expected = with_gradients(switched_conv_reference, exact, index, grad.double(), shape)
    for own, other in zip(found, expected, strict=True):
        assert own.dtype == dtype and own.shape == other.shape
        assert (own.double() - other).abs().max() <= TOLERANCES[dtype] * other.abs().max()


@built
@pytest.mark.parametrize("threads", [2, 3, 8])
@pytest.mark.parametrize("batch", [1, 3])
def test_any_number_of_threads_computes_the_same(batch: int, threads: int) -> None:
    """A batch smaller than the threads is divided by channels."""
    shape = Shape(batch, 67, 5, 3, (40,), (3,), padding=(1,))
    tensors, index, grad = leaves(shape)
    expected = with_gradients(switched_conv_reference, tensors, index, grad, shape)
    torch.set_num_threads(threads)
    found = with_gradients(way(True), tensors, index, grad, shape)
    torch.testing.assert_close(found, expected, atol=1e-11, rtol=1e-11)


@built
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_it_gives_the_same_bytes_every_time(dtype: torch.dtype) -> None:
    torch.set_num_threads(2)
    shape = Shape(5, 67, 33, 4, (90,), (3,), padding=(1,))
    tensors, index, grad = leaves(shape, dtype)
    first = with_gradients(way(True), tensors, index, grad, shape)
    for _ in range(5):
        again = with_gradients(way(True), tensors, index, grad, shape)
        assert all(torch.equal(one, other) for one, other in zip(first, again, strict=True))


@pytest.mark.parametrize("native_one", WAYS)
def test_the_memory_order_of_the_input_does_not_matter(native_one: bool) -> None:
    shape = SHAPES["picture"]
    (x, weight, bias), index, _ = leaves(shape)
    expected = way(native_one)(x, weight, bias, index, *shape.geometry)
    for other in (x.contiguous(memory_format=torch.channels_last), x.transpose(2, 3).contiguous().transpose(2, 3)):
        assert torch.equal(way(native_one)(other, weight, bias, index, *shape.geometry), expected)


@pytest.mark.parametrize("native_one", WAYS)
@pytest.mark.parametrize("name", ["stride", "odd picture"])
def test_gradients_are_those_of_differences(name: str, native_one: bool) -> None:
    shape = SHAPES[name]
    tensors, index, _ = leaves(shape)
    assert torch.autograd.gradcheck(
        lambda x, weight, bias: way(native_one)(x, weight, bias, index, *shape.geometry), tensors, fast_mode=True
    )


@built
@pytest.mark.parametrize("wanted", [(True, False, False), (False, True, False), (False, False, True)])
def test_only_wanted_gradients_are_computed(wanted: tuple[bool, ...]) -> None:
    shape = SHAPES["three wide"]
    tensors, index, grad = leaves(shape)
    expected = with_gradients(way(True), tensors, index, grad, shape)[1:]
    for tensor, asked in zip(tensors, wanted, strict=True):
        tensor.requires_grad_(asked)
    way(True)(*tensors, index, *shape.geometry).backward(grad)
    for tensor, asked, gradient in zip(tensors, wanted, expected, strict=True):
        assert (tensor.grad is not None) == asked
        assert tensor.grad is None or torch.equal(tensor.grad, gradient)


@built
def test_a_layer_may_have_no_bias() -> None:
    shape = SHAPES["stride"]
    (x, weight, _), index, _ = leaves(shape)
    found = way(True)(x, weight, None, index, *shape.geometry)
    torch.testing.assert_close(found, switched_conv_reference(x, weight, None, index, *shape.geometry))


@built
@pytest.mark.parametrize("name", ["stride", "picture"])
def test_the_operator_keeps_torchs_contract(name: str) -> None:
    shape = SHAPES[name]
    (x, weight, bias), index, grad = leaves(shape, torch.float32)
    assert native.available()
    geometry = [list(part) for part in shape.geometry]
    arguments = (x.detach().movedim(1, -1).requires_grad_(), weight, bias, index, *geometry)
    torch.library.opcheck(torch.ops.triforce_tts.switched_conv.default, arguments)
    backward = (grad.movedim(1, -1), x.movedim(1, -1).detach(), weight.detach(), index, *geometry, [True, False, True])
    torch.library.opcheck(
        torch.ops.triforce_tts.switched_conv_backward.default, backward, test_utils=("test_schema", "test_faketensor")
    )


@built
def test_wrong_arguments_are_refused() -> None:
    shape = SHAPES["three wide"]
    (x, weight, bias), index, _ = leaves(shape)
    with pytest.raises(IndexError, match="index 4 of a kernel, expected 0 to 3"):
        switched_conv(x, weight, bias, index + 1, *shape.geometry)
    with pytest.raises(RuntimeError, match="an index of 16 places for an output of 17"):
        switched_conv(x, weight, bias, index[:, 1:], *shape.geometry)
    with pytest.raises(RuntimeError, match="other channels"):
        switched_conv(x[:, 1:], weight, bias, index, *shape.geometry)
    with pytest.raises(RuntimeError, match="different types"):
        switched_conv(x.float(), weight, bias, index, *shape.geometry)
    with pytest.raises(RuntimeError, match="must be int64"):
        switched_conv(x, weight, bias, index.int(), *shape.geometry)


@pytest.mark.parametrize("native_one", WAYS)
def test_autocast_computes_in_bfloat16(native_one: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(switched_op, "is_native", lambda *_: native_one)
    shape = SHAPES["three wide"]
    tensors, index, _ = leaves(shape, torch.float32)
    assert native_one is False or native.available()
    with torch.autocast("cpu", torch.bfloat16):
        y = switched_conv(*tensors, index, *shape.geometry)
    assert y.dtype == torch.bfloat16
    y.sum().backward()
    assert all(tensor.grad is not None and tensor.grad.dtype == torch.float32 for tensor in tensors)


def test_a_library_that_is_missing_is_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "available", lambda: False)
    monkeypatch.setattr(native, "missing", lambda: "not built")
    switched_op._warn_once.cache_clear()
    shape = SHAPES["pointwise"]
    (x, weight, bias), index, _ = leaves(shape)
    with pytest.warns(RuntimeWarning, match="make ext"):
        first = switched_conv(x, weight, bias, index, *shape.geometry)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert torch.equal(switched_conv(x, weight, bias, index, *shape.geometry), first)
        monkeypatch.setattr(native, "missing", lambda: "")  # the library was left out on purpose
        switched_op._warn_once.cache_clear()
        switched_conv(x, weight, bias, index, *shape.geometry)
