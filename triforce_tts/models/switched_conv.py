"""Switched convolutions: b kernels, of which a selector network chooses one at each position.

The idea is James Betker's (2020 to 2022): a network gains weights without more arithmetic at a position. A trained
convolution becomes a switched one by ``convert``: its kernel is copied b times, so nothing changes at that moment, and
training then lets the copies drift apart.

The selector's probabilities go through three steps. ``SwitchNorm`` divides them by how much each kernel was used lately,
so that no kernel falls out of use. The most probable kernel is taken. The gradient of the choice is the winner's alone,
divided by its probability, which is the gradient of the logarithm of the winner's probability.
"""

import fnmatch
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Literal, cast

import torch
from pydantic import Field
from torch import distributed, nn
from torch.nn import functional as F

from triforce_tts.errors import ConfigError
from triforce_tts.schema import Config
from triforce_tts.switched_op import switched_conv

USES = 256  # forward passes over which a switch norm remembers how much each kernel was used
HIDDEN = 32  # channels inside the selector "conv"
# The least use of a kernel, where 1 is an equal share, so that a kernel that was never chosen does not divide by zero.
_LEAST_USE = 1e-4

SelectorName = Literal["pointwise", "conv"]


class SwitchedConfig(Config):
    """The convolutions of a network that are switched, and the way in which they are."""

    # Names of the network's convolutions; '*' stands for any part of a name, as in 'up.*.conv'.
    names: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=200)], ...], Field(min_length=1, max_length=64)
    ]
    breadth: Annotated[int, Field(ge=1, le=1024)] = 8  # kernels
    selector: SelectorName = "conv"  # 'pointwise' sees one position, 'conv' up to three
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0  # chance that an item of a batch does without a kernel


class SwitchNorm(nn.Module):
    """Divides probabilities by their mean over the last ``uses`` forward passes, so that all kernels are used equally.

    It changes nothing before so many passes of training. Evaluation uses the means of training, and adds nothing.
    The processes of a training add up their uses, so that all hold the same.
    """

    uses: torch.Tensor
    seen: torch.Tensor

    def __init__(self, breadth: int, uses: int = USES) -> None:
        super().__init__()
        # the use of each kernel in each pass; 1 is an equal share
        self.register_buffer("uses", torch.ones(uses, breadth))
        self.register_buffer("seen", torch.zeros(1, dtype=torch.long))  # the number of passes so far

    def forward(self, probabilities: torch.Tensor, inside: torch.Tensor | None = None) -> torch.Tensor:
        """Normed probabilities [batch, breadth, *places] that sum to 1.

        Args:
            probabilities: [batch, breadth, *places], which sum to 1 over the kernels.
            inside: [batch, *places]; 1 at places that count as a use. Without it, all places count.
        """
        mean = self.uses.mean(0).clamp_min(_LEAST_USE)
        mean = torch.where(self.seen >= len(self.uses), mean, torch.ones_like(mean))
        if self.training:
            self._remember(probabilities.detach(), inside)
        divided = probabilities / mean.view(-1, *[1] * (probabilities.dim() - 2))
        return divided / divided.sum(1, keepdim=True)

    @torch.no_grad()
    def _remember(self, probabilities: torch.Tensor, inside: torch.Tensor | None) -> None:
        if inside is not None:
            probabilities = probabilities * inside.unsqueeze(1)
        use = probabilities.transpose(0, 1).flatten(1).sum(1)
        if distributed.is_available() and distributed.is_initialized() and distributed.get_world_size() > 1:
            distributed.all_reduce(use)
        share = use / use.mean().clamp_min(torch.finfo(use.dtype).tiny)
        self.uses.index_copy_(0, self.seen % len(self.uses), share[None].to(self.uses.dtype))
        self.seen.add_(1)


def drop_kernels(logits: torch.Tensor, chance: float) -> torch.Tensor:
    """``logits`` [batch, breadth, *places] with some kernels removed from each item; at least one is kept."""
    draw = torch.rand(logits.shape[:2], device=logits.device)
    mask = (draw >= chance) | (draw == draw.amax(1, keepdim=True))
    return logits.masked_fill(~mask.view(*mask.shape, *[1] * (logits.dim() - 2)), -math.inf)


