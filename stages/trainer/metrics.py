"""``metrics.jsonl`` of a run: a JSON object a line, appended while the run goes on.

A full disk, a power cut or a kill may leave a line cut in two. Such a line is no reason to stop: a run that goes on removes
it, and readers pass over it.
"""

import json
from pathlib import Path
from typing import Any, BinaryIO, TextIO

METRICS = "metrics.jsonl"
_BLOCK = 1 << 16  # bytes that are read at once in search of the last whole line


def open_metrics(run: Path) -> TextIO:
    """The file with the metrics of ``run``, to append rows to; a row that was cut at its end is removed."""
    path = run / METRICS
    if path.is_file():
        with path.open("r+b") as file:
            file.truncate(_end_of_whole_lines(file))
    return path.open("a", encoding="utf-8")


def _end_of_whole_lines(file: BinaryIO) -> int:
    """The number of bytes up to the end of the last line that has an end."""
    end = file.seek(0, 2)
    while end:
        start = max(0, end - _BLOCK)
        file.seek(start)
        found = file.read(end - start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0


def read_metrics(run: Path) -> list[dict[str, Any]]:
    """The rows of the metrics of ``run``, without lines that are no JSON object; none if there is no file."""
    path = run / METRICS
    if not path.is_file():
        return []
    rows = []
    for line in path.read_text(encoding="utf-8", errors="replace").split("\n"):
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict):
            rows.append(row)
    return rows


def validations(run: Path) -> list[dict[str, Any]]:
    """The rows of ``read_metrics`` that record a validation."""
    return [row for row in read_metrics(run) if row.get("kind") == "validation"]
