"""Other lists of clips than ``metadata.csv``: tables of any name, Kaldi's ``wav.scp`` + ``text``, texts in a parallel tree.

These functions only find and read the lists; ``corpora.Tree`` makes clips of them.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from triforce_tts.textfiles import read_lines

from ..common.manifest import names_audio
from ..common.places import AUDIO_SUFFIXES, Listed, Place
from .tables import first_names, names_columns

RECORDINGS, TEXTS, SPEAKERS, TIMES = "wav.scp", "text", "utt2spk", "segments"  # the files of a data folder of Kaldi
VALIDATED = "validated.tsv"  # of the lists of Common Voice, the one with all clips whose texts people approved
_AUDIO_FOLDERS = ("wavs", "", "clips", "audio", "wav")  # the folders beside a table where its audio files may lie
_UNAPPROVED = ("invalidated.tsv", "other.tsv")  # Common Voice: clips with wrong texts, and clips that nobody checked
_TABLES = (".csv", ".tsv", ".txt", ".list")
_NO_TABLES = (".normalized.txt", ".original.txt", ".trans.txt", ".trans.tsv", ".book.tsv")  # LibriSpeech, LibriTTS
_TEXT_FOLDERS = ("txt", "text", "texts", "transcripts")  # VCTK: txt/p225/p225_001.txt for wav48/p225/p225_001.wav
_MICROPHONE = re.compile(r"_mic\d+$")
_HEAD = 1 << 16  # bytes; the first rows of a table lie within these


@dataclass(frozen=True)
class Utterance:
    """A line of Kaldi's lists: a recording with its text, or why it cannot be used."""

    name: str
    audio: str = ""  # the path as the list has it
    text: str = ""
    speaker: str | None = None
    fault: str = ""


def first_listed(path: Path, place: Place) -> Path | None:
    """The recording that the first row of the table ``path`` names; None if it is none, or the file is no table."""
    name = path.name.lower()
    if path.suffix.lower() not in _TABLES or name.endswith(_NO_TABLES) or name in _UNAPPROVED:
        return None
    head = _head(path)
    if _is_of_recording(path, place) and (name.endswith(".txt") or not names_columns(head)):
        return None
    if name.endswith(".tsv") and name != VALIDATED and place.find(path.with_name(VALIDATED)):
        return None
    choices = (listed_audio(path.parent, [first], place).files[0] for first in first_names(head))
    return next(filter(place.find, choices), None)


def is_unused_table(path: Path, place: Place) -> bool:
    """Whether ``path``, of which nothing was read, looks like a table of recordings: its first lines have columns."""
    name = path.name.lower()
    if path.suffix.lower() not in _TABLES or name.endswith(_NO_TABLES) or _is_of_recording(path, place):
        return False
    lines = [line for line in _head(path).splitlines() if line.strip()][:2]
    marks = "|\t,;" if path.suffix.lower() in (".csv", ".tsv") else "|\t"
    return bool(lines) and any(all(mark in line for line in lines) for mark in marks)


def _is_of_recording(path: Path, place: Place) -> bool:
    """Whether the text file ``path`` is that of one recording."""
    if path.with_suffix("").suffix.lower() in AUDIO_SUFFIXES and place.find(path.with_suffix("")):
        return True
    return any(place.find(path.with_suffix(suffix)) for suffix in AUDIO_SUFFIXES)


def is_manifest(path: Path, place: Place) -> bool:
    """Whether ``path`` is a list of JSON objects by another program, of which the first names a recording that is there."""
    name = path.name.lower()
    if not name.endswith(".jsonl") and not (name.endswith(".json") and "manifest" in name):
        return False
    return names_audio(_head(path).partition("\n")[0], path.parent, place)


def _head(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_HEAD).decode("utf-8", "replace").removeprefix("\ufeff")
    except OSError:  # somebody removed it meanwhile, or nobody may read it
        return ""


def listed_audio(folder: Path, names: Sequence[str], place: Place) -> Listed:
    """The audio files that a table in ``folder`` names, by their names beside the table or by their paths."""
    return place.all_listed(folder, [name.strip() for name in names], _AUDIO_FOLDERS)


def read_kaldi(folder: Path) -> Iterator[Utterance]:
    """The utterances of a data folder of Kaldi.

    A command in ``wav.scp`` is never run, and utterances that are stretches of longer recordings are not cut out.

    Raises:
        UnreadableText: one of the lists cannot be read.
    """
    recordings = _table(folder / RECORDINGS)
    speakers = _table(folder / SPEAKERS) if (folder / SPEAKERS).is_file() else {}
    times = _table(folder / TIMES) if (folder / TIMES).is_file() else {}
    for name, text in _table(folder / TEXTS).items():
        audio = recordings.get(name, "")
        fault = ""
        if name in times:
            fault = f"it is a stretch of a longer recording ({TIMES}); cut it into a file of its own"
        elif not audio:
            fault = f"{RECORDINGS} has no recording of that name"
        elif audio.endswith("|"):
            fault = f"{RECORDINGS} has a command, which is not run: '{audio[:80]}'; give a file"
        yield Utterance(name, audio, text, speakers.get(name), fault)


def _table(path: Path) -> dict[str, str]:
    rows = (line.text.strip().split(maxsplit=1) for line in read_lines(path) if not line.fault)
    return {row[0]: row[1] if len(row) > 1 else "" for row in rows}


def text_in_parallel(audio: Path, top: Path, place: Place) -> tuple[Path | None, Path | None]:
    """The text of ``audio`` in a tree beside that of the recordings, and the first recording of the same words.

    VCTK has recordings of two microphones with one text: ``x_mic1.flac`` and ``x_mic2.flac``. The second result is None
    for the first of them, and for all other recordings.
    """
    stem = _MICROPHONE.sub("", audio.stem)
    for folder in (audio.parent.parent, audio.parent):
        if folder == top or not folder.is_relative_to(top):
            continue
        within = audio.relative_to(folder).with_name(f"{stem}.txt")
        for name in _TEXT_FOLDERS:
            if text := place.find(folder.parent / name / within):
                first = audio.with_stem(f"{stem}_mic1")
                is_later = stem != audio.stem and first != audio and place.find(first) is not None
                return text, first if is_later else None
    return None, None
