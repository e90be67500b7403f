"""Finds the sound files that the lists of a corpus name."""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from triforce_tts.wording import counted

from .names import is_file, is_folder

# Of clips and recordings. Where a list gives a name without a suffix, the first of these that is there is taken.
AUDIO_SUFFIXES = (
    *(".wav", ".flac", ".mp3", ".ogg", ".opus", ".m4a", ".oga", ".aac", ".m4b", ".mka", ".mp2", ".wma"),
    *(".aiff", ".aif", ".caf", ".au", ".amr", ".ape", ".wv"),
    *(".webm", ".mp4", ".m4v", ".mkv", ".mov", ".avi", ".mpg", ".mpeg", ".flv", ".3gp", ".wmv", ".ogv"),
)


@dataclass(frozen=True)
class Listed:
    """The sound files that a list names, in its order; a file that is not here has the path that the list gives it."""

    files: list[Path]
    moved: int  # how many of them have another path here than in the list
    doubtful: int  # of how many lines only the end of the path is here, which may be that of another recording

    def notes(self, path: Path) -> list[str]:
        """What the user of the list ``path`` should know."""
        notes = []
        if self.moved:
            notes.append(f"{path}: its paths are not here; recordings of the same names here are taken")
        if self.doubtful:
            notes.append(
                f"{path}: of {counted(self.doubtful, 'line')} the path is not here, and the recording of the same name may "
                "be another one; it is not taken"
            )
        return notes


class Place:
    """Looks files up by name; upper and lower case in a suffix make no difference."""

    def __init__(self) -> None:
        self._names: dict[Path, dict[str, list[str]]] = {}
        self._stems: dict[Path, set[str]] = {}  # of the names in a folder, with and without their suffixes

    def find(self, path: Path) -> Path | None:
        """The file ``path``, or a file whose name differs only in the case of its suffix; None if there is neither."""
        names = self._listed(path.parent)
        alike = names.get(path.name.lower(), [])
        if path.name in alike:
            return path
        return next((path.with_name(name) for name in alike if Path(name).stem == path.stem), None)

    def audio(self, path: Path, preferred: str = "") -> Path:
        """The sound file at ``path``, whose suffix may be missing.

        If there is no such file, the result is ``path`` with ``preferred`` or the first of ``AUDIO_SUFFIXES``.
        """
        is_whole = path.suffix.lower() in AUDIO_SUFFIXES
        if not path.name or (is_whole and self.find(path)):
            return self.find(path) or path
        suffixes = (preferred, *AUDIO_SUFFIXES) if preferred else AUDIO_SUFFIXES
        missing = path if is_whole else path.with_name(path.name + suffixes[0])
        self._listed(path.parent)
        if path.name.lower() not in self._stems[path.parent]:  # most names that are not here need no closer look
            return missing
        choices = [path.with_name(path.name + suffix) for suffix in suffixes]
        return next((file for choice in (*choices, path) if (file := self.find(choice))), missing)

    def listed(self, folder: Path, name: str, beside: Sequence[str] = ("",)) -> Path:
        """The sound file that a list in ``folder`` calls ``name``, in one of the folders ``beside`` it."""
        return self.all_listed(folder, [name], beside).files[0]

    def all_listed(self, folder: Path, names: Sequence[str], beside: Sequence[str] = ("",)) -> "Listed":
        """The sound files that a list in ``folder`` calls ``names``, in one of the folders ``beside`` it.

        A list from another machine has absolute paths that are not here. Then the file counts whose path here is the
        longest end of that path. It does not count where it could be another recording of the same name: where another
        line names that file too, or where the list has folders that others of its lines show to be missing here.
        """
        files = [self._as_named(folder, name, beside) for name in names]
        ends: dict[int, tuple[Path, str]] = {}
        for number, name in enumerate(names):
            if self.find(files[number]) is None and (end := self._by_end(folder, name, beside)):
                ends[number] = end
        names_of: defaultdict[Path, set[str]] = defaultdict(set)
        for number, name in enumerate(names):
            names_of[ends[number][0] if number in ends else files[number]].add(name)
        starts = {start for _, start in ends.values()}
        moved = 0
        for number, (file, start) in ends.items():
            # Where /old/a/1.wav is a/1.wav here, /old/b/2.wav is not 2.wav.
            is_within_another = any(start.startswith(f"{other}/") for other in starts)
            if len(names_of[file]) == 1 and not is_within_another:
                files[number] = file
                moved += 1
        return Listed(files, moved, len(ends) - moved)

    def _as_named(self, folder: Path, name: str, beside: Sequence[str]) -> Path:
        """The sound file ``name`` in the first of the folders ``beside`` that has it; Windows separates names by '\\'."""
        names = [name] if is_absolute(name) or "\\" not in name else [name, name.replace("\\", "/")]
        choices = [self.audio(folder / other / name) for name in names for other in beside]
        return next((choice for choice in choices if self.find(choice)), choices[0])

    def _by_end(self, folder: Path, name: str, beside: Sequence[str]) -> tuple[Path, str] | None:
        """The file here whose path is the longest end of the absolute path ``name``, and the start that is not here.

        Where the folder of ``name`` is here, the file is missing from it, and no other one counts.
        """
        if not is_absolute(name) or (name.startswith("/") and is_folder(Path(name).parent)):
            return None
        parts = [part for part in re.split(r"[\\/]+", name) if part not in ("", ".", "..")]
        for start in range(len(parts)):
            for other in beside:
                choice = self.audio(folder.joinpath(other, *parts[start:]))
                if self.find(choice) and is_file(choice):
                    return choice, "".join(f"/{part}" for part in parts[:start])
        return None

    def text_of(self, audio: Path) -> Path | None:
        """The text file of ``audio``: ``x.txt``, ``x.lab``, or ``x.wav.txt``, as programs for transcripts call it."""
        names = (audio.with_suffix(".txt"), audio.with_suffix(".lab"), audio.with_name(f"{audio.name}.txt"))
        return next((file for name in names if (file := self.find(name))), None)

    def _listed(self, folder: Path) -> dict[str, list[str]]:
        if folder not in self._names:
            table: dict[str, list[str]] = {}
            try:
                for name in sorted(path.name for path in folder.iterdir()):
                    table.setdefault(name.lower(), []).append(name)
            except (OSError, ValueError):  # the folder is missing, forbidden or a file, or its name is not possible
                table.clear()
            self._names[folder] = table
            self._stems[folder] = {stem for name in table for stem in (name, name.rpartition(".")[0])}
        return self._names[folder]


def is_absolute(name: str) -> bool:
    """Whether a path begins at the root of a disk, also one of Windows."""
    return name.startswith(("/", "\\")) or re.match(r"[A-Za-z]:[\\/]", name) is not None


def is_utf8(path: Path) -> bool:
    """Whether the name of ``path`` is valid Unicode."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return True
