"""A list of texts, one on each line of a file: ``text``, or ``name<TAB>text``."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from triforce_tts.errors import TextError
from triforce_tts.textfiles import read_lines

# A file's name without its suffix; every file system allows these characters.
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
_LEAST_DIGITS = 4


@dataclass(frozen=True)
class ListedText:
    """A text that gets a file of its own."""

    number: int  # the number of its line in the list
    name: str  # the name of its file, without the suffix
    text: str


def read_list(path: Path) -> tuple[list[ListedText], dict[int, str]]:
    """The texts of a list, and the fault of each of its other lines, by the number of the line.

    A text without a name is named by the number of its line.

    Raises:
        TextError: the list cannot be read, or has no text.
    """
    lines = list(read_lines(path))
    if not lines:
        raise TextError(f"{path}: the list is empty; expected a text on each line, or a name, a tab and a text")
    width = max(_LEAST_DIGITS, len(str(lines[-1].number)))
    texts: dict[str, ListedText] = {}
    faults: dict[int, str] = {}
    for line in lines:
        try:
            if line.fault:
                raise TextError(line.fault.removeprefix(f"{path}, line {line.number}: "))
            listed = _listed(line.text, line.number, width)
            if listed.name.lower() in texts:  # Some file systems do not tell upper and lower case apart.
                raise TextError(
                    f"the name '{listed.name}' is that of an earlier line; give each line a name of its own"
                )
            texts[listed.name.lower()] = listed
        except TextError as error:
            faults[line.number] = str(error)
    return list(texts.values()), faults


def without_faults(
    texts: Sequence[ListedText], faults: dict[int, str], check: Callable[[str], object]
) -> list[ListedText]:
    """The ``texts`` that can be spoken; ``check`` raises a ``TextError`` for the others, which goes into ``faults``."""
    good = []
    for listed in texts:
        try:
            check(listed.text)
            good.append(listed)
        except TextError as error:
            faults[listed.number] = str(error)
    return good


def _listed(line: str, number: int, width: int) -> ListedText:
    name, tab, text = line.partition("\t")
    if not tab:
        return ListedText(number, f"{number:0{width}d}", line.strip())
    name = name.strip()
    if not _NAME.fullmatch(name):
        raise TextError(
            f"the name {name[:60]!r} cannot name a file; expected 1 to 100 letters, digits, '.', '_' or '-' of ASCII, "
            "and no '.' or '-' first"
        )
    return ListedText(number, name, text.strip())
