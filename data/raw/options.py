"""The options of ``triforce-tts build raw``; an option that would have no effect is refused."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from triforce_tts.errors import ShardError

from . import results


@dataclass(frozen=True)
class RawOptions:
    """The options of a command line; None or an empty list means that the option is not given."""

    sources: Sequence[str]
    out: Path
    config: str | None = None
    set_: Sequence[str] = ()
    heldout: Path | None = None
    heldout_lists: Sequence[Path] = ()  # ``heldout`` alone, or the lists that lie in the source folders
    sample_rate: int | None = None
    codec: str | None = None
    workers: int | None = None
    align: bool | None = None
    dry_run: bool = False
    only: str | None = None
    part: str | None = None
    ray: str | None = None

    @property
    def overrides(self) -> list[str]:
        """The settings of ``--set``, and those that have an option of their own, in the form of ``--set``."""
        overrides = [*self.set_]
        overrides += [f"codec={self.codec}"] if self.codec else []
        overrides += [f"sample_rate={self.sample_rate}"] if self.sample_rate else []
        overrides += [f"align.enabled={str(self.align).lower()}"] if self.align is not None else []
        return overrides

    def check(self) -> None:
        """Refuse options that would have no effect or that contradict each other.

        Raises:
            ShardError: there is such an option; the message names it.
        """
        if self.config is None:
            raise ShardError(
                "raw recordings need --config podcast, --config audiobook, or a path to a .yaml file as --config"
            )
        keys = [setting.partition("=")[0] for setting in self.set_]
        twice = {"codec": self.codec, "sample_rate": self.sample_rate, "align.enabled": self.align}
        if clash := [key for key, value in twice.items() if value is not None and key in keys]:
            raise ShardError(f"--set {clash[0]}: the option for this setting is given too; give only one of them")
        self._check_parts()
        if len(self.heldout_lists) > 1:
            named = ", ".join(map(str, self.heldout_lists))
            raise ShardError(f"there are several held-out lists ({named}); join them, and give one as --heldout")

    def _check_parts(self) -> None:
        """Refuse options that the chosen part of the work does not use."""
        if self.part and self.only != "process":
            raise ShardError(f"--part {self.part}: only processing can be divided between machines; add --only process")
        if self.heldout and self.only in ("fetch", "process"):
            raise ShardError(f"--heldout: --only {self.only} does not use it; give it with --only assemble")
        if self.ray and self.only in ("fetch", "assemble"):
            raise ShardError(f"--ray: --only {self.only} does not use it; leave it out")
        if self.ray and self.workers is not None:
            raise ShardError("--workers: with --ray the cluster decides how many workers there are; leave it out")
        if self.dry_run and (
            names := [name for name, value in (("--only", self.only), ("--part", self.part)) if value]
        ):
            raise ShardError(f"{', '.join(names)}: not together with --dry-run, which always describes the whole build")
        if self.only in ("process", "assemble") and self.sources and (self.out / "work" / results.RECORDINGS).exists():
            raise ShardError(f"--only {self.only}: it takes the recordings that --only fetch found; leave out SRC")
