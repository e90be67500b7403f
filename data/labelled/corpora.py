"""Folders without a manifest: the trees of LJSpeech, LibriSpeech and LibriTTS, and pairs of a recording and its text.

What is wrong with one recording, one line or one list is told and never stops the others.
"""

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from triforce_tts.errors import ShardError
from triforce_tts.textfiles import Line, UnreadableText, read_lines, read_text

from ..common.clips import Found, Recording
from ..common.licences import UNKNOWN_LICENSE, license_beside, upwards
from ..common.manifest import BAD_LINE
from ..common.names import absolute, is_folder, make_key, name_of, printable
from ..common.places import AUDIO_SUFFIXES, Place
from .tables import Columns, read_table

TABLE, WAVS = "metadata.csv", "wavs"
BAD_TEXT, BAD_LIST = "text not read", "list not read"
BAD_FOLDER, BAD_FILE, BAD_NAME = "folder not read", "no file", "name not allowed"
_TRANSCRIPT, _NORMALIZED = ".trans.txt", ".normalized.txt"


class Tree:
    """What the corpora in a folder say, and pairs of all the audio that they do not name."""

    def __init__(self, top: Path, columns: Columns | None, found: Found) -> None:
        self.top, self.columns, self.found = top, columns, found
        self.place = Place()
        self.named: set[str] = set()  # real paths of the audio that a list tells of
        self._licenses: dict[tuple[Path, Path, bool], str] = {}
        self._readers: dict[Path, dict[str, str]] = {}

    def read(self) -> None:
        """Add all recordings of the tree."""
        files = self._walk()
        for path in files:
            if path.name == TABLE:
                self._guarded(self._read_table, path)
        for path in files:
            if path.name.endswith((".trans.txt", ".normalized.txt")):
                self._guarded(self._read_transcript, path)
        for path in files:
            if path.suffix.lower() in AUDIO_SUFFIXES and os.path.realpath(path) not in self.named:
                self._read_pair(path)

    def _walk(self) -> list[Path]:
        """The regular files of the tree, sorted; links are followed, each folder is entered once, hidden things never."""
        files: list[Path] = []
        seen: set[tuple[int, int]] = set()

        def unreadable(error: OSError) -> None:
            self.found.drop(os.fsdecode(error.filename), BAD_FOLDER, error.strerror)

        for name, folders, names in os.walk(self.top, onerror=unreadable, followlinks=True):
            place = Path(name)
            try:
                status = place.stat()
            except OSError as error:  # gone meanwhile
                unreadable(error)
                continue
            if (status.st_dev, status.st_ino) in seen:
                folders.clear()
                continue
            seen.add((status.st_dev, status.st_ino))
            for entry in sorted(folders):
                if Path(entry).suffix.lower() in AUDIO_SUFFIXES:
                    self.found.drop(place / entry, BAD_FILE, "a folder with the name of a recording")
            folders[:] = sorted(entry for entry in folders if not entry.startswith("."))
            files += [
                place / entry for entry in sorted(names) if not entry.startswith(".") and self._is_file(place / entry)
            ]
        return sorted(files)

    def _is_file(self, path: Path) -> bool:
        """Whether ``path`` is a regular file with a usable name; what is called like a recording and is not, is told."""
        is_sound = path.suffix.lower() in AUDIO_SUFFIXES
        try:
            is_file = stat.S_ISREG(path.stat().st_mode)
        except OSError:
            is_file = False
        if not is_file:
            if is_sound or path.name == TABLE:
                self.found.drop(path, BAD_FILE, "a link that leads nowhere, or not a regular file")
            return False
        local = str(path.relative_to(self.top))
        if printable(local) != local:
            if is_sound:
                self.found.drop(path, BAD_NAME, "control characters, or not UTF-8: rename it")
            return False
        return True

    def _guarded(self, read: Callable[[Path], None], path: Path) -> None:
        """Read a list; where that fails, it is told, and the others are read."""
        try:
            read(path)
        except UnreadableText as error:
            self.found.drop(path, BAD_LIST, error)

    def _license(self, folder: Path, top: Path, readme: bool = False) -> str:
        place = (folder, top, readme)
        if place not in self._licenses:  # looked for once, not once a file
            try:
                self._licenses[place] = license_beside(folder, top, readme)
            except OSError as error:
                self._licenses[place] = UNKNOWN_LICENSE
                self.found.told.append(f"{folder}: its licence cannot be read ({error.strerror}); it is unknown")
        return self._licenses[place]

    def _add(
        self, name: str, audio: Path, text: str, speaker: str, source: str, license_: str, reader: str | None
    ) -> None:
        self.named.add(os.path.realpath(audio))
        self.found.recordings.append(
            Recording(
                id=make_key(name),
                audio=str(audio),
                text=text,
                speaker=speaker,
                source=source,
                license=license_,
                punct=text != text.upper(),
                reader=reader,
                name=name,
            )
        )

    # --- LJSpeech ---

    def _read_table(self, path: Path) -> None:
        """A ``metadata.csv`` beside ``wavs``, or beside the recordings that it names.

        Audio that is missing is listed too, so that the build counts it as dropped.
        """
        folder = path.parent
        beside_wavs = is_folder(folder / WAVS)
        try:
            columns, rows = read_table(path, self.columns)
        except UnreadableText:
            raise
        except ShardError as error:
            if beside_wavs:
                raise
            self.found.told.append(f"{error}; it is not used")
            return
        placed = [(row, self._audio_of(folder, row.id) if row.id else folder) for row in rows]
        if not beside_wavs and not any(row.id and self.place.find(audio) for row, audio in placed):
            self.found.told.append(f"{path}: none of the recordings that it names is there; it is not used")
            return
        self.found.tables += 1
        if len(columns) > 2 or self.columns:
            self.found.told.append(f"{path}: columns taken as {', '.join(columns)} (change it with --columns)")
        license_, name = self._license(folder, folder, readme=True), name_of(folder)
        for row, audio in placed:
            if row.fault:
                self.found.drop(row.id or f"{path.name}:{row.number}", BAD_LINE, row.fault)
                self.named.add(os.path.realpath(audio))
            else:
                known = _name_within(folder, audio)
                self._add(known, audio, row.text, row.speaker or name, name, license_, row.reader)

    def _audio_of(self, folder: Path, name: str) -> Path:
        """The recording that a row names: by a name within ``wavs``, or by a path."""
        choices = [self.place.audio(place / name) for place in (folder / WAVS, folder)]
        return next((choice for choice in choices if self.place.find(choice)), choices[0])

    # --- LibriSpeech and LibriTTS ---

    def _read_transcript(self, path: Path) -> None:
        """``SPEAKER/CHAPTER/*.trans.txt``, or ``*.normalized.txt`` beside each sound."""
        chapter, root = path.parent, path.parent.parent.parent
        top = self.top.resolve().parent
        license_ = self._license(root.resolve(), top)
        speaker = name_of(chapter.parent)
        for line in self._utterances(path):
            name, _, text = line.text.partition(" ")
            audio = self.place.audio(chapter / name, ".flac")
            if line.fault:
                self.found.drop(name or f"{path.name}:{line.number}", BAD_TEXT if name else BAD_LINE, line.fault)
                self.named.add(os.path.realpath(audio))
                continue
            reader = self._readers_of(root.resolve(), top).get(speaker)
            self._add(name, audio, text.strip(), speaker, name_of(self.top), license_, reader)

    def _utterances(self, path: Path) -> Iterator[Line]:
        """Name and text of each recording that a file of LibriSpeech or LibriTTS tells of."""
        if path.name.endswith(_TRANSCRIPT):
            for line in read_lines(path):
                yield Line(line.number, " ".join(line.text.split(maxsplit=1)), line.fault)
            return
        name = path.name.removesuffix(_NORMALIZED)
        try:
            yield Line(1, f"{name} {read_text(path).strip()}")
        except UnreadableText as error:
            yield Line(1, name, str(error))

    def _readers_of(self, folder: Path, top: Path) -> dict[str, str]:
        """Names by number, of the nearest ``SPEAKERS.TXT``; it lies in the folder that was given, or above it."""
        if folder not in self._readers:
            self._readers[folder] = {}
            try:
                self._readers[folder] = _read_readers(folder, top)
            except (OSError, UnreadableText) as error:
                self.found.told.append(f"{folder}: the readers' names cannot be read ({error}); they are left out")
        return self._readers[folder]

    # --- pairs ---

    def _read_pair(self, audio: Path) -> None:
        """``x.wav`` with ``x.txt``: the folder is the speaker, a ``LICENSE`` line beside them the licence.

        Audio without a text is listed too, so that the build counts it as dropped.
        """
        name = str(audio.relative_to(self.top).with_suffix(""))
        file = self.place.find(audio.with_suffix(".txt"))
        try:
            text = read_text(file).strip() if file else ""
        except UnreadableText as error:
            self.found.drop(name, BAD_TEXT, error)
            return
        license_ = self._license(audio.parent, audio.parent)
        self._add(name, audio, text, name_of(audio.parent), name_of(self.top), license_, None)


def _name_within(folder: Path, audio: Path) -> str:
    """What the recordings of a table are called: the path within ``wavs`` or beside the table, without its suffix."""
    path = absolute(audio).with_suffix("")
    for place in (folder / WAVS, folder):
        top = absolute(place)
        if path.is_relative_to(top):
            return str(path.relative_to(top))
    return str(path)


def _read_readers(folder: Path, top: Path) -> dict[str, str]:
    """The rows of ``SPEAKERS.TXT`` are ``id | sex | subset | minutes | name``."""
    for place in upwards(folder, top):
        for path in sorted(place.iterdir()):
            if path.name.lower() == "speakers.txt":
                rows = (line.text.split("|", 4) for line in read_lines(path))
                return {row[0].strip(): row[4].strip() for row in rows if len(row) == 5 and row[0].strip().isdigit()}
    return {}
