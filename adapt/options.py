"""What a user asks of an adaptation, and the numbers that no option changes."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from triforce_tts.bounds import SEED, Bound
from triforce_tts.errors import ConfigError

MINUTES = Bound(0.01, 100_000.0, whole=False)
SENTENCES = Bound(1, 1000)
WORKERS = Bound(1, 1024)
# The least usable speech, in seconds. With less, a network learns the sentences and not the voice.
LEAST_SPEECH_S = 60.0
# Stage 2 gets this share of the minutes. Its steps take several times as long as those of stage 3, and matter more.
GPT_SHARE = 0.7
AUTO = "auto"


@dataclass(frozen=True)
class Options:
    """What the command line says."""

    recordings: Path
    out: Path
    model: Path
    minutes: float = 30.0  # minutes of training, summed over all starts of the command
    speaker: str | None = None  # the person whose voice is learnt; needed if the recordings are of several people
    raw: bool = False  # the recordings are long and must be cut and transcribed, whatever files lie beside them
    transcriber: str = AUTO
    evaluate: bool = True
    sentences: int = 8  # the number of sentences in each evaluation
    seed: int = 0
    workers: int = 2
    force: bool = False
    settings: Sequence[str] = ()  # settings such as gpt.run.learning_rate=1e-4

    @property
    def work(self) -> Path:
        """The folder beside the model in which the steps leave their results."""
        return self.out.with_name(f"{self.out.name}.adapt")

    def check(self) -> None:
        """Refuse values that are out of bounds, and folders that lie in each other.

        Raises:
            ConfigError: a value or a folder is refused; the message names it.
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
        """The settings of ``--set`` for ``stage``, without the stage's name."""
        return [setting.partition(".")[2] for setting in self.settings if setting.partition(".")[0] == stage]
