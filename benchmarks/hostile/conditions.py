"""Circumstances: closed streams, full disks, locked folders, signals, and temporary files of killed processes."""

import os
import shutil
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

from .case import Case
from .words import (
    ASSEMBLE,
    BUILD,
    BUILD_RAW,
    BUNDLE,
    CODES,
    EXPORT,
    FETCH,
    INSPECT,
    LISTEN,
    PARTS,
    PROCESS,
    RESUME,
    RESYNTHESIZE,
    SCORE,
    SPEAK,
    TRAIN_DIFFUSION,
    TRAIN_DVAE,
    TRAIN_GPT,
    VERIFY,
    WRITES,
    exit_codes,
    short,
)  # fmt: skip

COMMANDS = (SPEAK, RESYNTHESIZE, LISTEN, SCORE, BUILD, FETCH, INSPECT, VERIFY, CODES, TRAIN_DVAE, BUNDLE, EXPORT)
FULL = (
    SPEAK,
    RESYNTHESIZE,
    BUILD,
    BUILD_RAW,
    FETCH,
    CODES,
    TRAIN_DVAE,
    TRAIN_GPT,
    TRAIN_DIFFUSION,
    RESUME,
    BUNDLE,
    EXPORT,
    (*EXPORT, "--light"),
    ASSEMBLE,
)
SIZES = (0, 1, 10, 700, 5000, 40_000, 200_000, 900_000)
LONG = ("train", "dvae", "--config", "tiny", "--data", "shards", "--run", "run", "--set", "run.steps=100000", "--set", "run.save_every=2", "--set", "run.validate_every=0",
        "--set", "run.threads=1")  # fmt: skip
DEAD = 4_194_000  # No process has a number as high as this.
_STOPPED = {signal.SIGTERM: 143, signal.SIGINT: 130}


def _parts(words: tuple[str, ...]) -> tuple[str, ...]:
    return PARTS.get(words, PARTS[EXPORT] if words[0] == "export" else ("shards",))


def cases() -> Iterator[Case]:
    """Each circumstance for each command that it concerns."""
    for words in COMMANDS:
        for closed in ((0,), (1,), (2,), (0, 1, 2)):
            label = "+".join(("stdin", "stdout", "stderr")[n] for n in closed)
            yield Case(f"{short(words)}/streams/closed={label}", "streams", words, _parts(words), writes=WRITES.get(words, ()), closed=closed, codes=exit_codes(words),
                       expect="ran", cheap=words[0] not in ("train", "codes"))  # fmt: skip
        yield Case(f"{short(words)}/streams/full-stdout", "streams", words, _parts(words), writes=WRITES.get(words, ()), full=True, codes=exit_codes(words),
                   cheap=words[0] not in ("train", "codes"))  # fmt: skip
    yield Case(
        "speak/streams/text-from-closed-stdin",
        "streams",
        ("speak", "-", *SPEAK[2:]),
        ("model",),
        expect="refused",
        writes=("out.wav",),
        closed=(0,),
    )
    yield Case("(none)/streams/help-to-full", "streams", ("--help",), expect="refused", full=True)
    for words in FULL:
        for size in SIZES:
            yield Case(f"{short(words)}/disk/{size}-bytes", "full disk", words, _parts(words), writes=WRITES.get(words, ("made",)), file_limit=size,
                       codes=exit_codes(words), cheap=words[0] in ("speak", "resynthesize", "bundle", "export") and size > 10)  # fmt: skip
    yield from _locks()
    yield from _signals()
    yield from _leftovers()


def _locks() -> Iterator[Case]:
    def emptied(name: str) -> Callable[[Path], None]:
        def prepare(folder: Path) -> None:
            (folder / name).mkdir(parents=True)

        return prepare

    for words, place in (
        (BUILD, "made"),
        (FETCH, "made/work"),
        (CODES, "coded"),
        (TRAIN_DVAE, "run"),
        (RESUME, "dvae"),
        (PROCESS, "built"),
        (ASSEMBLE, "built"),
    ):
        exists = place in ("dvae", "built")
        expect = "either" if words is PROCESS else "refused"
        yield Case(f"{short(words)}/locks/{place}", "locks", words, _parts(words), (lambda folder: None) if exists else emptied(place), expect,
                   writes=(place.split("/")[0],), lock=f"{place}/.lock", cheap=False)  # fmt: skip


def _signals() -> Iterator[Case]:
    for number in (signal.SIGTERM, signal.SIGINT):
        for after in (0.5, 2.0, 4.0):
            for words, parts, writes in ((LONG, ("shards",), ("run",)), (("speak", "word " * 3000, *SPEAK[2:]), ("model",), ("out.wav",)), (BUILD_RAW, ("raw",), ("made",)),
                                         (("codes", *CODES[1:-1], "2"), PARTS[CODES], ("coded",))):  # fmt: skip
                yield Case(f"{short(words)}/signals/{signal.Signals(number).name}-after-{after}", "signals", words, parts, writes=writes, signal=(after, number),
                           codes=(_STOPPED[number], 2), cheap=False)  # fmt: skip


def _leftovers() -> Iterator[Case]:
    """Temporary files of a killed process: the next start removes those of this machine and leaves all others."""
    machine = "".join(c if c.isascii() and c.isalnum() else "-" for c in socket.gethostname())[:40] or "host"

    def prepare(folder: Path) -> None:
        for name in (
            f".step-00000002.{machine}-{DEAD}.tmp",
            ".step-00000002.elsewhere-1.tmp",
            f".step-00000002.{machine}-x.tmp",
        ):
            shutil.copytree(folder / "dvae" / "step-00000002", folder / "dvae" / name)
        (folder / "dvae" / f".latest.{machine}-{DEAD}.tmp").write_text("x")
        os.symlink("../victim", folder / "dvae" / f".step-00000009.{machine}-{DEAD}.tmp")  # noqa: PTH211

    def check(folder: Path, done: object) -> str:
        names = {path.name for path in (folder / "dvae").iterdir()}
        if any(f"-{DEAD}.tmp" in name for name in names):
            return "files of a killed process are still there"
        missing = {".step-00000002.elsewhere-1.tmp", f".step-00000002.{machine}-x.tmp"} - names
        return f"another machine's files are gone: {missing}" if missing else ""

    yield Case(
        "train/dvae/leftovers/in-a-run",
        "leftovers",
        RESUME,
        (*PARTS[RESUME], "victim"),
        prepare,
        "ran",
        check,
        ("dvae",),
        cheap=False,
    )
