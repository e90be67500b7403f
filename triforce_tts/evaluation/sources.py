"""The files that an evaluation is given: lists of sentences, manifests of recordings, and folders of voices."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from itertools import islice
from pathlib import Path

from triforce_tts.errors import TextError, TriforceError
from triforce_tts.evaluation.report import Sentence
from triforce_tts.files import read_json_lines, read_text_file
from triforce_tts.schema import Record, parse_record

_AUDIO = (".wav", ".flac", ".ogg", ".opus", ".mp3", ".m4a")
_LONGEST = 400  # the most characters of a sentence
_MOST_ENTRIES = 10_000  # the most entries of a folder in which voices are looked for
_MOST_READERS = 500
_MOST_CLIPS = 10  # the most clips of a reader; further clips are not heard


class _Line(Record):
    """The keys of a manifest's line that are read; others are ignored."""

    id: str
    audio: str
    text: str
    speaker: str = "unknown"


@dataclass(frozen=True)
class Recording:
    """A natural recording, or a teacher's, of a sentence."""

    sentence: Sentence
    path: Path
    speaker: str
    collection: str  # the name of the folder of the manifest


@dataclass(frozen=True)
class Reader:
    """A person whose voice is cloned. The first clip is the reference; the others show how alike one's clips are."""

    name: str
    clips: tuple[Path, ...]


def read_sentences(path: Path | None, group: str = "") -> tuple[Sentence, ...]:
    """The sentences of a text file, one on each line; without a file, the twenty that come with the package.

    Raises:
        TriforceError: the file cannot be read, holds no sentence, or holds one that is too long.
    """
    source = path or Path(str(resources.files("triforce_tts"))) / "assets" / "sentences.txt"
    numbers: dict[str, int] = {}  # the number of the line that has a sentence first
    for number, line in enumerate(read_text_file(source).split("\n"), 1):
        if text := line.strip():
            numbers.setdefault(text, number)
    if not numbers:
        raise TextError(f"{source}: no sentence in it; expected one a line")
    for text, number in numbers.items():
        if len(text) > _LONGEST:
            raise TextError(
                f"{source}, line {number}: it has {len(text)} characters; expected a sentence of at most {_LONGEST}"
            )
    prefix = f"{slug(group)}-" if group else ""
    return tuple(
        Sentence(id=f"{prefix}s{number:03d}", text=text, group=group) for number, text in enumerate(numbers, 1)
    )


def read_recordings(path: Path, collection: str) -> list[Recording]:
    """The recordings of a ``manifest.jsonl``, with paths relative to it; ``collection`` is their common name.

    Raises:
        TriforceError: the manifest cannot be read, a line is no recording, or there is none.
    """
    recordings = []
    for number, line in read_json_lines(path):
        row = parse_record(_Line, line, f"{path}, line {number}")
        name = f"{slug(collection)}-{number:05d}-{slug(row.id)}"
        sentence = Sentence(id=name, text=row.text, group=collection)
        recordings.append(Recording(sentence, path.parent / row.audio, row.speaker, collection))
    if not recordings:
        raise TriforceError(f"{path}: no recording in it; expected a JSON object a line with id, audio and text")
    return recordings


def slug(text: str) -> str:
    """``text`` as a part of a file name: letters, digits, ``_`` and ``-``, at most 60 of them."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", text)[:60] or "x"


def _printable(name: str) -> str:
    """The name of a file as text: a name may hold any byte, which neither JSON nor a page can."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in name)


def read_readers(folder: Path) -> tuple[Reader, ...]:
    """The readers in a folder: a sound file is a reader's only clip, a folder in it holds a reader's clips.

    Raises:
        TriforceError: there is no reader, there are too many, or a folder cannot be read.
    """
    if not folder.is_dir():
        raise TriforceError(f"{folder}: no such folder; expected one with a clip, or a folder of clips, of each voice")
    readers = []
    for entry in _entries(folder):
        clips = _entries(entry) if entry.is_dir() else [entry]
        sounds = tuple(clip for clip in clips if clip.suffix.lower() in _AUDIO and clip.is_file())
        if sounds:
            name = _printable(entry.name if entry.is_dir() else entry.stem)
            readers.append(Reader(name, sounds[:_MOST_CLIPS]))
            if len(readers) > _MOST_READERS:
                raise TriforceError(
                    f"{folder}: more than {_MOST_READERS} voices in it; choose a smaller folder, with a clip, or a "
                    "folder of clips, of each voice"
                )
    if not readers:
        raise TriforceError(f"{folder}: no sound files in it; expected one of {', '.join(_AUDIO)} for each voice")
    names = [reader.name for reader in readers]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise TriforceError(f"{folder}: two voices are called '{twice[0]}'; rename one")
    return tuple(readers)


def _entries(folder: Path) -> list[Path]:
    """The entries of ``folder``, sorted by name, without hidden files.

    Raises:
        TriforceError: the folder cannot be read, or has too many entries for a folder of voices.
    """
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in islice(entries, _MOST_ENTRIES + 1)]
    except OSError as error:
        raise TriforceError(
            f"{folder}: cannot read the folder ({error.strerror}); choose another folder of voices"
        ) from error
    if len(names) > _MOST_ENTRIES:
        raise TriforceError(
            f"{folder}: more than {_MOST_ENTRIES} files in it; choose a smaller folder, with a clip, or a folder of "
            "clips, of each voice"
        )
    return [folder / name for name in sorted(names) if not name.startswith(".")]


def group_names(files: Sequence[Path], folders: bool) -> list[str]:
    """The common name of the sentences or recordings of each file.

    The name is that of the file without its suffix, or of its folder; a number tells those apart that are called alike.
    """
    places = [Path(os.path.realpath(path)) for path in files]  # Path.resolve() fails on a circle of links.
    names = [_printable(place.parent.name if folders else place.stem) for place in places]
    return [
        name if names.count(name) == 1 else f"{name}-{names[: number + 1].count(name)}"
        for number, name in enumerate(names)
    ]
