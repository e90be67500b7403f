"""Finds the sound files that the lists of a corpus name."""

import re
from collections.abc import Sequence
from pathlib import Path

# Of clips and recordings. Where a list gives a name without a suffix, the first of these that is there is taken.
AUDIO_SUFFIXES = (
    *(".wav", ".flac", ".mp3", ".ogg", ".opus", ".m4a", ".oga", ".aac", ".m4b", ".mka", ".mp2", ".wma"),
    *(".aiff", ".aif", ".caf", ".au", ".amr", ".ape", ".wv"),
    *(".webm", ".mp4", ".m4v", ".mkv", ".mov", ".avi", ".mpg", ".mpeg", ".flv", ".3gp", ".wmv", ".ogv"),
)


class Place:
    """Looks files up by name; upper and lower case in a suffix make no difference."""

    def __init__(self) -> None:
        self._names: dict[Path, dict[str, list[str]]] = {}

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
        if path.suffix.lower() in AUDIO_SUFFIXES or not path.name:
            return self.find(path) or path
        suffixes = (preferred, *AUDIO_SUFFIXES) if preferred else AUDIO_SUFFIXES
        choices = [path.with_name(path.name + suffix) for suffix in suffixes]
        return next((file for choice in (*choices, path) if (file := self.find(choice))), choices[0])

    def listed(self, folder: Path, name: str, beside: Sequence[str] = ("",)) -> Path:
        """The sound file that a list in ``folder`` calls ``name``, in one of the folders ``beside`` it.

        A list from another machine has paths that are not here: an absolute one, or one of Windows. Then the file counts
        whose path here is the longest end of that path.
        """
        choices = [self.audio(folder / other / name) for other in beside]
        if found := next((choice for choice in choices if self.find(choice)), None):
            return found
        if is_absolute(name) or "\\" in name:
            parts = [part for part in re.split(r"[\\/]+", name) if part not in ("", ".", "..")]
            for start in range(len(parts)):
                for other in beside:
                    choice = self.audio(folder.joinpath(other, *parts[start:]))
                    if self.find(choice):
                        return choice
        return choices[0]

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
