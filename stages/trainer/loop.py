"""The one training loop: accelerate for devices and precision, our own data order and checkpoints.

A step: the global batch of this step (a function of seed and step), cut into ``mega_batch_factor`` parts; the sum of
losses divided by the number of things summed over all parts and processes; clip; update; average. Everything that a
resumed run needs beyond the step number is in ``trainer/`` of its checkpoint, so it goes on bit for bit.
"""

import json
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Generic

import torch

from triforce_tts import checkpoint
from triforce_tts.batches import stream
from triforce_tts.errors import ConfigError, TriforceError
from triforce_tts.files import atomic_path
from triforce_tts.models.layers import Network, count_parameters

from .learner import Learner, computes_bfloat16, make_accelerator
from .lora import add_adapters
from .preview import layer_norms
from .processes import from_main, total
from .progress import Progress
from .report import Report
from .resume import find_start
from .saving import Checkpoints
from .settings import RunSettings
from .state import RAW, TRAINER, checkpoint_name, read_tensors
from .task import BatchT, ItemT, Task, order_of

# The folder in the run for batches without a finite gradient, and the most batches that it holds.
BAD, MOST_BAD = "bad", 20
FIRST_LOSS_OFF = "more than 10 % off: look for a fault before training on"
# Gloo's threads need thousands of times less than this to let go of a tensor.
GLOO_GRACE_S = 0.5


@dataclass
class Outcome:
    """The result of a run."""

    progress: Progress
    metrics: dict[str, float]  # the figures of the last step and of the last validation
    reached: bool  # in overfit mode: whether the error reached the bound


