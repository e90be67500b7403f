"""Pictures for several parts of the program: tables of similarity, and spectrograms. Drawing imports matplotlib."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from triforce_tts.audio.mel import AudioConfig, mel_spectrogram
from triforce_tts.audio.resample import ANALYSIS_RATE, Wave
from triforce_tts.errors import ConfigError
from triforce_tts.files import atomic_path, refuse_sources, require_file_target

_LONGEST_NAME = 60  # the most characters of a name in a picture
_LETTER = 0.06  # the width of a letter of such a name, in inches
_BRIGHT = 0.75  # cells with a higher cosine have a light colour
_MOST_NUMBERS = 400  # a table with more cells shows only colours, without numbers
_MEL = AudioConfig(
    sample_rate=ANALYSIS_RATE, n_fft=512, hop_length=128, n_mels=80
)  # one for all, whatever a model uses


def require_png(option: str, path: Path, sources: Sequence[Path] = ()) -> None:
    """Refuse, before any work is done, a picture that cannot be written.

    Args:
        option: the option of the command line that names the picture, for the message.
        path: the path of the picture.
        sources: the files that are read, which must not be replaced.

    Raises:
        ConfigError: the name does not end in .png.
        TriforceError: it is a source, a folder, a pipe or a device, or its folder cannot be made.
        ModuleNotFoundError: matplotlib is missing; the command line says how to install it.
    """
    if path.suffix.lower() != ".png":
        raise ConfigError(f"{option} {path}: the picture is a PNG; give it a name that ends in .png")
    import matplotlib  # noqa: F401

    refuse_sources(path, sources)
    require_file_target(path)


def blank_figure(width: float, height: float) -> Any:
    """A figure of ``width`` times ``height`` inches that needs no screen."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def save_figure(figure: Any, path: Path, dpi: int) -> None:
    """Write ``figure`` as a PNG, whole or not at all."""
    with warnings.catch_warnings(), atomic_path(path) as temporary:
        # A font may lack a letter; a box in its place is good enough.
        warnings.filterwarnings("ignore", message="Glyph .* missing from", category=UserWarning)
        figure.savefig(temporary, dpi=dpi, format="png")


def draw_mel(axes: Any, samples: Wave) -> None:
    """The mel spectrogram of ``samples`` [n] at ``ANALYSIS_RATE``, over seconds."""
    mel = mel_spectrogram(torch.as_tensor(samples)[None], _MEL)[0].numpy().T
    seconds = len(samples) / ANALYSIS_RATE
    axes.imshow(mel, origin="lower", aspect="auto", extent=(0, seconds, 0, _MEL.n_mels), cmap="magma")
    axes.set_yticks([])


def draw_similarity(
    cosines: npt.ArrayLike, rows: Sequence[str], columns: Sequence[str], titles: tuple[str, str], path: Path
) -> None:
    """A table of ``cosines`` [rows, columns] in colours, with a number in each cell while they are few.

    Args:
        cosines: the table.
        rows: the name of each row.
        columns: the name of each column.
        titles: the titles of the rows and of the columns.
        path: the PNG to write.
    """
    table = np.array(cosines)
    high_cells, wide_cells = table.shape
    across, down = ([name[:_LONGEST_NAME] for name in names] for names in (columns, rows))
    wide, high = (_LETTER * max(map(len, names)) for names in (down, across))
    cell = (0.45, 0.35) if table.size <= _MOST_NUMBERS else (0.15, 0.15)
    figure = blank_figure(2.5 + cell[0] * wide_cells + wide, 1.2 + cell[1] * high_cells + high)
    axes = figure.subplots()
    picture = axes.imshow(table, vmin=0.4, vmax=1.0, cmap="viridis", aspect="auto")
    axes.set_xticks(range(wide_cells), across, rotation=60, ha="right", fontsize=7, parse_math=False)
    axes.set_yticks(range(high_cells), down, fontsize=7, parse_math=False)
    axes.set_xlabel(titles[1], fontsize=8)
    axes.set_ylabel(titles[0], fontsize=8)
    if table.size <= _MOST_NUMBERS:
        for row, column in np.ndindex(high_cells, wide_cells):
            color = "black" if table[row, column] > _BRIGHT else "white"
            axes.text(column, row, f"{table[row, column]:.2f}", ha="center", va="center", fontsize=7, color=color)
    figure.colorbar(picture, ax=axes, label="cosine")
    save_figure(figure, path, 100)
