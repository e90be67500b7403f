"""Pictures of a report: mel spectrograms of the worst sentences, and who sounds like whom."""

import importlib.util
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from triforce_tts.audio.io import read_audio
from triforce_tts.audio.mel import AudioConfig, mel_spectrogram
from triforce_tts.audio.resample import ANALYSIS_RATE
from triforce_tts.evaluation.order import Shown, worst_first
from triforce_tts.evaluation.panel import INSTALL
from triforce_tts.evaluation.report import AUDIO, PICTURES, Clip, Report, Similarity

MATRIX = "similarity.png"
_MOST_SENTENCES = 12  # the worst ones, which have pictures
_LONGEST_NAME = 60  # characters of a voice's name in a picture
_LETTER = 0.06  # inches that a letter of such a name takes
_BRIGHT = 0.75  # cosines above it have a light colour
_MOST_CLIPS = 3  # of a sentence in its picture
_MEL = AudioConfig(
    sample_rate=ANALYSIS_RATE, n_fft=512, hop_length=128, n_mels=80
)  # one for all, whatever a model uses


@dataclass(frozen=True)
class Drawn:
    """What was drawn, as names in the folder ``pictures``."""

    mels: dict[str, str] = field(default_factory=dict)  # of a sentence's id
    matrix: str = ""  # empty: there is none
    remark: str = ""


def draw(report: Report, folder: Path) -> Drawn:
    """Draw what the report has; without matplotlib nothing, and the remark says so."""
    if importlib.util.find_spec("matplotlib") is None:
        return Drawn(remark=f"pictures: left out, because matplotlib cannot be found; {INSTALL}")
    mels = {}
    for shown in worst_first(report)[:_MOST_SENTENCES]:
        name = f"{shown.sentence}.png"
        if _draw_mels(shown, report.titles, folder / AUDIO, folder / PICTURES / name):
            mels[shown.sentence] = name
    matrix = ""
    if report.similarity is not None and report.similarity.cosines and len(report.similarity.references) > 1:
        matrix = MATRIX
        _draw_matrix(report.similarity, folder / PICTURES / MATRIX)
    return Drawn(mels, matrix)


def _figure(width: float, height: float) -> Any:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _save(figure: Any, path: Path, dpi: int) -> None:
    with warnings.catch_warnings():  # a box in place of a letter that the font lacks is good enough
        warnings.filterwarnings("ignore", message="Glyph .* missing from", category=UserWarning)
        figure.savefig(path, dpi=dpi)


def _draw_mels(shown: Shown, titles: dict[str, str], audio: Path, path: Path) -> bool:
    """The first clips of a sentence, one above another on one scale of time; whether there was any."""
    clips = [clip for clip in _picked(shown.clips) if clip.audio is not None]
    if not clips:
        return False
    figure = _figure(7.0, 1.5 * len(clips))
    rows = figure.subplots(len(clips), 1, squeeze=False, sharex=True)[:, 0]
    for axes, clip in zip(rows, clips, strict=True):
        samples = read_audio(audio / str(clip.audio), ANALYSIS_RATE).samples
        mel = mel_spectrogram(samples[None], _MEL)[0].numpy().T
        seconds = len(samples) / ANALYSIS_RATE
        axes.imshow(mel, origin="lower", aspect="auto", extent=(0, seconds, 0, _MEL.n_mels), cmap="magma")
        axes.set_yticks([])
        axes.set_title(titles[clip.system], fontsize=8, loc="left", parse_math=False)
    rows[-1].set_xlim(0, max(clip.seconds for clip in clips))  # an image would set its own length for all rows
    rows[-1].set_xlabel("seconds", fontsize=8)
    _save(figure, path, 80)
    return True


def _picked(clips: Sequence[Clip]) -> list[Clip]:
    """One clip of each system, in their order."""
    return list({clip.system: clip for clip in reversed(clips)}.values())[::-1][:_MOST_CLIPS]


def _draw_matrix(similarity: Similarity, path: Path) -> None:
    """Spoken voices by rows, the clips that they shall sound like by columns; a number in each cell while they are few."""
    cosines = np.array(similarity.cosines)
    rows, columns = cosines.shape
    across, down = ([name[:_LONGEST_NAME] for name in names] for names in (similarity.references, similarity.speakers))
    wide, high = (_LETTER * max(map(len, names)) for names in (down, across))
    figure = _figure(2.5 + 0.45 * columns + wide, 1.2 + 0.35 * rows + high)
    axes = figure.subplots()
    picture = axes.imshow(cosines, vmin=0.4, vmax=1.0, cmap="viridis", aspect="auto")
    axes.set_xticks(range(columns), across, rotation=60, ha="right", fontsize=7, parse_math=False)
    axes.set_yticks(range(rows), down, fontsize=7, parse_math=False)
    axes.set_xlabel("clip of the voice", fontsize=8)
    axes.set_ylabel("spoken as", fontsize=8)
    if cosines.size <= 400:
        for row, column in np.ndindex(rows, columns):
            color = "black" if cosines[row, column] > _BRIGHT else "white"
            axes.text(column, row, f"{cosines[row, column]:.2f}", ha="center", va="center", fontsize=7, color=color)
    figure.colorbar(picture, ax=axes, label="cosine")
    _save(figure, path, 100)
