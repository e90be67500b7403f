"""Options that several kinds of build share, and paths of the command line."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from triforce_tts.errors import ShardError

from .common.clips import HELDOUT
from .common.names import is_folder

SAMPLE_RATES = (4000, 192_000)  # Hz that may be asked for
WORKERS = 2  # unless told otherwise


def folder_or_file(text: str | Path) -> Path:
    """A path of the command line, or an option's default.

    Raises:
        ShardError: it is empty, which Python takes for the current folder.
    """
    if not str(text).strip():
        raise ShardError("the name of a file or folder is empty; for the current folder write '.'")
    return Path(text)


Out = Annotated[
    Path,
    typer.Option(
        parser=folder_or_file, metavar="PATH", help="Folder for the shards: a new one, or an earlier build's."
    ),
]
OUT = Path("shards/built")
HeldOutList = Annotated[
    Path | None,
    typer.Option(
        parser=folder_or_file,
        metavar="PATH",
        help="JSON list of what is never trained on. Default: heldout.json in a folder of SRC, if there is one.",
    ),
]
SampleRate = Annotated[
    int | None,
    typer.Option(
        min=SAMPLE_RATES[0],
        max=SAMPLE_RATES[1],
        help="Rate in Hz of the stored sound. The rate of the model that will be trained saves work in training. "
        "Default: as recorded; of raw recordings, what the configuration says.",
    ),
]
Codec = Annotated[str | None, typer.Option(help="flac (lossless, default) or opus (a sixth of the size).")]
Workers = Annotated[int | None, typer.Option(min=1, max=1024, help=f"Processes. Default: {WORKERS}.")]
Align = Annotated[
    bool | None,
    typer.Option(
        "--align/--no-align",
        help="Find out when each word and sound is spoken: the GPT learns faster from it. Default: only the times in a "
        "manifest are taken; of raw recordings, what the configuration says.",
    ),
]
Force = Annotated[bool, typer.Option("--force", help="Replace shards in OUT that were built of something else.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be built; build nothing.")]


def folders_of(sources: Sequence[str]) -> list[Path]:
    """The sources that are folders on this machine, after a look at all their names.

    Raises:
        ShardError: a name is empty.
    """
    return [path for path in map(folder_or_file, sources) if is_folder(path)]


def check_out(out: Path, folders: Sequence[Path]) -> None:
    """Refuse a place for shards that lies within a folder of recordings.

    Raises:
        ShardError: it does; the message names both.
    """
    for folder in folders:
        inner, outer = (Path(os.path.realpath(place)) for place in (out, folder))
        if inner == outer or outer in inner.parents:
            raise ShardError(f"--out {out}: it lies in the source {folder}; choose another place")


def heldout_lists(given: Path | None, folders: Sequence[Path]) -> list[Path]:
    """The held-out lists to keep to: the one that is given, or those in the folders."""
    return [given] if given else [folder / HELDOUT for folder in folders if os.path.lexists(folder / HELDOUT)]


def refuse(options: Mapping[str, Any], reason: str) -> None:
    """Refuse those of ``options`` that have a value.

    Raises:
        ShardError: one has; the message names all that have, and the ``reason``.
    """
    if given := [name for name, value in options.items() if value is not None and value is not False and value != ()]:
        raise ShardError(f"{', '.join(given)}: {reason}")
