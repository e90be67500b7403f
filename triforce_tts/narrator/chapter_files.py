"""The folder with a file for each chapter: the names of the files, and what becomes of those of earlier runs.

The folder keeps a list of the files that were written into it. A file leaves the folder only if it is on this list with the bytes that
were written, belongs to the same book, is no chapter of it any more, and does not hold a chapter that is left out this time.
Everything else is the user's, and stays.
"""

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

from triforce_tts.errors import TriforceError
from triforce_tts.files import file_sha256, write_json
from triforce_tts.narrator.plan import Plan, PlannedChapter
from triforce_tts.schema import Record, read_record
from triforce_tts.web.names import digest_of
from triforce_tts.wording import counted, cut, printable

FILES = ".files.json"  # the list of the files, in their folder
_NAME_BYTES = 120  # the most bytes of a chapter's title in the name of its file
_UNSAFE = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]+')
_CHAPTER = re.compile(r"[0-9]+(?: .*)?", re.DOTALL)  # the name of a chapter's file, without its suffix


class _File(Record):
    source: str  # a digest of the book; its path would say too much about the user's machine
    sha256: str
    text: str = ""  # a digest of the text that is spoken; empty in lists of earlier versions


class _List(Record):
    files: dict[str, _File]


def file_names(plan: Plan, suffix: str) -> dict[int, str]:
    """The name of the file of each chapter of the book, chosen or not, and of the credits, by the chapter's number."""
    parts = [part for part in (plan.opening, *plan.chapters, plan.closing) if part is not None]
    return {part.number: f"{_stem(part, len(parts))}{suffix}" for part in parts}


def _stem(chapter: PlannedChapter, count: int) -> str:
    """The number of a chapter, and as much of its title as the name of a file can hold."""
    title = " ".join(_UNSAFE.sub(" ", chapter.title).split())
    short = cut(title, _NAME_BYTES).strip(" .")
    return f"{chapter.number:0{len(str(count))}d} {short}".strip()


class ChapterFolder:
    """The files of the chapters of a book in a folder that other runs may have filled."""

    def __init__(self, folder: Path, source: str) -> None:
        """The files in ``folder``; ``source`` is the path or the address of the book."""
        self._folder, self._source = folder, digest_of(source)
        try:
            self._files = dict(read_record(folder / FILES, _List).files) if (folder / FILES).exists() else {}
        except TriforceError:  # A list that is damaged knows of no file, so nothing is removed.
            self._files = {}

    def note(self, path: Path, chapter: PlannedChapter) -> None:
        """Put the file of ``chapter``, which was just finished, on the list."""
        self._files[path.name] = _File(source=self._source, sha256=file_sha256(path), text=_digest(chapter))
        self._write()

    def clear(self, plan: Plan, suffix: str) -> list[str]:
        """Remove the files of chapters that are no more, which earlier runs wrote; remarks on them, and on those that stay.

        Files of another suffix stay, because the user asked for both formats. All stay if only some of the chapters
        were narrated, because the text of an old file may then be in no other; without front matter, those stay that
        hold it. Files with the names of chapters that were not narrated are named if their text is not that of the chapter.
        """
        names = file_names(plan, suffix)
        new = [self._folder / name for name in names.values()]
        old = [
            path
            for path in sorted(self._folder.glob(f"*{suffix}"))
            if _CHAPTER.fullmatch(path.stem) and not any(_is_same(path, other) for other in new)
        ]
        ours = [path for path in old if self._is_ours(path)]
        is_whole = all(chapter.chosen or chapter.front for chapter in plan.chapters)
        strange = [path for path in old if path not in ours]
        silent = {self._folder / names[part.number]: _digest(part) for part in plan.chapters if not part.chosen}
        needless = [path for path in ours if self._files[path.name].text not in silent.values()]
        outdated = [path for path, text in silent.items() if self._is_ours(path) and self._has_other_text(path, text)]
        return [
            *(self._remove(needless) if is_whole else self._keep(ours)),
            *self._name(strange),
            *self._name_outdated(outdated),
        ]

    def _is_ours(self, path: Path) -> bool:
        """Whether this command wrote the file for this book, and nobody changed it."""
        known = self._files.get(path.name)
        if known is None or known.source != self._source or path.is_symlink() or not path.is_file():
            return False
        return file_sha256(path) == known.sha256

    def _has_other_text(self, path: Path, text: str) -> bool:
        return self._files[path.name].text not in ("", text)

    def _remove(self, paths: Sequence[Path]) -> list[str]:
        remarks = []
        for path in paths:
            try:
                path.unlink()
                del self._files[path.name]
            except OSError as error:
                remarks.append(f"{path}: this file of an earlier run cannot be removed ({error.strerror}); delete it")
        self._write()
        if gone := [path for path in paths if path.name not in self._files]:
            remarks.append(
                f"{self._folder}: removed {_of_earlier_runs(gone)}, because the book has no such chapters any more"
            )
        return remarks

    def _keep(self, paths: Sequence[Path]) -> list[str]:
        if not paths:
            return []
        return [
            f"{self._folder}: left {_of_earlier_runs(paths)}, although the book has no such chapters any more; narrate it "
            "without --chapters to remove them"
        ]

    def _name(self, paths: Sequence[Path]) -> list[str]:
        if not paths:
            return []
        return [
            f"{self._folder}: left {counted(len(paths), 'file')} (such as {_first(paths)}) that are no chapters of this book, and "
            "are not as this narration wrote any; delete them if they are old"
        ]

    def _name_outdated(self, paths: Sequence[Path]) -> list[str]:
        if not paths:
            return []
        return [
            f"{self._folder}: found {_of_earlier_runs(paths)} with the name of a chapter "
            "that was not narrated now, but with other text than it has now; narrate these chapters too"
        ]

    def _write(self) -> None:
        files = {name: file for name, file in self._files.items() if (self._folder / name).exists()}
        write_json(self._folder / FILES, _List(files=files).model_dump(mode="json"))


def _digest(chapter: PlannedChapter) -> str:
    """What tells the spoken text of a chapter from others."""
    return hashlib.sha256("\n".join(line.text for line in chapter.lines).encode()).hexdigest()


def _is_same(path: Path, other: Path) -> bool:
    """Whether two names are those of one file, as names with capitals and small letters are in some file systems."""
    return path == other or (path.exists() and other.exists() and path.samefile(other))


def _of_earlier_runs(paths: Sequence[Path]) -> str:
    return f"{counted(len(paths), 'file')} of earlier runs (such as {_first(paths)})"


def _first(paths: Sequence[Path]) -> str:
    return f"'{printable(paths[0].name)}'"
