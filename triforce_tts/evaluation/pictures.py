"""The pictures of a report: mel spectrograms of the worst sentences, and the similarity of voices."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from triforce_tts.audio.io import read_audio
from triforce_tts.audio.resample import ANALYSIS_RATE
from triforce_tts.drawing import blank_figure, draw_mel, draw_similarity, save_figure
from triforce_tts.evaluation.order import Shown, worst_first
from triforce_tts.evaluation.panel import INSTALL
from triforce_tts.evaluation.report import AUDIO, PICTURES, Clip, Report, Similarity
from triforce_tts.judges.networks import absent

MATRIX = "similarity.png"
_MOST_SENTENCES = 12  # only so many of the worst sentences have pictures
_MOST_CLIPS = 3  # the most clips in the picture of a sentence


@dataclass(frozen=True)
class Drawn:
    """The pictures that were drawn, as file names in the folder ``pictures``."""

    # For each id of a sentence, the picture of its clips.
    mels: dict[str, str] = field(default_factory=dict)
    matrix: str = ""  # the picture of the similarities; empty if there is none
    remark: str = ""


def draw(report: Report, folder: Path) -> Drawn:
    """Draw the pictures of the report. Without matplotlib there are none, and the remark says so."""
    if absent("matplotlib"):
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


def _draw_mels(shown: Shown, titles: dict[str, str], audio: Path, path: Path) -> bool:
    """Draw the first clips of a sentence, one above another on one time scale; returns whether there was any."""
    clips = [clip for clip in _picked(shown.clips) if clip.audio is not None]
    if not clips:
        return False
    figure = blank_figure(7.0, 1.5 * len(clips))
    rows = figure.subplots(len(clips), 1, squeeze=False, sharex=True)[:, 0]
    for axes, clip in zip(rows, clips, strict=True):
        draw_mel(axes, read_audio(audio / str(clip.audio), ANALYSIS_RATE).samples.numpy())
        axes.set_title(titles[clip.system], fontsize=8, loc="left", parse_math=False)
    # An image would set its own length as the length of all rows.
    rows[-1].set_xlim(0, max(clip.seconds for clip in clips))
    rows[-1].set_xlabel("seconds", fontsize=8)
    save_figure(figure, path, 80)
    return True


def _picked(clips: Sequence[Clip]) -> list[Clip]:
    """One clip of each system, in their order."""
    return list({clip.system: clip for clip in reversed(clips)}.values())[::-1][:_MOST_CLIPS]


def _draw_matrix(similarity: Similarity, path: Path) -> None:
    """Draw a table: a row for each spoken voice, and a column for each clip that it should sound like."""
    titles = ("spoken as", "clip of the voice")
    draw_similarity(similarity.cosines, similarity.speakers, similarity.references, titles, path)
