"""Folders without a manifest: trees of well-known corpora, lists of other programs, and pairs of audio and text files.

A fault of one file, one line or one list goes into the inventory's drops or notes, and the rest is read.
"""

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from triforce_tts.errors import ShardError
from triforce_tts.textfiles import Line, UnreadableText, read_lines, read_text, require_no_subtitles
from triforce_tts.wording import counted

from ..common.clips import MANIFEST, Clip, Inventory
from ..common.licences import UNKNOWN_LICENSE, license_beside, upwards
from ..common.manifest import BAD_LINE, read_manifest
from ..common.names import absolute, is_file, is_folder, is_punctuated, make_key, name_of, printable
from ..common.places import AUDIO_SUFFIXES, Place
from .lists import (
    RECORDINGS,
    TEXTS,
    VALIDATED,
    first_listed,
    is_manifest,
    is_unused_table,
    listed_audio,
    read_kaldi,
    text_in_parallel,
)
from .tables import Columns, read_table, shown

SAME_WORDS = "recorded twice"
TABLE, WAVS = "metadata.csv", "wavs"
BAD_TEXT, BAD_LIST = "text not read", "list not read"
BAD_FOLDER, BAD_FILE, BAD_NAME = "folder not read", "no file", "name not allowed"
_TRANSCRIPT, _NORMALIZED = ".trans.txt", ".normalized.txt"


