"""Programs that show the figures, pictures and sounds of a run: TensorBoard, wandb, trackio."""

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import torch

from triforce_tts.errors import ConfigError

from .preview import as_image


class Tracker(Protocol):
    """One program that shows runs."""

    def scalars(self, kind: str, values: dict[str, float], step: int) -> None:
        """Figures of ``kind`` (train, validation) at a step."""
        ...

    def picture(self, title: str, png: bytes, step: int) -> None:
        """A picture at a step."""
        ...

    def sound(self, title: str, samples: torch.Tensor, sample_rate: int, step: int) -> None:
        """Samples [n] at a step."""
        ...

    def close(self) -> None:
        """End the run; nothing may be sent after this."""
        ...


class TensorBoard:
    """Event files in the run's ``tensorboard/``."""

    def __init__(self, run: Path) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self.writer = SummaryWriter(str(run / "tensorboard"))

    def scalars(self, kind: str, values: dict[str, float], step: int) -> None:
        """See ``Tracker``."""
        for name, value in values.items():
            self.writer.add_scalar(f"{kind}/{name}", value, step)

    def picture(self, title: str, png: bytes, step: int) -> None:
        """See ``Tracker``."""
        self.writer.add_image(title, as_image(png), step, dataformats="HWC")

    def sound(self, title: str, samples: torch.Tensor, sample_rate: int, step: int) -> None:
        """See ``Tracker``."""
        self.writer.add_audio(title, samples[None], step, sample_rate=sample_rate)

    def close(self) -> None:
        """See ``Tracker``."""
        self.writer.close()


class Logged:
    """A tracker of wandb, or of trackio, which copies wandb's interface. Each sends or keeps data as configured."""

    def __init__(self, library: str, run: Path, stage: str, config: dict[str, Any]) -> None:
        try:
            self.library: Any = importlib.import_module(library)
        except ModuleNotFoundError as error:
            raise ConfigError(
                f"run.trackers names '{library}', which is not installed: pip install {library}"
            ) from error
        self.run: Any = self.library.init(project="triforce-tts", name=run.name, group=stage, config=config)

    def scalars(self, kind: str, values: dict[str, float], step: int) -> None:
        """See ``Tracker``."""
        self.library.log({f"{kind}/{name}": value for name, value in values.items()}, step=step)

    def picture(self, title: str, png: bytes, step: int) -> None:
        """See ``Tracker``."""
        self.library.log({title: self.library.Image(as_image(png))}, step=step)

    def sound(self, title: str, samples: torch.Tensor, sample_rate: int, step: int) -> None:
        """See ``Tracker``."""
        audio = self.library.Audio(samples.numpy(), sample_rate=sample_rate)
        self.library.log({title: audio}, step=step)

    def close(self) -> None:
        """See ``Tracker``."""
        self.library.finish()


def open_trackers(names: Sequence[str], run: Path, stage: str, config: dict[str, Any]) -> list[Tracker]:
    """The trackers that ``names`` ask for.

    Raises:
        ConfigError: one of them is not installed.
    """
    return [TensorBoard(run) if name == "tensorboard" else Logged(name, run, stage, config) for name in names]
