"""The options of ``triforce-tts build`` together: each of them does something, or is refused."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from triforce_tts.errors import ShardError

from .common.clips import HELDOUT
from .common.names import is_folder

SAMPLE_RATES = (4000, 192_000)  # Hz that may be asked for
WORKERS = 2  # unless told otherwise
_RAW = "they are for raw recordings: give --config podcast too"
_SPOKEN = "they are for a synthesiser: give --synthetic TEXTS, or --engine babble"


def folder_or_file(text: str | Path) -> Path:
    """A path of the command line, or an option's default.

    Raises:
        ShardError: it is empty, which Python takes for the current folder.
    """
    if not str(text).strip():
        raise ShardError("the name of a file or folder is empty; for the current folder write '.'")
    return Path(text)


@dataclass(frozen=True)
class Asked:
    """What the command line asks for; None, False and an empty list: not given."""

    sources: Sequence[str] = ()
    out: Path = Path("shards/built")
    config: str | None = None
    set_: Sequence[str] = ()
    heldout: Path | None = None
    sample_rate: int | None = None
    codec: str | None = None
    workers: int | None = None
    columns: str | None = None
    synthetic: Path | None = None
    engine: str | None = None
    voices: str | None = None
    every_voice: bool = False
    sentences: int | None = None
    max_characters: int | None = None
    align: bool | None = None
    dry_run: bool = False
    only: str | None = None
    part: str | None = None
    ray: str | None = None

    @property
    def speaks(self) -> bool:
        """Whether a synthesiser makes the recordings."""
        return self.config is None and (self.synthetic is not None or self.engine is not None)

    @property
    def folders(self) -> list[Path]:
        """The sources that are folders here."""
        return [Path(source) for source in self.sources if is_folder(Path(source))]

    @property
    def heldout_lists(self) -> list[Path]:
        """The held-out lists to keep to: the one that is given, or those in the sources."""
        return [self.heldout] if self.heldout else [s / HELDOUT for s in self.folders if os.path.lexists(s / HELDOUT)]

    def check(self) -> None:
        """Refuse options that would do nothing, or that contradict each other.

        Raises:
            ShardError: the first kind of such options, all of them by their names.
        """
        for source in self.sources:
            folder_or_file(source)
        for folder in self.folders:
            inner, outer = (Path(os.path.realpath(place)) for place in (self.out, folder))
            if inner == outer or outer in inner.parents:
                raise ShardError(f"--out {self.out}: it lies in the source {folder}; choose another place")
        raw = {"--set": self.set_, "--ray": self.ray, "--only": self.only, "--part": self.part}
        spoken = {
            "--voices": self.voices,
            "--every-voice": self.every_voice,
            "--sentences": self.sentences,
            "--max-characters": self.max_characters,
        }
        if self.config is not None:
            chosen = {"--synthetic": self.synthetic, "--engine": self.engine, **spoken, "--columns": self.columns}
            _refuse(chosen, "not together with --config, which is for raw recordings")
            self._check_raw()
            return
        _refuse(raw, _RAW)
        if not self.speaks:
            _refuse(spoken, _SPOKEN)
            return
        if self.sources:
            raise ShardError("give either sources or a synthesiser (--synthetic, --engine), not both")
        _refuse({"--columns": self.columns}, "it is for labelled recordings")
        if self.synthetic is None:
            if self.engine != "babble":
                raise ShardError(f"--engine {self.engine}: there is nothing to speak; give --synthetic TEXTS")
            _refuse({"--max-characters": self.max_characters}, "it is for --synthetic TEXTS")

    def _check_raw(self) -> None:
        keys = [setting.partition("=")[0] for setting in self.set_]
        twice = {"codec": self.codec, "sample_rate": self.sample_rate, "align.enabled": self.align}
        if clash := [key for key, value in twice.items() if value is not None and key in keys]:
            raise ShardError(f"--set {clash[0]}: there is an option for it that is given too; give one of them")
        if self.part and self.only != "process":
            raise ShardError(f"--part {self.part}: only processing can be shared out; add --only process")
        if self.heldout and self.only in ("fetch", "process"):
            raise ShardError(f"--heldout: --only {self.only} does not use it; give it with --only assemble")
        if self.ray and self.only in ("fetch", "assemble"):
            raise ShardError(f"--ray: --only {self.only} does not use it; leave it out")
        if self.ray and self.workers is not None:
            raise ShardError("--workers: with --ray the cluster says how many there are; leave it out")
        if self.dry_run:
            _refuse({"--only": self.only, "--part": self.part}, "--dry-run tells of the whole build; leave them out")
        if len(self.heldout_lists) > 1:
            named = ", ".join(map(str, self.heldout_lists))
            raise ShardError(f"there are several held-out lists ({named}); join them, and give one as --heldout")


def _refuse(options: Mapping[str, Any], reason: str) -> None:
    if given := [name for name, value in options.items() if value is not None and value is not False and value != ()]:
        raise ShardError(f"{', '.join(given)}: {reason}")
