"""A ``manifest.jsonl``: each line is a JSON object that describes a clip."""

import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator

from triforce_tts.errors import ShardError
from triforce_tts.schema import PathText, Record, parse_record
from triforce_tts.textfiles import read_lines

from .clips import Clip, Inventory
from .licences import UNKNOWN_LICENSE
from .names import make_key, name_of
from .places import Place

BAD_LINE = "line not read"
_ID = re.compile(r'"id"\s*:\s*"([^"\\]+)"')
_CONTROLS = dict.fromkeys(range(1, 32), " ")  # JSON forbids control characters in strings, but some programs write them


def _check_plain(text: str) -> str:
    """Refuse an empty name or path, and one with control characters."""
    if not text.strip():
        raise ValueError("is empty")
    if any(ord(c) < 32 or ord(c) == 127 for c in text):
        raise ValueError("has control characters")
    return text


Plain = Annotated[str, AfterValidator(_check_plain)]
PlainPath = Annotated[PathText, AfterValidator(_check_plain)]


class Entry(Record):
    """A line of a manifest."""

    id: Plain
    audio: PlainPath
    text: str
    speaker: Plain
    source: str | None = None
    license: str | None = None
    reader: str | None = None
    text_case: str | None = None
    snr_db: float | None = None
    normalized: str | None = None
    alignment: tuple[tuple[float, ...], ...] | None = None


def read_manifest(path: Path, inventory: Inventory) -> None:
    """Add the clips that a manifest describes to ``inventory``.

    Raises:
        UnreadableText: the file cannot be read.
    """
    place = Place()
    for line in read_lines(path):
        where = f"{path}, line {line.number}"
        id_match = _ID.search(line.text)
        name = id_match[1] if id_match else f"{path.name}:{line.number}"
        try:
            if line.fault:
                raise ShardError(line.fault)
            entry = parse_record(Entry, line.text.translate(_CONTROLS), where, ShardError)
        except ShardError as error:
            inventory.drop(name, BAD_LINE, error)
            continue
        inventory.clips.append(
            Clip(
                id=make_key(entry.id),
                audio=str(place.audio(path.parent / entry.audio)),
                text=entry.text,
                speaker=entry.speaker,
                collection=_flat(entry.source) or name_of(path.parent),
                license=_flat(entry.license) or UNKNOWN_LICENSE,
                punct=entry.text_case != "upper",
                reader=_flat(entry.reader) or None,
                snr_db=entry.snr_db,
                name=entry.id,
                alignment=entry.alignment,
                normalized=entry.normalized,
            )
        )


def _flat(text: str | None) -> str:
    return " ".join((text or "").split())
