"""``triforce-tts gpu-run``: train from a pack on a rented GPU, and end in time with what travels home.

First come the tests of the GPU and the benchmarks, then the stages one after another, each as a command of its own that a
user could type, then the model folder. What a stage left is exported as soon as it ends, so whatever fails later costs
nothing of it. A stage that needs what a failed one should have made is not run.
"""

import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from triforce_tts.errors import CheckpointError, ConfigError, TriforceError
from triforce_tts.files import working_folder, write_json, write_text
from triforce_tts.manifest import DEFAULT_VOICE, MANIFEST, STAGES

from ..bundle import CARD, copy_half
from ..trainer.state import read_state
from .launch import STOPPED, Launch, launch_process, log_lines
from .pack import CODES, CONFIGS, INIT, PLAN, SHARDS, VOICE, Pack, read_pack
from .plan import Plan, divide, load_plan
from .results import best_or_latest, stage_files, write_parts
from .summary import DONE, FAILED, Step, last_validation, table
from .watch import Watch

CHECKS = ("tests", "benchmarks")
ORDER = ("dvae", "codes", "diffusion", "gpt")  # the stages in the order in which they can run
BUNDLE, LOGS, SUMMARY, TABLE = "bundle", "logs", "summary.json", "summary.txt"
NEEDS = {"codes": ("dvae",), "diffusion": ("dvae",), "gpt": ("dvae", "codes"), BUNDLE: STAGES}
_TEST_PROCESSES = 4
_LEAST_SECONDS = 1.0  # A training that has less time than this is not started.
# The log lines that are shown: the last ones of a failed command, and the last ones of tests and benchmarks.
_TAIL, _SHOWN = 3, 15


@dataclass(frozen=True)
class Places:
    """The folders of a run."""

    pack: Path
    out: Path
    work: Path
    # The root of the clone with the tests and benchmarks; None if the package is installed without a clone.
    root: Path | None

    def weights(self, stage: str) -> Path:
        """The place of a stage's weights: those of this run, or else the earlier ones of the pack."""
        folder = self.work / stage
        return folder if (folder / "latest").exists() else self.pack / INIT / stage


def print_now(text: str) -> None:
    """Print a line that is seen at once, also in a log."""
    print(text, flush=True)


