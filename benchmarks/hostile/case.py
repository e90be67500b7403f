"""A case: a command line, the files that it meets, and what may come of it."""

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
    """Write a file of the case's folder; what is large is made only when it is written."""

    def prepare(folder: Path) -> None:
        (folder / name).write_bytes(content if isinstance(content, bytes) else content())

    return prepare


@dataclass(frozen=True)
class Done:
    """What a command did."""

    code: int  # its exit code; negative: the signal that ended it
    out: str
    err: str


Check = Callable[[Path, Done], str]
"""What is wrong with the result of a command that ended well; empty when it is right."""


@dataclass(frozen=True)
class Case:
    """One try. The command runs in a folder of its own, with ``parts`` of the world in it; names are relative to it."""

    name: str  # command/kind/what
    kind: str
    words: tuple[str, ...]  # of the command line
    parts: tuple[str, ...] = ()  # of the world, copied into the folder
    prepare: Callable[[Path], object] = nothing  # does the damage
    expect: str = "either"  # "refused" or "ran", where only one is right
    check: Check | None = None
    writes: tuple[str, ...] = ()  # names in the folder that the command may make or change; nothing else may change
    codes: tuple[int, ...] = (2,)  # exit codes that refuse
    stdin: bytes = b""
    closed: tuple[int, ...] = ()  # standard streams that are not there
    full: bool = False  # standard output is a full device
    file_limit: int | None = None  # bytes a file: a full disk
    lock: str | None = None  # a file that another process holds
    signal: tuple[float, int] | None = None  # seconds, and what is sent then
    network: bool = False  # the user asked for something on the web
    patience: float = 1.0  # times the usual limit of time
    cheap: bool = True  # fit for the sample of the tests

    @property
    def command(self) -> str:
        """The sub-command, or what stands in its place."""
        word = self.words[0] if self.words else ""
        return word if word in COMMANDS or word.startswith("(") else "(none)"


def draw(name: str, choices: list[object], count: int) -> list[object]:
    """``count`` of ``choices``, the same in every run, other ones for every ``name``."""
    return random.Random(name).sample(choices, min(count, len(choices)))
