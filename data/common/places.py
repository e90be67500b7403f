"""Where the sound files are that lists of recordings name."""

from pathlib import Path

AUDIO_SUFFIXES = (".wav", ".flac", ".mp3", ".ogg", ".opus", ".m4a")


class Place:
    """Files by their names, whatever the case of their suffixes."""

    def __init__(self) -> None:
        self._names: dict[Path, dict[str, list[str]]] = {}

    def find(self, path: Path) -> Path | None:
        """The file ``path``, or the one whose name differs in the case of its suffix alone."""
        names = self._listed(path.parent)
        alike = names.get(path.name.lower(), [])
        if path.name in alike:
            return path
        return next((path.with_name(name) for name in alike if Path(name).stem == path.stem), None)

    def audio(self, path: Path, preferred: str = "") -> Path:
        """The recording at ``path``, whose suffix may be left out; ``path`` with a suffix where there is none."""
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
            except (OSError, ValueError):  # missing, forbidden, no folder, or a name that none can have
                table.clear()
            self._names[folder] = table
        return self._names[folder]
