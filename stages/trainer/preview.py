"""Previews while a network trains: sounds, and pictures of spectrograms, attention and gradients."""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch

from .sharding import whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Image = npt.NDArray[np.uint8]  # [height, width, 3]


@dataclass
class Preview:
    """One held-out sample as the network reproduces it at this step."""

    name: str
    # the pictures by title, each [frames, bands]; time goes from left to right
    pictures: dict[str, torch.Tensor] = field(default_factory=dict)
    # the sounds by name, each samples [n]
    sounds: dict[str, torch.Tensor] = field(default_factory=dict)
    sample_rate: int = 0
    # for each layer, the kernel that was used at each time, [places]
    selections: dict[str, torch.Tensor] = field(default_factory=dict)


def draw_preview(preview: Preview) -> bytes:
    """A PNG of a preview's pictures, one above the other on one scale of colours, and below them the selections."""
    low = min(float(picture.min()) for picture in preview.pictures.values())
    high = max(float(picture.max()) for picture in preview.pictures.values())

    def draw(axes: list["Axes"]) -> None:
        count = len(preview.pictures)
        for axis, (title, picture) in zip(axes[:count], preview.pictures.items(), strict=True):
            axis.imshow(picture.float().cpu().numpy().T, origin="lower", aspect="auto", vmin=low, vmax=high)
            axis.set_title(title, fontsize=8)
        for axis, (name, index) in zip(axes[count:], preview.selections.items(), strict=True):
            # All layers share the time axis, although their rates differ. Each kernel has its own colour.
            axis.imshow(
                index[None].cpu().numpy(), aspect="auto", cmap="tab20", vmin=-0.5, vmax=19.5, interpolation="none"
            )
            axis.set_title(f"kernels of {name}", fontsize=8)
            axis.set_yticks([])

    heights = [1.8] * len(preview.pictures) + [0.7] * len(preview.selections)
    return _draw(heights, draw, 9.0)


def draw_gradients(norms: Mapping[str, tuple[float, float]]) -> bytes:
    """A PNG of the gradient flow: for each layer, in order of depth, the gradient's norm over the weights' norm.

    A layer far below its neighbours does not learn; one far above is about to break.
    """
    names = list(norms)
    ratios = [gradient / max(weight, 1e-12) for gradient, weight in norms.values()]

    def draw(axes: list["Axes"]) -> None:
        (axis,) = axes
        axis.semilogy(range(len(names)), [max(ratio, 1e-12) for ratio in ratios], marker=".")
        axis.set_xticks(range(len(names)), names, rotation=90, fontsize=5)
        axis.set_ylabel("gradient norm / weight norm")
        axis.grid(axis="y", alpha=0.3)

    return _draw([5.0], draw, max(6.0, 0.13 * len(names)))


def _draw(heights: list[float], draw: Callable[[list["Axes"]], None], width: float) -> bytes:
    """A PNG of axes one above the other, with these heights and this width in inches."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure: Figure = Figure(figsize=(width, sum(heights)), layout="constrained", dpi=90)
    FigureCanvasAgg(figure)
    axes: Any = figure.subplots(len(heights), 1, squeeze=False, height_ratios=heights)
    draw(list(axes[:, 0]))
    target = io.BytesIO()
    figure.savefig(target, format="png")
    return target.getvalue()


def as_image(png: bytes) -> Image:
    """The pixels of a PNG, as TensorBoard takes them."""
    from matplotlib.image import imread

    pixels: npt.NDArray[np.float32] = imread(io.BytesIO(png), format="png")
    image: Image = (pixels[..., :3] * 255).round().astype(np.uint8)
    return image


def layer_norms(network: torch.nn.Module, scale: float = 1.0) -> dict[str, tuple[float, float]]:
    """The norms of gradient and weights of each layer of ``network`` with a gradient, in the order of its definition.

    ``scale`` is the factor that the gradients were multiplied by, as in fp16.
    """
    layers: dict[str, list[torch.nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        if parameter.grad is not None:
            layers.setdefault(name.rpartition(".")[0] or name, []).append(parameter)
    norms = {}
    for name, parameters in layers.items():
        gradient = sum(float(whole(p.grad.norm())) ** 2 for p in parameters if p.grad is not None) ** 0.5
        norms[name] = (gradient / scale, sum(float(whole(p.detach().norm())) ** 2 for p in parameters) ** 0.5)
    return norms
