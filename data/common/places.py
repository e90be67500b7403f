"""Finds the sound files that the lists of a corpus name."""

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


def is_utf8(path: Path) -> bool:
    """Whether the name of ``path`` is valid Unicode."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return True
