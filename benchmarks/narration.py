"""A whole narration, heard again: ``python -m benchmarks.narration BOOK.narration --out FILE [--picture PNG]``.

The lines of a finished narration are read from its folder. A recogniser hears each of them, and the words are compared
with those that were to be spoken. The report has four parts:

  words     words heard wrongly over the whole book and for each chapter. The recogniser's own errors are among them.
  flags     whether the lines that the checks flagged deserve it: words heard wrongly in them and in the others
  drift     pitch, level, rate and likeness to the voice over the hours: how far each goes in an hour, by least squares
  speed     seconds of speech, and of the work on them

The lines are resampled for the intervals, which hold 95 %. The picture shows the drift.
"""

import argparse
import json
import math
import random
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks import judges
from triforce_tts.audio.resample import ANALYSIS_RATE, resample
from triforce_tts.drawing import blank_figure, require_png, save_figure
from triforce_tts.evaluation.statistics import interval
from triforce_tts.files import write_json
from triforce_tts.judges.pitch import pitch
from triforce_tts.judges.recognisers import open_recogniser
from triforce_tts.judges.words import word_edits
from triforce_tts.narrator.lines import LineRecord, Lines
from triforce_tts.narrator.plan import Plan, PlannedLine
from triforce_tts.schema import read_record

_DRAWS = 1000
# The seconds of speech in a window. The picture and the table of the drift have a median for each window.
_WINDOW_S = 300.0
_PITCH_EVERY = 4  # pitch costs most of the time, so only each fourth line is asked for it
_LEAST_S = 2.0  # a shorter line says little about pitch and rate
DRIFTS = {
    "semitones": "pitch, semitones",
    "level": "level, dB",
    "rate": "rate, times the usual",
    "likeness": "likeness",
}


@dataclass(frozen=True)
class Heard:
    """A line, with what the recogniser heard and its figures."""

    chapter: int
    number: int
    text: str
    heard: str
    wrong: int  # the number of wrong words
    words: int
    at_s: float  # the position in the book's speech
    seconds: float
    flags: tuple[str, ...]
    figures: dict[str, float]  # the figures of the checks, and the pitch in semitones over 100 Hz


def hear(task: tuple[Path, int, PlannedLine, LineRecord, float, str]) -> Heard:
    """One line, recognised and measured."""
    folder, chapter, line, record, at_s, recogniser = task
    torch.set_num_threads(1)
    figures, heard = dict(record.figures), ""
    if record.samples:
        wave = Lines(folder, {}).read(line.key, record)
        heard = open_recogniser(recogniser).hear(resample(wave, record.sample_rate, ANALYSIS_RATE))
        is_asked = line.number % _PITCH_EVERY == 0 and record.seconds >= _LEAST_S
        melody = pitch(wave, record.sample_rate) if is_asked else None
        if melody is not None:
            figures["semitones"] = 12 * math.log2(melody.median_hz / 100)
    edits = word_edits(line.text, heard)
    return Heard(
        chapter, line.number, line.text, heard, edits.wrong, edits.total, at_s, record.seconds, record.flags, figures
    )


def tasks(folder: Path, plan: Plan, recogniser: str) -> list[tuple[Path, int, PlannedLine, LineRecord, float, str]]:
    """The lines in order.

    Raises:
        SystemExit: a line is missing.
    """
    lines, at_s = Lines(folder, {}), 0.0
    jobs = []
    for part in plan.parts:
        for line in part.lines:
            record = lines.record(line.key)
            if record is None:
                raise SystemExit(f"{folder}: line {line.number} is missing; finish the narration first")
            jobs.append((folder, part.number, line, record, at_s, recogniser))
            at_s += record.seconds + line.pause_s
    return jobs


def share_wrong(lines: Sequence[Heard], seed: int = 0) -> tuple[float, float, float]:
    """The share of words that were heard wrongly, with the interval over lines."""
    pairs = np.array([(line.wrong, line.words) for line in lines], dtype=np.float64).reshape(-1, 2)
    if not pairs[:, 1].sum():
        return math.nan, math.nan, math.nan
    return _with_interval(pairs, lambda rows: float(rows[:, 0].sum() / max(1.0, rows[:, 1].sum())), seed)


def hourly(lines: Sequence[Heard], name: str, seed: int = 0) -> tuple[float, float, float]:
    """The change of a figure in an hour of speech, by least squares over the lines, with its interval."""
    rows = np.array([(line.at_s / 3600, line.figures[name]) for line in lines if _tells(line, name)])
    if len(rows) < 3:
        return math.nan, math.nan, math.nan
    return _with_interval(rows, _slope, seed)


def _tells(line: Heard, name: str) -> bool:
    return line.seconds >= _LEAST_S and math.isfinite(line.figures.get(name, math.nan))


def _slope(rows: Any) -> float:
    away = rows[:, 0] - rows[:, 0].mean()
    return float(away @ rows[:, 1] / max(1e-12, away @ away))