class Rental:
    """One run on a rented GPU."""

    def __init__(
        self,
        places: Places,
        settings: Sequence[str],
        ends_at: float,
        launch: Launch = launch_process,
        say: Callable[[str], None] = print_now,
    ) -> None:
        self.places, self.ends_at, self.launch, self._print = places, ends_at, launch, say
        self.pack: Pack = read_pack(places.pack)
        plan_settings, self.settings = divide(settings)
        self.plan: Plan = load_plan(places.pack / CONFIGS / f"{PLAN}.yaml", plan_settings)
        self.steps: list[Step] = []
        self.lines: list[str] = []
        self.watch = Watch()

    def run(self, names: Sequence[str]) -> bool:
        """Go through the steps called ``names``; returns whether all went well."""
        _require_order(names)
        self._require_inputs(names)
        self.places.work.mkdir(parents=True, exist_ok=True)
        with self.watch:
            for name in names:
                self._step(name, [later for later in names[names.index(name) :] if later in STAGES])
        self._finish()
        return all(step.status == DONE for step in self.steps)

    def _require_inputs(self, names: Sequence[str]) -> None:
        """Refuse a stage that needs something that the pack lacks and no earlier stage makes.

        Raises:
            ConfigError: a stage is refused; the message names it and what it needs.
        """
        for number, name in enumerate(names):
            for need in NEEDS.get(name, ()):
                path = self._codes() if need == "codes" else self.places.weights(need)
                if need not in names[:number] and not path.exists():
                    raise ConfigError(f"STAGES: '{name}' needs '{need}' before it, or in the pack, which has none")
        if "dvae" in names and "gpt" in names and "codes" not in names:
            raise ConfigError("STAGES: a trained DVAE has new codes: 'gpt' needs 'codes' between it and 'dvae'")

    def can_bundle(self, names: Sequence[str]) -> bool:
        """Whether the stages called ``names`` and the weights of the pack give three networks that belong together."""
        there = all(stage in names or self.places.weights(stage).exists() for stage in STAGES)
        return there and ("dvae" not in names or {"gpt", "diffusion"} <= set(names))

    # --- one step -----------------------------------------------------------------------------------------------------

    def _step(self, name: str, trained: Sequence[str]) -> None:
        step, began = Step(name), time.monotonic()
        self.steps.append(step)
        failed = [need for need in NEEDS.get(name, ()) if self._failed(need)]
        try:
            if failed:
                step.note = f"'{failed[0]}' did not end well"
            else:
                with self._timed(step):
                    self._do(step, trained)
                step.status = DONE
        except _NoTime as error:
            step.note = str(error)
        except (TriforceError, OSError) as error:
            step.status, step.note = FAILED, str(error)
        if use := self.watch.use(began, time.monotonic()):
            step.gpu_busy, step.gpu_memory_gb = use.busy, use.memory_gb
        note = f": {step.note}" if step.note else ""
        self.say(f"{name}: {step.status} after {step.seconds:.1f} s, {self._left():.0f} s are left{note}")
        self._write_summary()

    def _failed(self, need: str) -> bool:
        return any(step.name == need and step.status != DONE for step in self.steps)

    @contextmanager
    def _timed(self, step: Step) -> Iterator[None]:
        began = time.monotonic()
        try:
            yield
        finally:
            step.seconds = round(time.monotonic() - began, 1)

    def _do(self, step: Step, trained: Sequence[str]) -> None:
        if step.name == "tests":
            self._in_clone(step, self.plan.tests_seconds, gpu_tests())
        elif step.name == "benchmarks":
            sizes = ["--sizes", str(self.places.pack / CONFIGS)]
            self._in_clone(
                step,
                self.plan.benchmarks_seconds,
                *(["-m", f"benchmarks.{name}", *sizes] for name in ("train", "decode")),
            )
        elif step.name == "codes":
            self._make_codes()
        elif step.name == BUNDLE:
            self._bundle(step)
        else:
            self._train(step, trained)

    def _in_clone(self, step: Step, most: float, *commands: Sequence[str]) -> None:
        """Run commands that only a clone has, and show their output."""
        if self.places.root is None:
            raise TriforceError(
                f"the {step.name} are not in an installed package; run from a clone, or with --no-checks"
            )
        ends = min(time.time() + most, self._training_ends())
        log = self._log(step.name)
        try:
            for words in commands:
                self._command(words, step.name, ends - time.time())
        finally:
            if log.is_file():
                self.say("\n".join(log_lines(log)[-_SHOWN:]))

    def _train(self, step: Step, trained: Sequence[str]) -> None:
        """Train one stage for its share of the time that is left, and export its weights, even if the stage failed."""
        now, shares = time.time(), self.plan.shares.model_dump()
        part = shares[step.name] / sum(shares[stage] for stage in trained)
        stage_ends = now + (self._training_ends() - now) * part
        last_step = stage_ends - self.plan.closing_seconds
        if last_step - now < _LEAST_SECONDS:
            raise _NoTime(
                f"its share of the time is {stage_ends - now:.0f} s, and {self.plan.closing_seconds:g} s are for its end"
            )
        words = ["-m", "triforce_tts.cli.app", "train", step.name, *self._training(step.name, last_step)]
        try:
            # If closing takes longer than planned, the later stages have less time, but nothing is lost.
            limit = min(stage_ends + self.plan.overrun_seconds, self._training_ends())
            self._command(words, step.name, limit - now)
        finally:
            self._export(step)
        if not step.steps:
            raise TriforceError("its time was over before the first step was made")

    def _training(self, stage: str, last_step: float) -> list[str]:
        """The options of a stage's training."""
        data = self._codes() if stage == "gpt" else self.places.pack / SHARDS
        config = self.places.pack / CONFIGS / f"{stage}.yaml"
        words = ["--config", str(config), "--data", str(data), "--run", str(self.places.work / stage)]
        if stage == "diffusion":
            words += ["--dvae", str(self.places.weights("dvae"))]
        settings = [*self.plan.settings_of(stage), f"run.ends_at={last_step:.1f}"]
        if stage in self.pack.init:
            settings.append(f"run.init_from={self.places.pack / INIT / stage}")
        return [*words, *(word for setting in (*settings, *self.settings[stage]) for word in ("--set", setting))]

    def _codes(self) -> Path:
        folder = self.places.work / CODES
        return folder if folder.exists() else self.places.pack / CODES

    def _make_codes(self) -> None:
        words = ["-m", "triforce_tts.cli.app", "codes", "--dvae", str(self.places.weights("dvae"))]
        words += ["--data", str(self.places.pack / SHARDS), "--out", str(self.places.work / CODES)]
        words += ["--workers", str(self.plan.code_processes)]
        self._command(words, "codes", min(self.plan.codes_seconds, self._training_ends() - time.time()))

    def _command(self, words: Sequence[str], name: str, seconds: float) -> None:
        """Run a command within so many seconds.

        Raises:
            TriforceError: the command did not end well, or not in time.
        """
        if seconds <= 0:
            raise _NoTime("no time is left for it")
        log = self._log(name)
        code = self.launch(words, log, seconds, self.places.root)
        if code == 0:
            return
        if code == STOPPED:
            raise TriforceError(f"it was stopped after {seconds:.0f} s, when its time was over")
        raise TriforceError(f"exit code {code}: {' / '.join(log_lines(log)[-_TAIL:])}")

    # --- what is left -------------------------------------------------------------------------------------------------

    def _export(self, step: Step) -> None:
        """Write a stage's weights in fp16, small enough to be sent home, with the records of its training."""
        run = self.places.work / step.name
        try:
            source = best_or_latest(run)
        # The stage failed before it saved anything, so there is nothing to export. Its own error says so.
        except CheckpointError:
            return
        half = self.places.work / "half" / step.name
        copy_half(source, half)
        state = read_state(source)
        step.steps = state.step
        step.audio_s_per_s = round(state.audio_seconds / state.seconds, 1) if state.seconds else None
        step.figures = last_validation(run)
        step.files = [path.name for path in write_parts(self.places.out, step.name, stage_files(half, step.name))]

    def _bundle(self, step: Step) -> None:
        model = self.places.work / "model"
        words = ["-m", "triforce_tts.cli.app", "bundle", "--out", str(model), "--force"]
        words += ["--voice", str(self.places.pack / VOICE)]
        words += [word for stage in STAGES for word in (f"--{stage}", str(self._exported(stage)))]
        self._command(words, BUNDLE, self._left())
        files = {name: model / name for name in (MANIFEST, DEFAULT_VOICE, CARD)}
        step.files = [path.name for path in write_parts(self.places.out, BUNDLE, files)]

    def _exported(self, stage: str) -> Path:
        half = self.places.work / "half" / stage
        return half if half.exists() else self.places.pack / INIT / stage

    def _finish(self) -> None:
        logs = {f"{LOGS}/{path.name}": path for path in (self.places.work / LOGS).glob("*.txt")}
        for stage in STAGES:
            for name in ("metrics.jsonl", "config.yaml", "environment.json"):
                path = self.places.work / stage / name
                logs |= {f"{LOGS}/{stage}-{name}": path} if path.is_file() else {}
        write_parts(self.places.out, LOGS, logs)
        self.say(table(self.steps))
        self._write_summary()

    def _write_summary(self) -> None:
        packed = self.pack.model_dump(mode="json", exclude={"files"})
        steps = [vars(step) for step in self.steps]
        write_json(self.places.out / SUMMARY, {"gpu": self.watch.device or None, "pack": packed, "steps": steps})
        write_text(self.places.out / TABLE, "\n".join(self.lines) + "\n")

    def say(self, text: str) -> None:
        """Print a line, and keep it for ``summary.txt``."""
        self.lines.append(text)
        self._print(text)

    def _log(self, name: str) -> Path:
        folder = self.places.work / LOGS
        folder.mkdir(exist_ok=True)
        return folder / f"{name}.txt"

    def _left(self) -> float:
        return self.ends_at - time.time()

    def _training_ends(self) -> float:
        """The time of the clock at which work on the model folder begins."""
        return self.ends_at - self.plan.bundle_seconds


