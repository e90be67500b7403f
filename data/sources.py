"""Where labelled recordings come from, and what is held out.

Known are a ``manifest.jsonl``, folders of ``x.wav`` + ``x.txt``, and the trees of LJSpeech, LibriSpeech and LibriTTS.
"""

import csv
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from triforce_tts.errors import ShardError

AUDIO_SUFFIXES = (".wav", ".flac", ".mp3", ".ogg", ".opus", ".m4a")
MANIFEST, HELDOUT = "manifest.jsonl", "heldout.json"
UNKNOWN_LICENSE = "unknown"
_EXPECTED = f"{MANIFEST}, x.wav + x.txt pairs, or a tree of LJSpeech, LibriSpeech or LibriTTS"
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
        utterances = {make_key(i) for name, items in lists.items() if name.endswith("_utterances") for i in items}
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
            raise ShardError(f"{source}: no such folder; expected one with {_EXPECTED}")
        manifest = source / MANIFEST
        recordings = _read_manifest(manifest) if manifest.is_file() else _read_tree(source)
        if not recordings:
            raise ShardError(f"{source}: no labelled recordings; expected {_EXPECTED}")
        found += recordings
    found.sort(key=lambda r: r.id)
    for before, after in pairwise(found):
        if before.id == after.id:
            raise ShardError(f"two recordings are called '{after.id}': {before.audio} and {after.audio}; rename one")
    return found


def make_key(name: str) -> str:
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
                    id=make_key(row["id"]),
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


