"""A ``manifest.jsonl``: each line is a JSON object that describes a clip.

The manifests of NeMo and the ``metadata.jsonl`` of Hugging Face have other names for the same things; they are read too.
"""

import json
import re
from collections.abc import Mapping, Set
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator

from triforce_tts.errors import ShardError
from triforce_tts.schema import PathText, Record, parse_record
from triforce_tts.textfiles import UnreadableText, read_lines
from triforce_tts.wording import counted

from .clips import Clip, Inventory
from .licences import UNKNOWN_LICENSE
from .names import is_punctuated, make_key, name_of
from .places import Place

BAD_LINE = "line not read"
_ID = re.compile(r'"id"\s*:\s*"([^"\\]+)"')
# What other programs call the path, the text and the speaker. Their clips have no ids, and often no speakers.
_AUDIO = ("audio_filepath", "file_name", "audio_path", "path")
_TEXT, _SPEAKER = ("transcription", "transcript", "sentence"), ("speaker_id", "speaker_name")
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
    entries: list[Entry] = []
    unnamed = 0
    if _is_json_list(path):
        raise UnreadableText(f"{path}: one JSON list; expected a JSON object in each line, without commas between them")
    # Most manifests have no such key, and their lines need not be parsed for it.
    offsets = (_object(line.text) for line in read_lines(path) if '"offset"' in line.text)
    cut = {_audio_of(values) for values in offsets if values.get("offset")}
    for line in read_lines(path):
        where = f"{path}, line {line.number}"
        id_match = _ID.search(line.text)
        name = id_match[1] if id_match else f"{path.name}:{line.number}"
        try:
            if line.fault:
                raise ShardError(line.fault)
            ours, lacks_speaker = _as_ours(line.text.translate(_CONTROLS), path, cut)
            entry = parse_record(Entry, ours, where, ShardError)
            unnamed += lacks_speaker
        except ShardError as error:
            inventory.drop(name, BAD_LINE, error)
            continue
        entries.append(entry)
    listed = place.all_listed(path.parent, [entry.audio for entry in entries])
    inventory.clips += [_clip(entry, audio, path) for entry, audio in zip(entries, listed.files, strict=True)]
    inventory.notes += listed.notes(path)
    if unnamed:
        speaker = name_of(path.parent)
        inventory.notes.append(f"{path}: {counted(unnamed, 'line')} without a speaker, all taken for '{speaker}'")


def _clip(entry: Entry, audio: Path, path: Path) -> Clip:
    return Clip(
        id=make_key(entry.id),
        audio=str(audio),
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


def _is_json_list(path: Path) -> bool:
    """Whether ``path`` holds a JSON list in place of lines: it begins as one, and no line is an object by itself."""
    lines = read_lines(path)
    first = next(lines, None)
    if first is None or not first.text.lstrip().startswith("["):
        return False
    return first.text.strip() == "[" or not any(_object(line.text) for line in lines)


def names_audio(line: str, folder: Path, place: Place) -> bool:
    """Whether ``line`` is a JSON object by which another program names a recording that is there."""
    name = _audio_of(_object(line))
    return bool(name) and place.find(place.listed(folder, name)) is not None


def _audio_of(values: Mapping[str, Any]) -> str:
    """The recording that another program's line names; empty if it names none."""
    return next((values[key] for key in _AUDIO if isinstance(values.get(key), str)), "")


def _as_ours(line: str, path: Path, cut: Set[str]) -> tuple[str, bool]:
    """``line`` with our names for what another program's line says, and whether it lacks a speaker.

    The folder's name stands for a speaker that is not named. Of the recordings ``cut``, other lines name stretches, so
    that this line names one too, even if it begins where the recording does.

    Raises:
        ShardError: the clip is a stretch of a longer recording.
    """
    values = _object(line)
    audio = _audio_of(values)
    if "audio" in values or not audio:
        return line, False
    if audio in cut:
        raise ShardError(f"'offset': it is a stretch of a longer recording ({audio}); cut it into a file of its own")
    text = next((values[key] for key in ("text", *_TEXT) if key in values), None)
    speaker = next((values[key] for key in ("speaker", *_SPEAKER) if values.get(key) is not None), None)
    ours = {"id": str(Path(audio).with_suffix("")), "audio": audio, "speaker": name_of(path.parent)}
    if speaker is not None:
        ours["speaker"] = str(speaker) if isinstance(speaker, int) else speaker
    if text is not None:
        ours["text"] = text
        ours["text_case"] = "mixed" if not isinstance(text, str) or is_punctuated(text) else "upper"
    return json.dumps({**values, **ours}), speaker is None


def _object(line: str) -> dict[str, Any]:
    try:
        values = json.loads(line)
    except (ValueError, RecursionError):  # whoever reads the line says what is wrong with it
        return {}
    return values if isinstance(values, dict) else {}


def _flat(text: str | None) -> str:
    return " ".join((text or "").split())
