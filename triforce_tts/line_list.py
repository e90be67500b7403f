"""A list of texts, one on each line of a file: ``text``, or ``name<TAB>text``."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from triforce_tts.errors import TextError
from triforce_tts.textfiles import read_lines

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")  # of a file, without its suffix, on every file system
_LEAST_DIGITS = 4


@dataclass(frozen=True)
class ListedText:
    """A text that gets a file of its own."""

    name: str  # of the file, without its suffix
    text: str


def read_list(path: Path, check: Callable[[str], object]) -> tuple[list[ListedText], list[str]]:
    """The texts of a list, and one line of error for each line of the list that cannot be spoken.

    A text without a name is named by the number of its line.

    Args:
        path: of the list, in UTF-8.
        check: raises a ``TextError`` for a text that cannot be spoken.

    Raises:
        TextError: the list cannot be read, or has no text.
    """
    lines = list(read_lines(path))
    if not lines:
        raise TextError(f"{path}: the list is empty; expected a text on each line, or a name, a tab and a text")
    width = max(_LEAST_DIGITS, len(str(lines[-1].number)))
    texts: dict[str, ListedText] = {}
    faults: list[str] = []
    for line in lines:
        try:
            if line.fault:
                raise TextError(line.fault.removeprefix(f"{path}, line {line.number}: "))
            listed = _listed(line.text, f"{line.number:0{width}d}")
            if listed.name.lower() in texts:  # some file systems do not tell upper and lower case apart
                raise TextError(
                    f"the name '{listed.name}' is that of an earlier line; give each line a name of its own"
                )
            check(listed.text)
        except TextError as error:
            faults.append(f"{path}, line {line.number}: {error}")
        else:
            texts[listed.name.lower()] = listed
    return list(texts.values()), faults


def _listed(line: str, number: str) -> ListedText:
    name, tab, text = line.partition("\t")
    if not tab:
        return ListedText(number, line.strip())
    name = name.strip()
    if not _NAME.fullmatch(name):
        raise TextError(
            f"the name {name[:60]!r} cannot name a file; expected 1 to 100 letters, digits, '.', '_' or '-' of ASCII, and no '.' or '-' first"
        )
    return ListedText(name, text.strip())
