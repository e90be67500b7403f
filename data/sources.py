"""Where labelled recordings come from: a ``manifest.jsonl``, or folders of ``x.wav`` + ``x.txt``; and what is held out."""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from triforce_tts.errors import ShardError

AUDIO_SUFFIXES = (".wav", ".flac", ".mp3", ".ogg", ".opus", ".m4a")
MANIFEST, HELDOUT = "manifest.jsonl", "heldout.json"
_KEY_LENGTH = 90  # what fits into a tar header, with the extension


@dataclass(frozen=True)
class Recording:
    """One labelled recording, not yet read."""

    id: str
    audio: str  # path
    text: str
    speaker: str
    source: str
    license: str
    punct: bool  # whether the text has case and punctuation
    reader: str | None = None  # the name to give credit to, where it is known
    snr_db: float | None = None


@dataclass(frozen=True)
class HeldOut:
    """What must never be trained on."""

    utterances: frozenset[str] = frozenset()
    speakers: frozenset[str] = frozenset()
    texts: frozenset[str] = frozenset()  # letters only, see ``letters_of``

    def holds(self, recording: Recording) -> bool:
        """Whether ``recording`` belongs to the held-out split."""
        return (
            recording.id in self.utterances
            or recording.speaker in self.speakers
            or letters_of(recording.text) in self.texts
        )

    def __or__(self, other: "HeldOut") -> "HeldOut":
        """What either of the two holds out."""
        return HeldOut(self.utterances | other.utterances, self.speakers | other.speakers, self.texts | other.texts)


def letters_of(text: str) -> str:
    """Lower-case letters alone: how texts are compared."""
    return re.sub(r"[^a-z]", "", text.lower())


def read_heldout(path: Path | None) -> HeldOut:
    """The held-out list in a JSON file: ``*_utterances`` hold ids, ``readers`` speakers, ``*_sentences`` texts.

    Where a manifest lies beside the file, the texts of its held-out utterances are held out too.

    Raises:
        ShardError: the file is missing or not such a list.
    """
    if path is None:
        return HeldOut()
    try:
        lists = json.loads(path.read_text(encoding="utf-8"))
        utterances = {_key(i) for name, items in lists.items() if name.endswith("_utterances") for i in items}
        texts = {letters_of(i) for name, items in lists.items() if name.endswith("_sentences") for i in items}
        speakers = set(lists.get("readers", []))
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise ShardError(f"{path}: not a held-out list ({error}); see docs/data.md for its form") from error
    if not (utterances or texts or speakers):
        raise ShardError(f"{path}: it holds nothing out; expected lists called *_utterances, *_sentences or readers")
    manifest = path.parent / MANIFEST
    if manifest.is_file():
        texts |= {letters_of(r.text) for r in _read_manifest(manifest) if r.id in utterances}
    return HeldOut(frozenset(utterances), frozenset(speakers), frozenset(texts))


def find_recordings(sources: Sequence[Path]) -> list[Recording]:
    """The labelled recordings under ``sources``, sorted by id.

    Raises:
        ShardError: a source is missing, holds no recordings, or two recordings share an id.
    """
    found: list[Recording] = []
    for source in sources:
        if not source.is_dir():
            raise ShardError(f"{source}: no such folder; expected one with {MANIFEST} or with x.wav + x.txt pairs")
        manifest = source / MANIFEST
        recordings = _read_manifest(manifest) if manifest.is_file() else _read_pairs(source)
        if not recordings:
            raise ShardError(f"{source}: no labelled recordings; expected {MANIFEST} or x.wav + x.txt pairs")
        found += recordings
    found.sort(key=lambda r: r.id)
    for before, after in pairwise(found):
        if before.id == after.id:
            raise ShardError(f"two recordings are called '{after.id}': {before.audio} and {after.audio}; rename one")
    return found


def _key(name: str) -> str:
    """A webdataset key: it splits names at the first dot, and slashes are folders.

    Names that are long or not ASCII get a checksum, so that different ones stay different.
    """
    key = re.sub(r"[^A-Za-z0-9_-]", "_", name)
    if len(key) <= _KEY_LENGTH and name.isascii():
        return key
    return f"{key[: _KEY_LENGTH - 9]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _read_manifest(path: Path) -> list[Recording]:
    recordings = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            row: dict[str, Any] = json.loads(line)
            recordings.append(
                Recording(
                    id=_key(row["id"]),
                    audio=str(path.parent / row["audio"]),
                    text=row["text"],
                    speaker=row["speaker"],
                    source=row.get("source", path.parent.name),
                    license=row.get("license", "unknown"),
                    punct=row.get("text_case", "mixed") != "upper",
                    reader=row.get("reader"),
                    snr_db=row.get("snr_db"),
                )
            )
        except (ValueError, KeyError, TypeError) as error:
            raise ShardError(f"{path}, line {number}: expected id, audio, text, speaker ({error})") from error
    return recordings


def _read_pairs(folder: Path) -> list[Recording]:
    """Folders of ``x.wav`` + ``x.txt``; the folder is the speaker, a ``LICENSE`` line beside them the licence.

    Audio without a text is listed too, so that the build counts it as dropped.
    """
    recordings = []
    for audio in sorted(path for path in folder.rglob("*") if path.suffix.lower() in AUDIO_SUFFIXES):
        text_file = audio.with_suffix(".txt")
        license_file = audio.parent / "LICENSE"
        first_line = license_file.read_text(encoding="utf-8").strip().splitlines()[:1] if license_file.is_file() else []
        text = text_file.read_text(encoding="utf-8").strip() if text_file.is_file() else ""
        recordings.append(
            Recording(
                id=_key(str(audio.relative_to(folder).with_suffix(""))),
                audio=str(audio),
                text=text,
                speaker=audio.parent.name,
                source=folder.name,
                license=first_line[0] if first_line else "unknown",
                punct=text != text.upper(),
            )
        )
    return recordings
