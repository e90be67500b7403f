"""What a build tells people: two tables, and one page that opens in any browser without a network.

The segments are read once and in order, so even ten million of them need little memory: the tables are written on the
way, and only counts and a few examples stay in memory. If the segments do not account for every second, there is no
report.
"""

import csv
import hashlib
import heapq
import math
import re
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import torch
from pydantic import Field

from triforce_tts.audio.io import Audio, encode_opus
from triforce_tts.errors import TriforceError
from triforce_tts.files import atomic_path
from triforce_tts.schema import Config

from ..common.segments import Failure, Recording, Wave
from .page import Example, write_page
from .tally import RecordingRows, Row, Step, Tally, outcome, seconds

# Takes the id of a recording and (start, end) of stretches in seconds; gives the samples [n] of each, and their rate
# in Hz.
Read = Callable[[str, Sequence[tuple[float, float]]], tuple[list[Wave], int]]

_SEGMENT_COLUMNS = ("source", "start_s", "end_s", "seconds", "speaker", "outcome", "value", "text")
_RECORDING_COLUMNS = (
    "source", "collection", "title", "license", "url", "path", "outcome", "seconds", "kept_s", "segments",
    "faults",
)  # fmt: skip
_FORMULA = tuple("=+-@\t\r\n＝＋－＠")  # some spreadsheet takes a cell that begins with one of these for a formula
_NUMBER = re.compile(r"[-+]?\d+(\.\d+)?( dB)?", re.ASCII)


class ReportConfig(Config):
    """The size of the page."""

    examples: Annotated[int, Field(ge=0)] = 5  # how many examples of each outcome the page shows
    max_example_s: Annotated[float, Field(gt=0)] = 12.0  # seconds of an example that can be heard
    max_sound_mb: Annotated[float, Field(ge=0)] = 6.0  # megabytes of sound in all examples; the page needs a third more


def write_report(
    folder: Path,
    recordings: Iterable[RecordingRows],
    failures: Sequence[Failure] = (),
    steps: Sequence[Step] = (),
    read: Read | None = None,
    config: ReportConfig | None = None,
) -> Tally:
    """Write ``segments.csv``, ``sources.csv`` and ``index.html`` into ``folder``; returns what they sum up.

    Args:
        folder: where to write, such as ``OUT/report``.
        recordings: the recordings in the order in which the tables list them; read once.
        failures: what gave no recording.
        steps: the sums of each step, in order.
        read: gives the sound of an example; without it the page has no sound.
        config: the size of the page; the default is ``ReportConfig()``.

    Raises:
        TriforceError: the segments of a recording do not cover it (see ``tally.check_cover``), or the disk is full.
    """
    config = config or ReportConfig()
    tally, picker = Tally(), _Picker(config.examples)
    with _segment_table(folder / "segments.csv") as segments, _recording_table(folder / "sources.csv") as listing:
        for item in recordings:
            share = tally.add(item)
            for row in item.rows:
                segments.add(item.recording.id, row)
                picker.see(item.recording, row)
            recording = item.recording
            about = (
                recording.id,
                recording.collection,
                recording.title,
                recording.license,
                recording.url,
                recording.path,
            )
            lengths = (round(share.total_s, 3), round(share.kept_s, 3), len(item.rows))
            listing.writerow([*map(text_cell, about), "read", *lengths, text_cell("; ".join(item.faults))])
        for failure in failures:
            listing.writerow([text_cell(failure.name), "", "", "", "", "", text_cell(failure.reason), 0, 0, 0, ""])
    examples = list(picker.chosen(tally))
    if read is not None:
        _add_sound(examples, read, config)
    write_page(folder / "index.html", tally, failures, steps, examples)
    return tally


# --- tables ----------------------------------------------------------------------------------------------------


def text_cell(text: str | None) -> str:
    """A cell of text; as OWASP advises, an apostrophe goes before a text that a spreadsheet would run as a formula."""
    text = (text or "").replace("\0", "")  # the csv module of Python 3.10 cannot write a zero byte
    return f"'{text}" if text.startswith(_FORMULA) and not _NUMBER.fullmatch(text) else text


@contextmanager
def _recording_table(path: Path) -> Iterator[Any]:
    # A file name may be invalid Unicode; its invalid characters are written as escapes.
    with (
        atomic_path(path) as temporary,
        temporary.open("w", newline="", encoding="utf-8", errors="backslashreplace") as file,
    ):
        writer = csv.writer(file)
        writer.writerow(_RECORDING_COLUMNS)
        yield writer


