"""The preparations of a command that speaks: it opens the model, the voice and the checks by its options."""

import os
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from triforce_tts import bounds
from triforce_tts.errors import ConfigError, TriforceError
from triforce_tts.files import write_text
from triforce_tts.named_voices import find_clip, is_named
from triforce_tts.presets import PRESETS, STANDARD, Preset

if TYPE_CHECKING:
    from triforce_tts.narrator.checks import Checker
    from triforce_tts.synthesis import Synthesizer
    from triforce_tts.synthesis.speaking import Choice
    from triforce_tts.voices import Voice

# So many lines are drawn at once, unless the user gives a number.
GPU_BATCH, CPU_BATCH = 16, 8
NO_RECOGNISER = "none"


def chosen_preset(name: str) -> Preset:
    """The preset with the given name.

    Raises:
        ConfigError: there is no preset with this name.
    """
    bounds.one_of("--preset", name, tuple(PRESETS))
    return PRESETS[name]


def require_target(out: Path, sources: tuple[Path | None, ...], model: Path | None) -> None:
    """Refuse a file that cannot be written, that is one of the ``sources``, or that lies in the model's folder."""
    # This import stands here, because it loads torch, and --help must not wait for that.
    from triforce_tts.audio import io

    io.require_target(out, sources)
    require_outside(out, model)


def require_outside(out: Path, model: Path | None) -> None:
    """Refuse an output in the model's folder."""
    if model is not None and Path(os.path.realpath(model)) in Path(os.path.realpath(out)).parents:
        raise ConfigError(f"{out}: the output lies in the model folder {model}; choose another place")


@dataclass(frozen=True)
class ModelOptions:
    """The options with which a command opens a model; every process that helps it opens the same model with them."""

    model: Path | None = None  # the model's folder; None is the bundled model
    threads: int = 0  # of a CPU; 0: as many as torch chooses
    batch: int = 0  # so many lines are drawn at once, by ``open_for_lines`` alone; 0: as many as suit the device
    steps: int | None = None  # of diffusion; None is the model's own number
    seed: int = 0
    lexicon: list[Path] | None = None  # files of pronunciations
    care: Preset = PRESETS[STANDARD]

    @property
    def inputs(self) -> tuple[Path | None, ...]:
        """The files and the folder that no output may replace."""
        return (*(self.lexicon or []), self.model)

    def open(self, device: str) -> "Synthesizer":
        """The model on a device, with the settings of the options and of the preset.

        Raises:
            ConfigError: an option is out of its range.
        """
        bounds.SEED.check("--seed", self.seed)
        bounds.THREADS.check("--threads", self.threads)
        if self.steps is not None:
            bounds.DIFFUSION_STEPS.check("--steps", self.steps)
        import torch

        from triforce_tts.synthesis import Synthesizer

        if self.threads:
            torch.set_num_threads(self.threads)
        synthesizer = Synthesizer.load(self.model, device, self.lexicon)
        settings = replace(synthesizer.settings, tries=self.care.tries, phase_iterations=self.care.phase_iterations)
        synthesizer.settings = settings if self.steps is None else replace(settings, diffusion_steps=self.steps)
        return synthesizer

    def open_for_lines(self, device: str) -> "Synthesizer":
        """The model on a device, which draws several lines at once, or one after another.

        Raises:
            ConfigError: an option is out of its range, or several lines at once would change the last bits of a line on
                this device.
        """
        bounds.BATCH.check("--batch", self.batch)
        synthesizer = self.open(device)
        usual = _usual_batch(synthesizer)
        if self.batch > 1 and usual == 1:
            raise ConfigError(
                f"--batch {self.batch}: a CPU without the native operators draws one line at a time, so that a line gets the same "
                "bytes with any batch; leave the option out, or build the operators with 'make ext'"
            )
        synthesizer.settings = replace(synthesizer.settings, batch=self.batch or usual)
        return synthesizer


def say_what_is_slow(synthesizer: "Synthesizer") -> None:
    """Print that speech takes long on a CPU because the native operators are missing."""
    # This import stands here, because it loads torch, and --help must not wait for that.
    from triforce_tts import native

    if synthesizer.device.type == "cpu" and (note := native.missing()):
        typer.echo(note, err=True)


def _usual_batch(synthesizer: "Synthesizer") -> int:
    """How many lines to draw at once on the device of ``synthesizer``."""
    from triforce_tts.sampling.stepping import is_native

    if synthesizer.device.type == "cuda":
        return GPU_BATCH
    return CPU_BATCH if is_native(synthesizer.gpt) else 1


def open_checks(care: Preset, recogniser: str | None, quiet: bool) -> "Checker":
    """The checks of a preset; ``recogniser`` is the one that a user names, or ``NO_RECOGNISER``.

    Raises:
        TriforceError: the recogniser that a user names is not installed.
    """
    from triforce_tts.narrator.checks import open_checker

    if recogniser == NO_RECOGNISER or (recogniser is None and not care.recogniser):
        return open_checker(care.align, None)
    from triforce_tts.judges.recognisers import AUTO, TINY, choose, open_recogniser

    choice = choose(recogniser or AUTO)
    # A less exact recogniser would find faults in good lines.
    if recogniser is None and choice.recogniser != TINY:
        if not quiet:
            typer.echo(f"--preset: {choice.remark}", err=True)
        return open_checker(care.align, None)
    if choice.recogniser is None:
        raise TriforceError(f"--recogniser {recogniser}: {choice.remark}")
    return open_checker(care.align, open_recogniser(choice.recogniser))


def take_choice(care: Preset, quiet: bool) -> "Choice | None":
    """The rule by which ``speak`` finds the best of several takes of a line, if a preset wants several."""
    if care.takes == 1:
        return None
    from triforce_tts.synthesis.speaking import Choice

    checker = open_checks(care, None, quiet)
    return Choice(care.takes, lambda spoken, sample_rate: checker(spoken, sample_rate).rank, checker.names)


def say_of_lexicons(synthesizer: "Synthesizer", quiet: bool) -> None:
    """Print which words have two pronunciations in a file of the user's."""
    for remark in () if quiet else synthesizer.tokenizer.lexicon.remarks:
        typer.echo(remark, err=True)


def require_voice(voice: Path | None) -> None:
    """Refuse a voice that is neither a name nor a file, before a model is loaded."""
    if voice is not None:
        find_clip(voice)


def choose_voice(synthesizer: "Synthesizer", voice: Path | None, quiet: bool) -> "Voice":
    """The voice that a command speaks in; a note on it is printed."""
    chosen = synthesizer.voice(voice)
    if voice is not None and not is_named(voice) and not quiet:
        _ask_for_consent()
    if chosen.note and not quiet:
        typer.echo(chosen.note, err=True)
    return chosen


def _ask_for_consent() -> None:
    """Ask to clone only with consent, the first time that a voice is cloned on this account."""
    base = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    marker = base / "triforce-tts" / "consent-shown"
    if marker.exists():
        return
    typer.echo("Clone a voice only with its owner's consent; written files say that they are synthetic.", err=True)
    # If the home folder cannot be written, the line is shown again the next time.
    with suppress(TriforceError):
        write_text(marker, "shown\n")
