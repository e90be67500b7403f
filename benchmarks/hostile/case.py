"""A case: a command line, the files that it finds, and the results that are right."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

VERDICTS = (
    "refused", "ran", "untidy", "traceback", "crash", "hang", "memory", "network", "lost", "left", "wrong",
)  # fmt: skip
COMMANDS = (
    "speak", "resynthesize", "listen", "score", "evaluate", "build", "inspect", "verify", "codes", "train", "bundle", "export",
)  # fmt: skip
GOOD = ("refused", "ran")


def nothing(folder: Path) -> None:
    """Leave the files as they are."""


def written(name: str, content: bytes | Callable[[], bytes]) -> Callable[[Path], None]:
    """Write a file in the case's folder. A function as ``content`` is called only then, because its result may be large."""

    def prepare(folder: Path) -> None:
        (folder / name).write_bytes(content if isinstance(content, bytes) else content())

    return prepare


@dataclass(frozen=True)
class Done:
    """How a command ended, and its output."""

    code: int  # the exit code, or the negative number of the signal that ended the process
    out: str
    err: str


Check = Callable[[Path, Done], str]
"""A check says what is wrong with the result of a command that ended well; an empty string means that it is right."""


@dataclass(frozen=True)
class Case:
    """One try. The command runs in a new folder that holds ``parts`` of the world; all names are relative to that folder."""

    name: str  # command/kind/what
    kind: str
    words: tuple[str, ...]  # the command line
    parts: tuple[str, ...] = ()  # the files and folders of the world that are copied into the folder
    prepare: Callable[[Path], object] = nothing  # damages the files before the command runs
    expect: str = "either"  # "refused" or "ran" if only one of them is right
    check: Check | None = None
    writes: tuple[str, ...] = ()  # names in the folder that the command may make or change; nothing else may change
    codes: tuple[int, ...] = (2,)  # the exit codes that count as a refusal
    stdin: bytes = b""
    closed: tuple[int, ...] = ()  # the standard streams that are closed
    full: bool = False  # Standard output is a device without space.
    file_limit: int | None = None  # No file may become larger than so many bytes, as on a full disk.
    lock: str | None = None  # a file that another process has locked
    signal: tuple[float, int] | None = None  # The runner sends this signal after so many seconds.
    network: bool = False  # The command may use the network, because the user named an address.
    patience: float = 1.0  # The limit of time is multiplied by this.
    cheap: bool = True  # The case is quick enough for the sample that the tests run.

    @property
    def command(self) -> str:
        """The sub-command, the name of a library function in parentheses, or '(none)'."""
        word = self.words[0] if self.words else ""
        return word if word in COMMANDS or word.startswith("(") else "(none)"


def draw(name: str, choices: list[object], count: int) -> list[object]:
    """``count`` of ``choices``: the same in every run, but different ones for each ``name``."""
    return random.Random(name).sample(choices, min(count, len(choices)))