class _NoTime(Exception):
    """A step is not started, because there is no time for it."""


def _require_order(names: Sequence[str]) -> None:
    allowed = (*CHECKS, *ORDER, BUNDLE)
    wrong = sorted(set(names) - set(allowed))
    if wrong or len(set(names)) < len(names) or not names:
        raise ConfigError(f"STAGES '{' '.join(names)}': expected some of '{' '.join(ORDER)}', each once")


def gpu_tests() -> list[str]:
    """The command of the tests of the GPU, in a few processes where pytest can: they wait for the CPU more than for the GPU."""
    words = ["-m", "pytest", "-m", "gpu", "-v", "-W", "default", "-p", "no:cacheprovider", "tests/gpu"]
    return [*words, "-n", str(min(_TEST_PROCESSES, os.cpu_count() or 1))] if find_spec("xdist") else words


def clone_root() -> Path | None:
    """The root of the clone that this file lies in, with its tests and benchmarks; None in an installed package."""
    root = Path(__file__).resolve().parents[2]
    return root if (root / "tests" / "gpu").is_dir() and (root / "benchmarks").is_dir() else None


def run_pack(
    pack: Path,
    out: Path,
    deadline: float,
    stages: Sequence[str],
    checks: bool,
    work: Path | None,
    overrides: Sequence[str],
) -> bool:
    """Train from ``pack`` until ``deadline`` (seconds since 1970) and leave the results in ``out``; whether all went well.

    Raises:
        TriforceError: ``out`` holds the results of an earlier run, or the pack cannot be used.
    """
    if (out / SUMMARY).exists():
        raise TriforceError(f"{out}: holds the results of an earlier run; choose a new folder")
    names = [*(CHECKS if checks else ()), *stages]
    with tempfile.TemporaryDirectory(prefix="gpu-run-") as temporary, working_folder(out, "results", [pack]) as folder:
        places = Places(pack.absolute(), folder.absolute(), (work or Path(temporary)).absolute(), clone_root())
        rental = Rental(places, overrides, deadline)
        if rental.can_bundle(names):
            names.append(BUNDLE)
        else:
            rental.say("no model folder is made: it takes a gpt and a diffusion that were trained with one dvae")
        return rental.run(names)
