"""Options that several kinds of build share, and checks of paths from the command line."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from triforce_tts.errors import ShardError

from .common.clips import HELDOUT
from .common.names import is_folder

SAMPLE_RATES = (4000, 192_000)  # Hz; the lowest and the highest rate that --sample-rate takes
WORKERS = 2  # the default number of processes


def folder_or_file(text: str | Path) -> Path:
    """The path that a word of the command line names.

    Raises:
        ShardError: the word is empty; Python would take it for the current folder.
    """
    if not str(text).strip():
        raise ShardError("the name of a file or folder is empty; for the current folder write '.'")
    return Path(text)


Out = Annotated[
    Path,
    typer.Option(
        parser=folder_or_file, metavar="PATH", help="Folder for the shards: a new one, or one of an earlier build."
    ),
]
OUT = Path("shards/built")
HeldOutList = Annotated[
    Path | None,
    typer.Option(
        parser=folder_or_file,
        metavar="PATH",
        help="JSON file that lists what no model may be trained on. Default: heldout.json in a folder of SRC, if there "
        "is one.",
    ),
]
SampleRate = Annotated[
    int | None,
    typer.Option(
        min=SAMPLE_RATES[0],
        max=SAMPLE_RATES[1],
        help="Sample rate in Hz of the stored sound. Training is faster with the rate of the model that will be "
        "trained. Default: the rate of each recording; for raw recordings, the rate in the configuration.",
    ),
]
Codec = Annotated[str | None, typer.Option(help="flac (lossless, default) or opus (a sixth of the size).")]
Workers = Annotated[int | None, typer.Option(min=1, max=1024, help=f"Processes. Default: {WORKERS}.")]
Align = Annotated[
    bool | None,
    typer.Option(
        "--align/--no-align",
        help="Find the time of each word and sound, so that the GPT learns faster. Default: only take the times that a "
        "manifest has; for raw recordings, what the configuration says.",
    ),
]
Recogniser = Annotated[
    str | None,
    typer.Option(
        help="Who hears each clip and counts the words that differ from its text: auto, tiny.en, pocketsphinx, or a "
        "folder of Whisper's weights. Default: nobody, which is ten times as fast."
    ),
]
WordsWrong = Annotated[
    float | None,
    typer.Option(
        min=0, max=10, help="With --recogniser: a clip is dropped above this share of wrong words. Default: 0.5."
    ),
]
Force = Annotated[bool, typer.Option("--force", help="Replace the shards in OUT if they have another content.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be built; build nothing.")]


def folders_of(sources: Sequence[str]) -> list[Path]:
    """The sources that are folders on this machine.

    Raises:
        ShardError: the name of a source is empty.
    """
    return [path for path in map(folder_or_file, sources) if is_folder(path)]


def check_out(out: Path, folders: Sequence[Path]) -> None:
    """Refuse an output folder that lies in a source folder.

    Raises:
        ShardError: it lies there; the message names both.
    """
    for folder in folders:
        inner, outer = (Path(os.path.realpath(place)) for place in (out, folder))
        if inner == outer or outer in inner.parents:
            raise ShardError(f"--out {out}: it lies in the source {folder}; choose another place")


def heldout_lists(path: Path | None, folders: Sequence[Path]) -> list[Path]:
    """The held-out lists of a build: the one that the user gives, or else those in the source folders."""
    return [path] if path else [folder / HELDOUT for folder in folders if os.path.lexists(folder / HELDOUT)]


def refuse(options: Mapping[str, Any], reason: str) -> None:
    """Refuse those of ``options`` that are given.

    Raises:
        ShardError: an option is given; the message names all such options and the ``reason``.
    """
    if names := [name for name, value in options.items() if value is not None and value is not False and value != ()]:
        raise ShardError(f"{', '.join(names)}: {reason}")