class _Selector(nn.Module):
    """A network of one or two convolutions that gives each place of a layer's output a logit for each kernel."""

    def __init__(self, name: SelectorName, layer: "_SwitchedConv") -> None:
        super().__init__()
        convolution = layer.plain
        # The selector sees no more than the layer's kernel does, so that the network reaches no farther than before.
        widths = tuple(1 if name == "pointwise" else min(3, width) for width in layer.kernel_size)
        # The selector looks at the middle of what the kernel sees, whatever the padding is.
        self.padding = tuple(
            padding - dilation * (kernel - 1) // 2 + width // 2
            for kernel, padding, dilation, width in zip(
                layer.kernel_size, layer.padding, layer.dilation, widths, strict=True
            )
        )
        hidden = min(HIDDEN, layer.in_channels)
        self.first = convolution(
            layer.in_channels,
            layer.breadth if name == "pointwise" else hidden,
            cast("int", widths),
            cast("int", layer.stride),
        )
        self.last = None if name == "pointwise" else convolution(hidden, layer.breadth, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits [batch, breadth, *places] of ``x`` [batch, inputs, *positions]; a negative padding cuts off."""
        sides = [side for padding in reversed(self.padding) for side in (padding, padding)]
        logits: torch.Tensor = self.first(F.pad(x, sides) if any(sides) else x)
        return logits if self.last is None else self.last(F.silu(logits))


class _SwitchedConv(nn.Module):
    """The part that switched convolutions of one and of two dimensions share."""

    plain: type[nn.Conv1d] | type[nn.Conv2d]
    dims: int

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, ...],
        breadth: int,
        stride: int | tuple[int, ...] = 1,
        padding: int | tuple[int, ...] = 0,
        dilation: int | tuple[int, ...] = 1,
        *,
        bias: bool = True,
        selector: SelectorName = "pointwise",
        dropout: float = 0.0,
        uses: int = USES,
    ) -> None:
        super().__init__()
        self.in_channels, self.out_channels, self.breadth = in_channels, out_channels, breadth
        self.kernel_size, self.stride, self.padding, self.dilation = (
            value if isinstance(value, tuple) else (value,) * self.dims
            for value in (kernel_size, stride, padding, dilation)
        )
        if any(width % 2 == 0 for width in self.kernel_size):
            raise ConfigError(f"a switched convolution needs kernels of odd width, found {list(self.kernel_size)}")
        if breadth < 1:
            raise ConfigError(f"a switched convolution needs at least one kernel, found a breadth of {breadth}")
        self.dropout = dropout
        self.weight = nn.Parameter(torch.empty(breadth, out_channels, *self.kernel_size, in_channels))
        self.bias = nn.Parameter(torch.empty(out_channels)) if bias else None
        self.selector = _Selector(selector, self)
        self.norm = SwitchNorm(breadth, uses)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """New kernels, each drawn as torch draws that of a plain convolution."""
        bound = 1 / math.sqrt(self.in_channels * math.prod(self.kernel_size))
        nn.init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            nn.init.uniform_(self.bias, -bound, bound)

    def probabilities(self, x: torch.Tensor, inside: torch.Tensor | None = None) -> torch.Tensor:
        """The probability of each kernel at each place: [batch, breadth, *places] float32."""
        logits = self.selector(x).float()
        if self.training and self.dropout:
            logits = drop_kernels(logits, self.dropout)
        normed: torch.Tensor = self.norm(logits.softmax(1), inside)
        return normed

    def forward(self, x: torch.Tensor, inside: torch.Tensor | None = None) -> torch.Tensor:
        """[batch, outputs, *places] of ``x`` [batch, inputs, *positions].

        ``inside`` [batch, *places] is 0 at places of padding; a choice there does not count as a use.
        """
        best, index = self.probabilities(x, inside).max(1)
        y = switched_conv(x, self.weight, self.bias, index, self.stride, self.padding, self.dilation)
        if best.requires_grad:  # This multiplies by 1, but carries the gradient to the selector.
            y = y * (best / best.detach()).unsqueeze(1).to(y.dtype)
        return y

    def extra_repr(self) -> str:
        """The text that ``print`` shows for the layer."""
        return (
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, breadth={self.breadth}, "
            f"stride={self.stride}, padding={self.padding}, dilation={self.dilation}, dropout={self.dropout}"
        )


class SwitchedConv1d(_SwitchedConv):
    """A convolution over [batch, channels, positions] with ``breadth`` kernels, one of which is used at each place."""

    plain, dims = nn.Conv1d, 1


class SwitchedConv2d(_SwitchedConv):
    """A convolution over [batch, channels, height, width] with ``breadth`` kernels, one of which is used at each place."""

    plain, dims = nn.Conv2d, 2


def is_switched(module: nn.Module) -> bool:
    """Whether ``module`` is a switched convolution."""
    return isinstance(module, _SwitchedConv)


def spread(kernel: torch.Tensor, breadth: int) -> torch.Tensor:
    """``breadth`` copies of a plain convolution's ``kernel`` [outputs, inputs, *kernel], as a switched one holds them."""
    return kernel.movedim(1, -1).expand(breadth, *[-1] * kernel.dim()).contiguous()


def convert(
    module: nn.Module,
    names: Sequence[str],
    breadth: int,
    selector: SelectorName = "pointwise",
    dropout: float = 0.0,
) -> tuple[str, ...]:
    """Switch the convolutions of ``module`` that ``names`` name, in place; its output stays what it was.

    Args:
        module: a network.
        names: names of convolutions within ``module``; '*' stands for any part of a name.
        breadth: kernels of each.
        selector: the network that chooses.
        dropout: chance that an item of a batch does without a kernel, in training.

    Returns:
        The names of what was switched, in the order of the network.

    Raises:
        ConfigError: a name fits no convolution, or one that cannot be switched.
    """
    layers = _plain_convolutions(module)
    chosen: set[str] = set()
    for pattern in names:
        fitting = set(fnmatch.filter(layers, pattern))
        if not fitting:
            raise ConfigError(f"no convolution is named '{pattern}' here; there are {', '.join(layers) or 'none'}")
        chosen |= fitting
    in_order = tuple(name for name in layers if name in chosen)
    for name in in_order:
        module.set_submodule(name, _as_switched(name, layers[name], breadth, selector, dropout))
    return in_order


def _plain_convolutions(module: nn.Module) -> dict[str, nn.Conv1d | nn.Conv2d]:
    """The convolutions within ``module`` by name, without those of selectors."""
    plain: dict[str, nn.Conv1d | nn.Conv2d] = {}
    for prefix, part in module.named_children():
        if isinstance(part, nn.Conv1d | nn.Conv2d):
            plain[prefix] = part
        elif not is_switched(part):
            plain.update({f"{prefix}.{name}": inner for name, inner in _plain_convolutions(part).items()})
    return plain


def _as_switched(
    name: str, plain: nn.Conv1d | nn.Conv2d, breadth: int, selector: SelectorName, dropout: float
) -> _SwitchedConv:
    if plain.groups != 1 or plain.padding_mode != "zeros" or isinstance(plain.padding, str):
        raise ConfigError(
            f"'{name}' cannot be switched: it needs groups=1, padding_mode='zeros' and a padding in numbers, found "
            f"groups={plain.groups}, padding_mode='{plain.padding_mode}', padding={plain.padding!r}"
        )
    kind = SwitchedConv1d if isinstance(plain, nn.Conv1d) else SwitchedConv2d
    layer = kind(
        plain.in_channels, plain.out_channels, plain.kernel_size, breadth, plain.stride, plain.padding, plain.dilation,
        bias=plain.bias is not None, selector=selector, dropout=dropout,
    )  # fmt: skip
    layer.to(plain.weight.device, plain.weight.dtype)
    layer.train(plain.training)
    with torch.no_grad():
        layer.weight.copy_(spread(plain.weight, breadth))
        if plain.bias is not None and layer.bias is not None:
            layer.bias.copy_(plain.bias)
    return layer


@contextmanager
def selections(network: nn.Module) -> Iterator[dict[str, torch.Tensor]]:
    """Within the block, the kernels that each switched convolution of ``network`` chose last: [batch, *places] by name.

    The choices are those of evaluation, without dropout.
    """
    choices: dict[str, torch.Tensor] = {}

    def watch(name: str, layer: _SwitchedConv) -> "torch.utils.hooks.RemovableHandle":
        def keep(_: nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
            was_training = layer.training
            layer.eval()  # In evaluation mode, this pass does not count as a use.
            with torch.no_grad():
                choices[name] = layer.probabilities(*inputs).argmax(1)
            layer.train(was_training)

        return layer.register_forward_pre_hook(keep)

    handles = [watch(name, part) for name, part in network.named_modules() if isinstance(part, _SwitchedConv)]
    try:
        yield choices
    finally:
        for handle in handles:
            handle.remove()
