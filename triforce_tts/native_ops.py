"""The facts about the native operators that torch needs beside their code: the shapes of results, and gradients.

``torch.compile`` asks for the shapes, and autograd for the gradients.
"""

from collections.abc import Sequence
from typing import Any

import torch


def register() -> None:
    """Register the operators with torch, once, after the library was loaded."""
    for operator in (llama_step, linear, frame_codes, reading_step, switched_conv, switched_conv_backward):
        torch.library.register_fake(f"triforce_tts::{operator.__name__}", operator)
    torch.library.register_autograd("triforce_tts::switched_conv", _backward, setup_context=_keep)


def llama_step(ids: torch.Tensor, positions: torch.Tensor, keys: torch.Tensor, *_: object) -> torch.Tensor:
    """The states [batch, dim]."""
    return keys.new_empty(ids.shape[0], keys.shape[2] * keys.shape[4])


def linear(x: torch.Tensor, bands: torch.Tensor, n: int) -> torch.Tensor:
    """The products [batch, n]."""
    return x.new_empty(x.shape[0], n)


def frame_codes(state: torch.Tensor, first: torch.Tensor, uniforms: torch.Tensor, *_: object) -> torch.Tensor:
    """The ids [batch, codes of a frame]."""
    return first.new_empty(len(first), uniforms.shape[1] + 1)


def reading_step(logits: torch.Tensor, uniforms: torch.Tensor, place: torch.Tensor, *_: object) -> torch.Tensor:
    """One number for each row."""
    return place.new_empty(len(place))


def switched_conv(
    x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None, index: torch.Tensor, *_: object
) -> torch.Tensor:
    """The outputs [batch, *places, outputs]; ``index`` has a number for each place."""
    return x.new_empty(*index.shape, weight.shape[1])


def switched_conv_backward(
    grad: torch.Tensor,
    x: torch.Tensor,
    weight: torch.Tensor,
    index: torch.Tensor,
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    wanted: Sequence[bool],
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The gradients of the input, the kernels and the bias; an empty tensor for what is not wanted."""
    shapes = (x.shape, weight.shape, weight.shape[1:2])
    dx, dw, db = (x.new_empty(shape if asked else (0,)) for shape, asked in zip(shapes, wanted, strict=True))
    return dx, dw, db


def _keep(ctx: Any, inputs: tuple[Any, ...], output: torch.Tensor) -> None:
    x, weight, _, index, *geometry = inputs
    ctx.save_for_backward(x, weight, index)
    ctx.geometry = geometry


def _backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
    needs_gradient = list(ctx.needs_input_grad[:3])
    gradients = torch.ops.triforce_tts.switched_conv_backward(grad, *ctx.saved_tensors, *ctx.geometry, needs_gradient)
    dx, dw, db = (gradient if asked else None for gradient, asked in zip(gradients, needs_gradient, strict=True))
    return dx, dw, db, None, None, None, None