def _with_interval(rows: Any, figure: Callable[[Any], float], seed: int) -> tuple[float, float, float]:
    rng = np.random.default_rng(seed)
    drawn = [figure(rows[rng.integers(0, len(rows), len(rows))]) for _ in range(_DRAWS)]
    low, high = np.percentile(drawn, (2.5, 97.5))
    return figure(rows), float(low), float(high)


def windows(lines: Sequence[Heard], name: str) -> list[tuple[float, float]]:
    """The median of a figure for each stretch of speech: minutes, figure."""
    by_window: dict[int, list[float]] = {}
    for line in lines:
        if _tells(line, name):
            by_window.setdefault(int(line.at_s // _WINDOW_S), []).append(line.figures[name])
    return [((at + 0.5) * _WINDOW_S / 60, float(np.median(values))) for at, values in sorted(by_window.items())]


def flags(lines: Sequence[Heard]) -> dict[str, Any]:
    """The recogniser's figures of the flagged lines and of the others."""
    flagged = [line for line in lines if line.flags]
    others = [line for line in lines if not line.flags]
    return {
        "flagged": len(flagged),
        "of": len(lines),
        "words wrong in flagged lines": share_wrong(flagged),
        "words wrong in the others": share_wrong(others),
        "flagged lines with a word heard wrongly": sum(line.wrong > 0 for line in flagged),
        "others with a third of their words heard wrongly": sum(
            line.words >= 3 and 3 * line.wrong >= line.words for line in others
        ),
        "lines": [_row(line) for line in flagged],
    }


def _row(line: Heard) -> dict[str, Any]:
    return {"number": line.number, "text": line.text, "heard": line.heard, "wrong": line.wrong, "words": line.words,
            "flags": list(line.flags)}  # fmt: skip


def summary(lines: Sequence[Heard], plan: Plan, records: Sequence[LineRecord], recogniser: str) -> dict[str, Any]:
    """The figures of the report."""
    chapters = sorted({line.chapter for line in lines})
    others = [line for line in lines if not line.flags]
    worst = sorted(others, key=lambda line: (-line.wrong / max(1, line.words), line.number))
    seconds, took = sum(record.seconds for record in records), sum(record.took_s for record in records)
    return {
        "book": plan.title,
        "model": plan.model,
        "recogniser": recogniser,
        "words": {
            "all": share_wrong(lines),
            "count": sum(line.words for line in lines),
            "chapters": {n: share_wrong([line for line in lines if line.chapter == n])[0] for n in chapters},
        },
        "flags": flags(lines) | {"worst of the others": [_row(line) for line in worst[:20]]},
        "drift": {
            name: {"an hour": hourly(lines, name), "medians": windows(lines, name),
                   "lines": interval([line.figures[name] for line in lines if _tells(line, name)])}
            for name in DRIFTS if any(_tells(line, name) for line in lines)
        },
        "speed": {"speech, s": seconds, "work, s of a process": took},
    }  # fmt: skip


def draw(lines: Sequence[Heard], path: Path) -> None:
    """The drift: a point for each line, and the median of each stretch."""
    names = [name for name in DRIFTS if windows(lines, name)]
    figure = blank_figure(9, 2 * len(names))
    for axes, name in zip(np.atleast_1d(figure.subplots(len(names), 1, sharex=True)), names, strict=True):
        group = [line for line in lines if _tells(line, name)]
        axes.plot([line.at_s / 60 for line in group], [line.figures[name] for line in group], ".", ms=1.5, color="#bbb")
        axes.plot(*zip(*windows(lines, name), strict=True), color="#a00", lw=1.6)
        axes.set_ylabel(DRIFTS[name])
    axes.set_xlabel("minutes of speech")
    save_figure(figure, path, 110)


def main() -> None:
    """Hear, compare, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("narration", type=Path, help="folder NAME.narration of a finished narration")
    parser.add_argument(
        "--recogniser", help="tiny.en, pocketsphinx, or a folder of Whisper; default: what is installed"
    )
    parser.add_argument("--limit", type=int, help="hear so many lines, drawn by chance; default: all")
    parser.add_argument("--workers", type=int, default=1, help="default: %(default)s")
    parser.add_argument("--out", type=Path, required=True, help="JSON to write")
    parser.add_argument("--picture", type=Path, help="PNG to draw")
    options = parser.parse_args()
    if options.picture is not None:
        require_png("--picture", options.picture)
    recogniser = options.recogniser or judges.chosen()
    plan = read_record(options.narration / "plan.json", Plan)
    work = tasks(options.narration, plan, recogniser)
    if options.limit is not None:
        work = sorted(random.Random(0).sample(work, min(options.limit, len(work))), key=lambda task: task[4])
    with ProcessPoolExecutor(options.workers, mp_context=get_context("spawn")) as pool:
        lines = list(pool.map(hear, work, chunksize=8))
    report = summary(lines, plan, [task[3] for task in work], open_recogniser(recogniser).name)
    write_json(options.out, report)
    if options.picture is not None:
        draw(lines, options.picture)
    short = {name: value for name, value in report["flags"].items() if not isinstance(value, list)}
    drift = {name: value["an hour"] for name, value in report["drift"].items()}
    print(json.dumps(report | {"flags": short, "drift": drift}, indent=1))


if __name__ == "__main__":
    main()