class Tree:
    """Reads the lists of all corpora in a folder, then pairs each audio file that no list names with its text file."""

    def __init__(self, top: Path, columns: Columns | None, inventory: Inventory) -> None:
        self.top, self.columns, self.inventory = top, columns, inventory
        self.place = Place()
        self.named: set[str] = set()  # real paths of the audio files that a list names
        self._tabled: set[Path] = set()  # the folders of each metadata.csv that is used
        self._licenses: dict[tuple[Path, Path, bool], str] = {}
        self._readers: dict[Path, dict[str, str]] = {}

    def read(self) -> None:
        """Add all clips of the tree to the inventory.

        A recording keeps the text that its own corpus gives it. Lists of other programs come after that: some of them,
        such as tables of durations, name recordings and hold no texts.
        """
        files = self._walk()
        # Of x.wav and x.mp4, the first that is read counts.
        sounds = sorted(
            (path for path in files if path.suffix.lower() in AUDIO_SUFFIXES),
            key=lambda path: (path.with_suffix(""), AUDIO_SUFFIXES.index(path.suffix.lower())),
        )
        for path in files:
            if path.name == TABLE:
                self._guarded(self._read_table, path)
        for path in files:
            if path.name.endswith((_TRANSCRIPT, _NORMALIZED)):
                self._guarded(self._read_transcript, path)
        for path in self._unnamed(sounds):
            if text := self.place.text_of(path):
                self._read_pair(path, text)
        unused = self._read_lists(files)
        without = [path for path in self._unnamed(sounds) if not self._read_parallel(path)]
        for path in unused if without else ():
            self.inventory.notes.append(
                f"{path}: not used; its first row names no recording that is here, and no columns that are known, such as "
                "file_name and text"
            )

    def _read_lists(self, files: Sequence[Path]) -> list[Path]:
        """Read the lists of other programs, for the recordings that have no text yet; returns tables that are none."""
        with_text, unused = frozenset(self.named), list[Path]()
        for path in sorted(files, key=lambda path: path.name != VALIDATED):
            if path.name == MANIFEST:
                self.inventory.notes.append(f"{path}: not used; give {path.parent} as a source of its own")
            elif path.name == RECORDINGS and self.place.find(path.with_name(TEXTS)):
                self._guarded(self._read_kaldi, path)
            elif is_manifest(path, self.place):
                self._guarded(self._read_manifest, path)
            elif path.name != TABLE and (first := first_listed(path, self.place)):
                if path.parent in self._tabled:
                    self.inventory.notes.append(f"{path}: not used; {TABLE} lists the clips of its folder")
                elif os.path.realpath(first) in with_text:
                    self.inventory.notes.append(f"{path}: not used; the recordings that it names have their own texts")
                else:
                    self._guarded(self._read_table, path)
            elif path.name != TABLE and is_unused_table(path, self.place):
                unused.append(path)
        return unused

    def _unnamed(self, sounds: Sequence[Path]) -> list[Path]:
        return [path for path in sounds if os.path.realpath(path) not in self.named]

    def _walk(self) -> list[Path]:
        """The regular files of the tree, sorted.

        Links are followed, each folder is entered once, and hidden files and folders are skipped.
        """
        files: list[Path] = []
        folder_ids: set[tuple[int, int]] = set()

        def unreadable(error: OSError) -> None:
            self.inventory.drop(os.fsdecode(error.filename), BAD_FOLDER, error.strerror)

        for name, folders, names in os.walk(self.top, onerror=unreadable, followlinks=True):
            place = Path(name)
            try:
                status = place.stat()
            except OSError as error:  # somebody removed the folder meanwhile
                unreadable(error)
                continue
            if (status.st_dev, status.st_ino) in folder_ids:
                folders.clear()
                continue
            folder_ids.add((status.st_dev, status.st_ino))
            for entry in sorted(folders):
                if Path(entry).suffix.lower() in AUDIO_SUFFIXES:
                    self.inventory.drop(place / entry, BAD_FILE, "a folder with the name of a recording")
            folders[:] = sorted(entry for entry in folders if not entry.startswith("."))
            files += [
                place / entry for entry in sorted(names) if not entry.startswith(".") and self._is_file(place / entry)
            ]
        return sorted(files)

    def _is_file(self, path: Path) -> bool:
        """Whether ``path`` is a regular file with a usable name.

        If not, and its suffix is of audio, it counts as dropped.
        """
        is_sound = path.suffix.lower() in AUDIO_SUFFIXES
        try:
            is_file = stat.S_ISREG(path.stat().st_mode)
        except OSError:
            is_file = False
        if not is_file:
            if is_sound or path.name == TABLE:
                self.inventory.drop(path, BAD_FILE, "a link that leads nowhere, or not a regular file")
            return False
        local = str(path.relative_to(self.top))
        if printable(local) != local:
            if is_sound:
                self.inventory.drop(path, BAD_NAME, "control characters, or not UTF-8: rename it")
            return False
        return True

    def _guarded(self, read: Callable[[Path], None], path: Path) -> None:
        """Read a list; if it cannot be read, it counts as dropped and the other lists are read."""
        try:
            read(path)
        except UnreadableText as error:
            self.inventory.drop(path, BAD_LIST, error)

    def _license(self, folder: Path, top: Path, readme: bool = False) -> str:
        place = (folder, top, readme)
        if place not in self._licenses:  # the search is made once for a folder, not once for each file
            try:
                self._licenses[place] = license_beside(folder, top, readme)
            except OSError as error:
                self._licenses[place] = UNKNOWN_LICENSE
                self.inventory.notes.append(f"{folder}: its licence cannot be read ({error.strerror}); it is unknown")
        return self._licenses[place]

    def _add(
        self, name: str, audio: Path, text: str, speaker: str, collection: str, license_: str, reader: str | None
    ) -> None:
        self.named.add(os.path.realpath(audio))
        self.inventory.clips.append(
            Clip(
                id=make_key(name),
                audio=str(audio),
                text=text,
                speaker=speaker,
                collection=collection,
                license=license_,
                punct=is_punctuated(text),
                reader=reader,
                name=name,
            )
        )

    # --- LJSpeech ---

    def _read_table(self, path: Path) -> None:
        """Read a table that lies beside ``wavs``, or ``clips``, or beside the audio files that it names.

        A row whose audio is missing gives a clip too, so that the build counts it as dropped.
        """
        folder = path.parent
        beside_wavs = is_folder(folder / WAVS)
        try:
            columns, rows = read_table(path, self.columns, lambda name: self._is_recording(folder, name))
        except UnreadableText:
            raise
        except ShardError as error:
            if beside_wavs:
                raise
            self.inventory.notes.append(f"{error}; it is not used")
            return
        listed = listed_audio(folder, [row.id for row in rows if row.id], self.place)
        files = iter(listed.files)
        placed = [(row, next(files) if row.id else folder) for row in rows]
        if not beside_wavs and not any(row.id and self.place.find(audio) for row, audio in placed):
            self.inventory.notes.append(f"{path}: none of the recordings that it names is there; it is not used")
            return
        self.inventory.tables += 1
        if path.name == TABLE:
            self._tabled.add(folder)
        if len(columns) > 2 or self.columns:
            self.inventory.notes.append(f"{path}: columns taken as {shown(columns)} (change it with --columns)")
        license_, name = self._license(folder, folder, readme=True), name_of(folder)
        self.inventory.notes += listed.notes(path)
        # Lists of training and test clips, and the like, name the clips of another list once more.
        known = set() if path.name == TABLE else frozenset(self.named)
        self._tell_again(path, sum(os.path.realpath(audio) in known for _, audio in placed))
        for row, audio in placed:
            if os.path.realpath(audio) in known:
                continue
            if row.fault:
                self.inventory.drop(row.id or f"{path.name}:{row.number}", BAD_LINE, row.fault)
                self.named.add(os.path.realpath(audio))
            else:
                clip_name = _name_within(folder, audio)
                self._add(clip_name, audio, row.text, row.speaker or name, name, license_, row.reader)

    def _is_recording(self, folder: Path, name: str) -> bool:
        """Whether a table in ``folder`` can name a recording that is here by ``name``."""
        return bool(name.strip()) and is_file(listed_audio(folder, [name], self.place).files[0])

    # --- lists of other programs ---

    def _read_manifest(self, path: Path) -> None:
        listed = Inventory()
        read_manifest(path, listed)
        new = [clip for clip in listed.clips if os.path.realpath(clip.audio) not in self.named]
        self._tell_again(path, len(listed.clips) - len(new))
        self.named |= {os.path.realpath(clip.audio) for clip in new}
        self.inventory.clips += new
        self.inventory.drops += listed.drops
        self.inventory.notes += listed.notes

    def _tell_again(self, path: Path, count: int) -> None:
        if count:
            self.inventory.notes.append(f"{path}: {counted(count, 'recording')} of another list too")

    def _read_kaldi(self, path: Path) -> None:
        """Read a data folder of Kaldi; its paths begin at the folder, at one above it, or at the root of the disk."""
        folder = path.parent
        license_, name = self._license(folder, folder, readme=True), name_of(folder)
        known, again = frozenset(self.named), 0
        for utterance in read_kaldi(folder):
            choices = [place / utterance.audio for place in (folder, *folder.parents) if place.is_relative_to(self.top)]
            audio = next(filter(self.place.find, choices), choices[0])
            if utterance.fault:
                self.inventory.drop(utterance.name, BAD_LINE, utterance.fault)
            elif os.path.realpath(audio) in known:
                again += 1
            else:
                speaker = utterance.speaker or name
                self._add(utterance.name, audio, utterance.text, speaker, name, license_, None)
        self._tell_again(path, again)

    # --- LibriSpeech and LibriTTS ---

    def _read_transcript(self, path: Path) -> None:
        """Read a ``SPEAKER/CHAPTER/*.trans.txt``, or a ``*.normalized.txt`` that lies beside its audio file."""
        chapter, root = path.parent, path.parent.parent.parent
        top = self.top.resolve().parent
        license_ = self._license(root.resolve(), top)
        speaker = name_of(chapter.parent)
        for line in self._utterances(path):
            name, _, text = line.text.partition(" ")
            audio = self.place.audio(chapter / name, ".flac")
            if line.fault:
                self.inventory.drop(name or f"{path.name}:{line.number}", BAD_TEXT if name else BAD_LINE, line.fault)
                self.named.add(os.path.realpath(audio))
                continue
            reader = self._readers_of(root.resolve(), top).get(speaker)
            self._add(name, audio, text.strip(), speaker, name_of(self.top), license_, reader)

    def _utterances(self, path: Path) -> Iterator[Line]:
        """The name and the text of each utterance in a text file of LibriSpeech or LibriTTS, as one line."""
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
        """The readers' names by their numbers, from the nearest ``SPEAKERS.TXT`` in ``folder`` or above it."""
        if folder not in self._readers:
            self._readers[folder] = {}
            try:
                self._readers[folder] = _read_readers(folder, top)
            except (OSError, UnreadableText) as error:
                self.inventory.notes.append(f"{folder}: the readers' names cannot be read ({error}); they are left out")
        return self._readers[folder]

    # --- pairs ---

    def _read_pair(self, audio: Path, file: Path | None) -> None:
        """Read ``x.wav`` with its text ``file``: the folder names the speaker, and a ``LICENSE`` there gives the licence.

        Audio without a text gives a clip too, so that the build counts it as dropped.
        """
        try:
            text = read_text(file).strip() if file else ""
            require_no_subtitles(text, str(file))
        except UnreadableText as error:
            self.inventory.drop(self._local(audio), BAD_TEXT, error)
            self.named.add(os.path.realpath(audio))
            return
        license_ = self._license(audio.parent, audio.parent)
        self._add(self._local(audio), audio, text, name_of(audio.parent), name_of(self.top), license_, None)

    def _read_parallel(self, audio: Path) -> bool:
        """Read ``x.wav`` with its text in a parallel tree, as in VCTK, or without a text; returns whether there is one."""
        file, first = text_in_parallel(audio, self.top, self.place)
        if first is None:
            self._read_pair(audio, file)
        else:
            self.inventory.drop(self._local(audio), SAME_WORDS, f"{first} is another recording of them")
        return file is not None

    def _local(self, audio: Path) -> str:
        return str(audio.relative_to(self.top).with_suffix(""))


def _name_within(folder: Path, audio: Path) -> str:
    """The name of a clip of a table: its path within ``wavs`` or beside the table, without the suffix."""
    path = absolute(audio).with_suffix("")
    for place in (folder / WAVS, folder):
        top = absolute(place)
        if path.is_relative_to(top):
            return str(path.relative_to(top))
    return str(path)


def _read_readers(folder: Path, top: Path) -> dict[str, str]:
    """The readers' names by their numbers; a row of ``SPEAKERS.TXT`` is ``id | sex | subset | minutes | name``."""
    for place in upwards(folder, top):
        for path in sorted(place.iterdir()):
            if path.name.lower() == "speakers.txt":
                rows = (line.text.split("|", 4) for line in read_lines(path))
                return {row[0].strip(): row[4].strip() for row in rows if len(row) == 5 and row[0].strip().isdigit()}
    return {}