class Trainer(Generic[ItemT, BatchT]):
    """One run of one stage."""

    def __init__(
        self, task: Task[ItemT, BatchT], settings: RunSettings, run: Path, full_config: dict[str, Any]
    ) -> None:
        self.task, self.settings, self.run = task, settings, run
        self.accelerator = make_accelerator(settings)
        _require_figure(task, settings)
        self.order = order_of(task, settings)
        network = task.module.network
        start = find_start(task, settings, run, self.accelerator.num_processes)
        self.start, self.progress = start, start.progress
        if settings.lora_rank:
            add_adapters(network, settings.lora_rank)
        if start.exact is not None:
            file = start.exact[0] / TRAINER / RAW
            checkpoint.load_state(network, read_tensors(file), str(file))
        self.learner: Learner[BatchT] = Learner(task.module, settings, self.accelerator)
        self.network = self.learner.network
        torch.manual_seed(settings.seed + self.accelerator.process_index)
        self.checkpoints = Checkpoints(run, task, self.learner, start, self.progress)
        self.checkpoints.restore()
        if self.accelerator.is_main_process and start.notes:
            print("\n".join(start.notes))
        if settings.ema and not self.learner.average:
            self.learner.start_average()
        self.learning_rate = 0.0  # the learning rate of the last step
        self._skips = 0  # the number of skipped steps in a row
        self._validated_at = -1  # the step after which this process validated last
        self.report = Report(
            run, settings, full_config, task.name, self._trained_with(), self.accelerator.is_main_process
        )

    def _trained_with(self) -> dict[str, Any]:
        """The entries of ``environment.json`` about the run, beside those about the machine."""
        return {
            "parameters": count_parameters(self.network),
            "processes": self.accelerator.num_processes,
            "lineage": self.start.lineage,
            "samples": len(self.task.durations_s),
            "hours": round(sum(self.task.durations_s) / 3600, 3),
        }

    def close(self) -> None:
        """End the group of processes; there is no training after this.

        Gloo's threads let go of their last tensors after the result is there, and need Python's lock for it. Python
        must not end meanwhile (it would abort them), nor hold the lock while it joins them (they would wait for ever):
        so it leaves them the time.
        """
        self.accelerator.end_training()
        if self.accelerator.num_processes > 1:
            time.sleep(GLOO_GRACE_S)

    # --- the run ----------------------------------------------------------------------------------------------

    def fit(self) -> Outcome:
        """Train until the budget is spent; the last state is saved."""
        metrics: dict[str, float] = {}
        begun_at = self.progress.step
        with self.report:
            if self.accelerator.is_main_process:
                self.start.require_still(self.run)
            for note in self._notes():
                self.report.say(note)
            self.report.begin(self.progress)
            batches = self._batches()
            if self.settings.keep_best and self.settings.init_from and self.progress.best is None:
                metrics |= self._validate()  # the weights that training starts from may be the best
            while not self._must_stop():
                metrics |= self._timed_step(batches)
                if self._overfitted(metrics):
                    break
                if self.progress.is_due(self.settings.validate_every):
                    metrics |= self._validate()
                if self.progress.is_due(self.settings.preview_every):
                    self._preview()
                if self.progress.is_due(self.settings.save_every) and not self.checkpoints.is_current:
                    self.checkpoints.save()
            if not self.checkpoints.is_current:
                # The state is saved before anything else, so that a kill of this process loses nothing.
                self.checkpoints.save()
            if self._is_last_validation_open(begun_at):
                metrics |= self._validate()
            reached = not self.settings.overfit or self._overfitted(metrics)
            if self.settings.overfit:
                verdict = "reached" if reached else "not reached"
                self.report.say(f"overfit: {self._criterion(metrics):.4f}, bound {self.settings.overfit:g}: {verdict}")
        return Outcome(self.progress, metrics, reached)

    def _is_last_validation_open(self, begun_at: int) -> bool:
        """Whether the last state is still to be validated, also because a run that was killed then is started again."""
        step, figure, best = self.progress.step, self.settings.keep_best, self.progress.best
        if self._validated_at == step:
            return False
        if step > begun_at or not figure:
            return step > begun_at
        # A figure lower than the best one was reported, but its state was not saved as the best any more.
        found = self.report.validated(step).get(figure)
        return bool(from_main(self.accelerator, found is None or best is None or found < best))

    def _notes(self) -> list[str]:
        """The notes for the user at the start."""
        notes = list(self.task.notes)
        if self._must_stop():
            notes.append(self._why_nothing_is_left())
        if not len(self.task.heldout):
            notes.append("the data holds nothing out: nothing is validated")
        if self.settings.precision == "bf16" and not computes_bfloat16(self.accelerator.device):
            notes.append(
                f"run.precision=bf16: this {self.accelerator.device.type} has no instructions for bfloat16, and a step "
                "takes many times longer: set run.precision=fp32"
            )
        return notes

    def _why_nothing_is_left(self) -> str:
        """The note of a run whose budget is used up before its first step."""
        settings, step = self.settings, self.progress.step
        budget = {"steps": settings.steps, "minutes": settings.minutes, "ends_at": settings.ends_at}
        named = ", ".join(f"run.{name}={value:.15g}" for name, value in budget.items() if value)
        why = "run.patience is used up" if self.progress.is_out_of_patience(settings) else f"{named} is used up"
        if self.progress.budget_spent(settings) < 1 and settings.stop_at:
            why = f"run.stop_at={settings.stop_at} is reached"
        return f"step {step}: {why}, so no step is trained; raise it to train on"

    def _overfitted(self, metrics: dict[str, float]) -> bool:
        return bool(self.settings.overfit) and self._criterion(metrics) <= self.settings.overfit

    def _criterion(self, metrics: dict[str, float]) -> float:
        """The figure that the overfit bound limits: the stage's own if it logs one beside the loss that it descends."""
        return metrics.get(self.task.criterion, math.inf)

    def _batches(self) -> Iterator[BatchT]:
        return stream(
            self.order,
            self.task.sample,
            self.task.collate,
            start=self.progress.step,
            rank=self.accelerator.process_index,
            processes=self.accelerator.num_processes,
            workers=self.settings.workers,
            only=0 if self.settings.overfit else None,
        )

    def _must_stop(self) -> bool:
        return bool(self._by_one_clock(self.progress.must_stop(self.settings)))

    def _by_one_clock(self, value: float) -> float:
        """The main process's ``value`` if it depends on time: clocks differ, but all processes take the same steps."""
        timed = self.settings.minutes or self.settings.ends_at
        return float(from_main(self.accelerator, value)) if timed else value

    # --- one step ---------------------------------------------------------------------------------------------

    def _timed_step(self, batches: Iterator[BatchT]) -> dict[str, float]:
        began = time.perf_counter()
        batch = next(batches)
        waited = time.perf_counter() - began
        logged = self._step(batch)
        took = time.perf_counter() - began
        self.progress.seconds += took
        self._log(logged, waited / took)
        return logged

    def _step(self, batch: BatchT) -> dict[str, float]:
        """Train on ``batch``; returns the means over the batches of all processes, to be logged."""
        padding = batch.padded_share()
        batch = batch.to(self.accelerator.device)
        self.task.module.step = self.progress.step
        self.learning_rate = self._by_one_clock(self.progress.learning_rate(self.settings))
        weight = total(self.accelerator, self.task.weight(batch))
        sums = self.learner.backward(batch.split(self.settings.mega_batch_factor), weight)
        if self.settings.preview_every and (self.progress.step + 1) % self.settings.preview_every == 0:
            self.report.gradients(self.progress, layer_norms(self.network, self.learner.loss_scale))
        norm = self.learner.clip()
        self._update(norm, batch)
        names = sorted(sums)
        totals = self.accelerator.reduce(torch.stack([sums[name] for name in names]), "sum").tolist()
        self.progress.step += 1
        self.progress.audio_seconds += total(self.accelerator, self.task.seconds(batch))
        logged = {name: value / weight for name, value in zip(names, totals, strict=True)}
        return {**logged, "gradient_norm": norm, **({} if padding is None else {"padding": padding})}

    def _update(self, norm: float, batch: BatchT) -> None:
        if math.isfinite(norm):
            self.learner.update(self.learning_rate)
            self._skips = 0
        elif self.learner.overflowed():
            self.progress.overflows += 1
        else:
            self._skip(batch)
        self.learner.follow(self.progress.average_decay(self.settings))

    def _skip(self, batch: BatchT) -> None:
        """Skip a step whose gradient is not finite.

        Raises:
            TriforceError: too many steps in a row were skipped.
        """
        self.progress.skipped += 1
        self._skips += 1
        folder = self._keep_bad(batch)
        if self._skips >= self.settings.stop_after_skips:
            raise TriforceError(
                f"{self.run}: the gradient was not finite {self._skips} steps in a row at step "
                f"{self.progress.step + 1}; lower run.learning_rate or look at the batches in {folder}; the last "
                "checkpoint is kept"
            )

    def _keep_bad(self, batch: BatchT) -> Path:
        """Save the batch whose gradient was not finite, with the keys of its samples; returns its folder."""
        folder = self.run / BAD
        if self.progress.skipped <= MOST_BAD:
            rank, pairs = self.accelerator.process_index, self.order.batch(self._stream_step())
            keys = [self.task.keys[index] for _, index in pairs[rank :: self.accelerator.num_processes]]
            tensors = {field.name: getattr(batch, field.name).cpu().contiguous() for field in fields(batch)}
            with atomic_path(folder / f"{checkpoint_name(self.progress.step + 1)}-{rank:05d}.safetensors") as file:
                checkpoint.save_tensors(file, tensors, {"samples": json.dumps(keys)})
        return folder

    def _stream_step(self) -> int:
        """The step whose batch this step trains on."""
        return 0 if self.settings.overfit else self.progress.step

    # --- reporting --------------------------------------------------------------------------------------------

    def _log(self, logged: dict[str, float], wait_share: float) -> None:
        first = self.task.expected_first_loss
        if self.progress.step == 1 and first is not None:
            loss = logged[self.task.criterion]
            verdict = "as expected" if abs(loss / first - 1) <= 0.1 else FIRST_LOSS_OFF
            self.report.say(f"first loss {loss:.3f}, a uniform guess has {first:.3f}: {verdict}")
        samples = None
        if self.settings.log_samples:
            samples = [self.task.keys[index] for _, index in self.order.batch(self.progress.step - 1)]
        self.report.step(self.progress, logged, self.learning_rate, wait_share, samples)

    def _validate(self) -> dict[str, float]:
        metrics: dict[str, float] = {}
        if not (len(self.task.heldout) and self.settings.validate_samples):
            return metrics  # There are no samples, so there is no figure.

        def look(network: Network) -> None:
            metrics.update(self.task.validate(network, self.accelerator.device, self.settings.validate_samples))
            self.report.validation(self.progress, metrics)

        self.learner.show(look)
        self._validated_at = self.progress.step
        if self.settings.keep_best:
            self._keep_best(metrics)
        return {f"heldout_{name}": value for name, value in metrics.items()}

    def _preview(self) -> None:
        def look(network: Network) -> None:
            samples = min(self.settings.preview_samples, len(self.task.heldout))
            with torch.no_grad():
                previews = [self.task.preview(network, self.accelerator.device, index) for index in range(samples)]
            self.report.preview(self.progress, previews)

        self.learner.show(look)

    def _keep_best(self, metrics: dict[str, float]) -> None:
        """Save this state as the best one if its held-out figure, which the main process knows, is the lowest yet."""
        figure = self.settings.keep_best
        value = from_main(self.accelerator, metrics.get(figure, math.nan))
        if math.isfinite(value) and (self.progress.best is None or value < self.progress.best):
            self.progress.best, self.progress.worse = value, 0
            self.checkpoints.save(best=True)
        else:
            self.progress.worse += 1


def _require_figure(task: Task[Any, Any], settings: RunSettings) -> None:
    """Refuse a run that has nothing to choose its best checkpoint by.

    Raises:
        ConfigError: the run is refused.
    """
    if settings.keep_best and settings.keep_best not in task.errors:
        raise ConfigError(
            f"run.keep_best={settings.keep_best}: expected a held-out figure that falls as the network gets better: "
            f"{', '.join(task.errors)}"
        )
    if settings.keep_best and not len(task.heldout):
        raise ConfigError("run.keep_best compares held-out figures, and the data holds nothing out: leave it empty")
