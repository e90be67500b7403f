"""What a user asks of an adaptation, and the numbers that no option changes."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from triforce_tts.bounds import SEED, Bound
from triforce_tts.errors import ConfigError

MINUTES = Bound(0.01, 100_000.0, whole=False)
SENTENCES = Bound(1, 1000)
WORKERS = Bound(1, 1024)
LEAST_SPEECH_S = 60.0  # of usable speech; with less a network learns the sentences and not the voice
GPT_SHARE = 0.7  # of the minutes: a step of stage 2 takes several times as long as one of stage 3, and matters more
AUTO = "auto"


@dataclass(frozen=True)
class Options:
    """What the command line says."""

    recordings: Path
    out: Path
    model: Path
    minutes: float = 30.0  # of training, over all starts of the command
    speaker: str | None = None  # whose voice; needed where the recordings are of several people
    raw: bool = False  # the recordings are long ones, to be cut and written down, whatever lies beside them
    transcriber: str = AUTO
    evaluate: bool = True
    sentences: int = 8  # of each evaluation
    seed: int = 0
    workers: int = 2
    force: bool = False
    settings: Sequence[str] = ()  # such as gpt.run.learning_rate=1e-4

    @property
    def work(self) -> Path:
        """The folder beside the model in which the steps leave their results."""
        return self.out.with_name(f"{self.out.name}.adapt")

    def check(self) -> None:
        """Refuse values that are out of bounds, and folders that lie in each other.

        Raises:
            ConfigError: one is; it is named.
        """
        MINUTES.check("--minutes", self.minutes)
        SENTENCES.check("--sentences", self.sentences)
        WORKERS.check("--workers", self.workers)
        SEED.check("--seed", self.seed)
        if not self.out.name or self.out.name in (".", ".."):
            raise ConfigError(f"--out '{self.out}': expected the name of a folder for the model, such as my-voice")
        if not self.recordings.is_dir():
            what = "this is a file" if self.recordings.exists() else "no such folder"
            raise ConfigError(f"{self.recordings}: {what}; expected a folder with recordings of one voice")
        out, source = self.out.resolve(), self.recordings.resolve()
        if out == source or source in out.parents or out in source.parents:
            raise ConfigError(f"--out {self.out}: it lies in the recordings, or holds them; choose another place")
        for setting in self.settings:
            if setting.partition(".")[0] not in ("gpt", "diffusion"):
                raise ConfigError(f"--set {setting}: expected gpt.KEY=VALUE or diffusion.KEY=VALUE")

    def settings_of(self, stage: str) -> list[str]:
        """The settings of ``--set`` that are of ``stage``, without its name."""
        return [setting.partition(".")[2] for setting in self.settings if setting.partition(".")[0] == stage]