def _read_tree(folder: Path) -> list[Recording]:
    """What the corpora under ``folder`` say, and pairs of all the audio that they do not name."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    recordings: list[Recording] = []
    for path in files:
        if path.name == "metadata.csv" and (path.parent / "wavs").is_dir():
            recordings += _read_ljspeech(path)
    recordings += _read_librispeech(folder, files)
    named = {recording.audio for recording in recordings}
    audio = [path for path in files if path.suffix.lower() in AUDIO_SUFFIXES and str(path) not in named]
    return recordings + _read_pairs(folder, audio)


def _read_pairs(folder: Path, audio_files: Iterable[Path]) -> list[Recording]:
    """Files ``x.wav`` with ``x.txt``; the folder is the speaker, a ``LICENSE`` line beside them the licence.

    Audio without a text is listed too, so that the build counts it as dropped.
    """
    recordings = []
    licences: dict[Path, str] = {}  # by folder: looked for once, not once a file
    for audio in audio_files:
        if audio.parent not in licences:
            licences[audio.parent] = license_beside(audio.parent, audio.parent)
        text_file = audio.with_suffix(".txt")
        text = text_file.read_text(encoding="utf-8").strip() if text_file.is_file() else ""
        recordings.append(
            Recording(
                id=make_key(str(audio.relative_to(folder).with_suffix(""))),
                audio=str(audio),
                text=text,
                speaker=audio.parent.name,
                source=folder.name,
                license=licences[audio.parent],
                punct=text != text.upper(),
            )
        )
    return recordings


def _read_ljspeech(table: Path) -> list[Recording]:
    """A ``metadata.csv`` of ``id|text|normalised text`` rows beside ``wavs``; the folder is the one speaker.

    Audio that is missing is listed too, so that the build counts it as dropped.
    """
    folder = table.parent
    licence = license_beside(folder, folder, readme=True)
    recordings = []
    with table.open(encoding="utf-8-sig", newline="") as file:
        # A quotation mark is part of the text, never the beginning of a quoted field.
        for number, row in enumerate(csv.reader(file, delimiter="|", quoting=csv.QUOTE_NONE), 1):
            if not row:
                continue
            if len(row) < 2 or not row[0].strip():
                raise ShardError(f"{table}, line {number}: expected id|text or id|text|normalised text, found {row}")
            name = row[0].strip()
            text = next((column.strip() for column in row[2:0:-1] if column.strip()), "")
            audio = folder / "wavs" / name
            if audio.suffix.lower() in AUDIO_SUFFIXES:
                name = audio.stem
            else:
                choices = [audio.with_name(audio.name + suffix) for suffix in AUDIO_SUFFIXES]
                audio = next((path for path in choices if path.is_file()), choices[0])
            recordings.append(
                Recording(
                    id=make_key(name),
                    audio=str(audio),
                    text=text,
                    speaker=folder.name,
                    source=folder.name,
                    license=licence,
                    punct=text != text.upper(),
                )
            )
    return recordings


def _read_librispeech(source: Path, files: Sequence[Path]) -> list[Recording]:
    """LibriSpeech (``SPEAKER/CHAPTER/*.trans.txt``) and LibriTTS (``*.normalized.txt`` beside each sound).

    ``SPEAKERS.TXT`` gives the readers' names; it lies in the folder that was given, or above it.
    """
    recordings: list[Recording] = []
    readers: dict[Path, dict[str, str]] = {}
    licences: dict[Path, str] = {}
    for path in files:
        if not path.name.endswith((".trans.txt", ".normalized.txt")):
            continue
        chapter, root = path.parent, path.parent.parent.parent
        if root not in readers:
            top = source.resolve().parent
            readers[root] = _read_readers(root.resolve(), top)
            licences[root] = license_beside(root.resolve(), top)
        speaker = chapter.parent.name
        for name, text in _utterances(path):
            choices = [chapter / f"{name}{suffix}" for suffix in (".flac", *AUDIO_SUFFIXES)]
            recordings.append(
                Recording(
                    id=make_key(name),
                    audio=str(next((choice for choice in choices if choice.is_file()), choices[0])),
                    text=text,
                    speaker=speaker,
                    source=source.name,
                    license=licences[root],
                    punct=text != text.upper(),
                    reader=readers[root].get(speaker),
                )
            )
    return recordings


def _utterances(path: Path) -> Iterator[tuple[str, str]]:
    """Name and text of each recording that a file of LibriSpeech or LibriTTS tells of."""
    content = path.read_text(encoding="utf-8-sig")
    if path.name.endswith(".normalized.txt"):
        yield path.name.removesuffix(".normalized.txt"), content.strip()
        return
    for line in content.splitlines():
        if line.strip():
            name, *text = line.split(maxsplit=1)
            yield name, "".join(text).strip()


def _read_readers(folder: Path, top: Path) -> dict[str, str]:
    """Names by number, of the nearest ``SPEAKERS.TXT``; its rows are ``id | sex | subset | minutes | name``."""
    for place in _upwards(folder, top):
        for path in sorted(place.iterdir()):
            if path.name.lower() == "speakers.txt":
                rows = (line.split("|", 4) for line in path.read_text(encoding="utf-8").splitlines())
                return {row[0].strip(): row[4].strip() for row in rows if len(row) == 5 and row[0].strip().isdigit()}
    return {}


# --- licences --------------------------------------------------------------------------------------------------


_CREATIVE_COMMONS = re.compile(r"creativecommons\.org/(licenses/([a-z-]+)|publicdomain/(zero|mark))/(\d\.\d)", re.I)


def license_name(text: str) -> str:
    """The licence that a text gives, on one line; the address of a Creative Commons licence becomes its SPDX name."""
    if found := _CREATIVE_COMMONS.search(text):
        _, kind, dedication, version = found.groups()
        if kind:
            return f"CC-{kind.upper()}-{version}"
        return f"CC0-{version}" if dedication.lower() == "zero" else "Public domain"
    return " ".join(text.split()) or UNKNOWN_LICENSE


def license_beside(folder: Path, top: Path, readme: bool = False) -> str:
    """The licence of what lies in ``folder``: the first line of the nearest ``LICENSE``, in it or above it up to ``top``.

    With ``readme``, a README beside it that speaks of the public domain, and of no other licence, is believed too.
    """
    for place in _upwards(folder, top):
        found = {path.name.lower(): path for path in sorted(place.iterdir())}
        for name in ("license", "license.txt"):
            if name in found and (lines := _read_loosely(found[name]).strip().splitlines()):
                return "Public domain" if _says_public_domain(lines[0]) else license_name(lines[0])
        for name in ("readme", "readme.txt", "readme.md"):
            if readme and name in found and _says_public_domain(_read_loosely(found[name])):
                return "Public domain"
    return UNKNOWN_LICENSE


def _read_loosely(path: Path) -> str:
    return path.read_text(encoding="utf-8-sig", errors="replace") if path.is_file() else ""


def _says_public_domain(text: str) -> bool:
    flat = " ".join(text.lower().split())
    other = re.search(r"\bnot (a |in |of )*(the )?public domain|creative ?commons|\bcc[ -]by", flat)
    return "public domain" in flat and not other


def _upwards(folder: Path, top: Path) -> Iterator[Path]:
    """``folder`` and the folders above it as far as ``top``; ``folder`` alone when ``top`` is not above it."""
    yield folder
    if top in folder.parents:
        for parent in folder.parents:
            yield parent
            if parent == top:
                return