class _SegmentTable:
    """Rows of segments; each score gets a column when it first appears."""

    def __init__(self, file: Any) -> None:
        self._writer = csv.writer(file)
        self.scores: dict[str, int] = {}  # the column of each score, in order of appearance

    def add(self, recording_id: str, row: Row) -> None:
        for name in row["scores"]:
            self.scores.setdefault(name, len(self.scores))
        times = (f"{time:.4f}" for time in (row["start_s"], row["end_s"], seconds(row)))
        cells = [
            text_cell(recording_id),
            *times,
            *map(text_cell, (row["speaker"], outcome(row), row["value"], row["text"])),
        ]
        values = (row["scores"].get(name) for name in self.scores)
        self._writer.writerow(cells + ["" if v is None or not math.isfinite(v) else f"{v:.6g}" for v in values])


@contextmanager
def _segment_table(path: Path) -> Iterator[_SegmentTable]:
    """The table of all segments: first written without a header, then copied with one, when all scores are known."""
    unicode: Mapping[str, Any] = {"newline": "", "encoding": "utf-8", "errors": "backslashreplace"}
    with atomic_path(path) as temporary, tempfile.TemporaryFile("w+", dir=temporary.parent, **unicode) as body:
        table = _SegmentTable(body)
        yield table
        body.seek(0)
        names = sorted(table.scores)
        fixed = len(_SEGMENT_COLUMNS)
        with temporary.open("w", **unicode) as file:
            writer = csv.writer(file)
            writer.writerow([*_SEGMENT_COLUMNS[:-1], *names, _SEGMENT_COLUMNS[-1]])
            for cells in csv.reader(body):
                cells += [""] * (fixed + len(names) - len(cells))
                writer.writerow(
                    [*cells[: fixed - 1], *(cells[fixed + table.scores[n]] for n in names), cells[fixed - 1]]
                )


# --- examples --------------------------------------------------------------------------------------------------


class _Picker:
    """Picks a few segments of each outcome by a hash of their places, so every build picks the same ones."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._heaps: defaultdict[str, list[tuple[int, int, Recording, Row]]] = defaultdict(list)
        self._seen = 0

    def see(self, recording: Recording, row: Row) -> None:
        digest = hashlib.sha256(f"{recording.id} {row['start_s']:.3f}".encode("utf-8", "replace")).digest()
        self._seen += 1  # it decides between equal hashes
        entry = (-int.from_bytes(digest[:8], "big"), -self._seen, recording, row)
        heap = self._heaps[outcome(row)]
        if len(heap) < self._count:
            heapq.heappush(heap, entry)
        elif heap and entry[:2] > heap[0][:2]:
            heapq.heapreplace(heap, entry)

    def chosen(self, tally: Tally) -> Iterator[Example]:
        """The examples of kept segments first, then those of each reason in the order of the tally."""
        for result in tally.outcomes():
            for *_, recording, row in sorted(self._heaps[result], key=lambda entry: (entry[2].id, entry[3]["start_s"])):
                yield Example(result, recording, row)


def _add_sound(examples: Sequence[Example], read: Read, config: ReportConfig) -> None:
    """Give ``examples`` their sound up to the limit of the page; each recording is read once."""
    by_recording: defaultdict[str, list[Example]] = defaultdict(list)
    for example in examples:
        by_recording[example.recording.id].append(example)
    for name, members in by_recording.items():
        starts = [example.row["start_s"] for example in members]
        ends = [min(e.row["end_s"], start + config.max_example_s) for e, start in zip(members, starts, strict=True)]
        try:
            waves, rate = read(name, list(zip(starts, ends, strict=True)))
            for example, samples in zip(members, waves, strict=True):
                example.samples = samples
                example.opus = encode_opus(Audio(torch.from_numpy(samples), rate))
                if seconds(example.row) > config.max_example_s:
                    example.note = f"the first {config.max_example_s:g} s of {seconds(example.row):.1f} s"
        except (TriforceError, OSError) as error:
            for example in members:
                example.note = f"its sound cannot be read: {error}"
    room = config.max_sound_mb * 1e6
    for example in examples:
        if len(example.opus) > room:
            example.opus, example.note = b"", "its sound is left out: the page has no room for it"
        room -= len(example.opus)
