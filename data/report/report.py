"""What a build tells people: two tables, and one page that opens in any browser without a network.

Segments are read once and in order, so that ten million of them need no memory: the tables are written on the way, and
only counts and a few examples are kept. Every second must be accounted for, or there is no report.
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

from ..common.segments import Failure, Source, Wave
from .page import Example, write_page
from .tally import Row, SourceRows, Step, Tally, outcome, seconds

# source id, (start, end) of stretches in seconds: the samples [n] of each, and their rate in Hz
Read = Callable[[str, Sequence[tuple[float, float]]], tuple[list[Wave], int]]

_SEGMENT_COLUMNS = ("source", "start_s", "end_s", "seconds", "speaker", "outcome", "value", "text")
_SOURCE_COLUMNS = (
    "source", "collection", "title", "license", "url", "path", "outcome", "seconds", "kept_s", "segments",
)  # fmt: skip
_FORMULA = tuple("=+-@\t\r\n＝＋－＠")  # the beginning of one in some spreadsheet
_NUMBER = re.compile(r"[-+]?\d+(\.\d+)?( dB)?", re.ASCII)


class ReportConfig(Config):
    """What the page shows."""

    examples: Annotated[int, Field(ge=0)] = 5  # of each reason, and of what is kept
    max_example_s: Annotated[float, Field(gt=0)] = 12.0  # of the sound of one
    max_sound_mb: Annotated[float, Field(ge=0)] = 6.0  # of the sound of all; in the page it takes a third more


def write_report(
    folder: Path,
    sources: Iterable[SourceRows],
    failures: Sequence[Failure] = (),
    steps: Sequence[Step] = (),
    read: Read | None = None,
    config: ReportConfig | None = None,
) -> Tally:
    """Write ``segments.csv``, ``sources.csv`` and ``index.html`` into ``folder``; returns what they sum up.

    Args:
        folder: where to write, such as ``OUT/report``.
        sources: the recordings in the order to list them; read once.
        failures: the sources that could not be used.
        steps: speed and losses of the steps, in order.
        read: gives the sound of an example; without it the page has none.
        config: what the page shows; default: ``ReportConfig()``.

    Raises:
        TriforceError: the segments of a recording do not cover it (see ``tally.check_cover``), or the disk is full.
    """
    config = config or ReportConfig()
    tally, picker = Tally(), _Picker(config.examples)
    with _segment_table(folder / "segments.csv") as segments, _source_table(folder / "sources.csv") as listing:
        for item in sources:
            share = tally.add(item)
            for row in item.rows:
                segments.add(item.source.id, row)
                picker.see(item.source, row)
            source = item.source
            about = (source.id, source.collection, source.title, source.license, source.url, source.path)
            listing.writerow(
                [*map(text_cell, about), "read", round(share.total_s, 3), round(share.kept_s, 3), len(item.rows)]
            )
        for failure in failures:
            listing.writerow([text_cell(failure.name), "", "", "", "", "", text_cell(failure.reason), 0, 0, 0])
    examples = list(picker.chosen(tally))
    if read is not None:
        _add_sound(examples, read, config)
    write_page(folder / "index.html", tally, failures, steps, examples)
    return tally


# --- tables ----------------------------------------------------------------------------------------------------


def text_cell(text: str | None) -> str:
    """A cell of text; an apostrophe, as OWASP advises, stands before what a spreadsheet would run as a formula."""
    text = (text or "").replace("\0", "")  # which Python 3.10 cannot write
    return f"'{text}" if text.startswith(_FORMULA) and not _NUMBER.fullmatch(text) else text


@contextmanager
def _source_table(path: Path) -> Iterator[Any]:
    # File names need not be valid Unicode: what cannot be written is escaped.
    with (
        atomic_path(path) as temporary,
        temporary.open("w", newline="", encoding="utf-8", errors="backslashreplace") as file,
    ):
        writer = csv.writer(file)
        writer.writerow(_SOURCE_COLUMNS)
        yield writer


class _SegmentTable:
    """Rows whose scores get their columns as they are first seen."""

    def __init__(self, file: Any) -> None:
        self._writer = csv.writer(file)
        self.scores: dict[str, int] = {}  # the place of each, in order of appearance

    def add(self, source_id: str, row: Row) -> None:
        for name in row["scores"]:
            self.scores.setdefault(name, len(self.scores))
        times = (f"{time:.4f}" for time in (row["start_s"], row["end_s"], seconds(row)))
        cells = [
            text_cell(source_id),
            *times,
            *map(text_cell, (row["speaker"], outcome(row), row["value"], row["text"])),
        ]
        values = (row["scores"].get(name) for name in self.scores)
        self._writer.writerow(cells + ["" if v is None or not math.isfinite(v) else f"{v:.6g}" for v in values])


@contextmanager
def _segment_table(path: Path) -> Iterator[_SegmentTable]:
    """The table of all segments: written once without a head, then copied with one, when all scores are known."""
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
    """A few segments of each outcome, by the hash of their place: a fair choice, the same in every build."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._heaps: defaultdict[str, list[tuple[int, int, Source, Row]]] = defaultdict(list)
        self._seen = 0

    def see(self, source: Source, row: Row) -> None:
        digest = hashlib.sha256(f"{source.id} {row['start_s']:.3f}".encode("utf-8", "replace")).digest()
        self._seen += 1  # decides between equal hashes
        entry = (-int.from_bytes(digest[:8], "big"), -self._seen, source, row)
        heap = self._heaps[outcome(row)]
        if len(heap) < self._count:
            heapq.heappush(heap, entry)
        elif heap and entry[:2] > heap[0][:2]:
            heapq.heapreplace(heap, entry)

    def chosen(self, tally: Tally) -> Iterator[Example]:
        """What is kept first, then the reasons as the tally orders them."""
        for result in tally.outcomes():
            for *_, source, row in sorted(self._heaps[result], key=lambda entry: (entry[2].id, entry[3]["start_s"])):
                yield Example(result, source, row)


def _add_sound(examples: Sequence[Example], read: Read, config: ReportConfig) -> None:
    """Give ``examples`` their sound, until the page has as much as it may hold; each recording is read once."""
    by_source: defaultdict[str, list[Example]] = defaultdict(list)
    for example in examples:
        by_source[example.source.id].append(example)
    for name, members in by_source.items():
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
            example.opus, example.note = b"", "its sound is left out: the page has as much as it may hold"
        room -= len(example.opus)
