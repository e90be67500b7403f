"""The one training loop: accelerate for devices and precision, our own data order and checkpoints.

A step: the global batch of this step (a function of seed and step), cut into ``mega_batch_factor`` parts; the sum of
losses divided by the number of things summed over all parts and processes; clip; update; average. Everything that a
resumed run needs beyond the step number is in ``trainer/`` of its checkpoint, so it goes on bit for bit.
"""

import contextlib
import copy
import json
import math
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Generic

import torch
from accelerate import Accelerator
from accelerate.utils import broadcast_object_list

from triforce_tts import checkpoint
from triforce_tts.batches import stream
from triforce_tts.errors import ConfigError, TriforceError
from triforce_tts.files import atomic_path, new_folder, write_json, write_text
from triforce_tts.models.layers import Network, count_parameters

from .lora import add_adapters, merge
from .optim import learning_rate_factor, make_optimizer, state_names
from .preview import layer_norms
from .report import Report
from .resume import average_file, find_start, restored_average, restored_optimizer
from .settings import RunSettings
from .sharding import local, require_shardable, shard, whole
from .state import (
    OPTIMIZER,
    RAW,
    STATE,
    TRAINER,
    Parameters,
    Progress,
    State,
    checkpoint_name,
    prune,
    random_state,
    read_tensors,
    restore_random_state,
    rng_name,
)
from .task import BatchT, ItemT, Task, order_of

BAD, MOST_BAD = "bad", 20  # folder of the run, and how many batches without a finite gradient it holds
KERNELS = 64  # that oneDNN keeps; a step needs a few dozen
GLOO_GRACE_S = 0.5  # thousands of times what its threads need to let go of a tensor
LIGHT_WARMUP = 100  # steps of new warm-up after a start without optimiser state


@dataclass
class Outcome:
    """What a run came to."""

    progress: Progress
    metrics: dict[str, float]  # the last step's and the last validation's
    reached: bool  # in overfit mode: whether the bound was


class Trainer(Generic[ItemT, BatchT]):
    """One run of one stage."""

    def __init__(
        self, task: Task[ItemT, BatchT], settings: RunSettings, run: Path, full_config: dict[str, Any]
    ) -> None:
        self.task, self.settings, self.run = task, settings, run
        if settings.threads:
            torch.set_num_threads(settings.threads)
        # oneDNN keeps up to 1024 compiled kernels with their memory, a set for each shape that a batch ever had.
        os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", str(KERNELS))
        self.accelerator = Accelerator(mixed_precision="no" if settings.precision == "fp32" else settings.precision)
        if settings.precision == "fp16" and self.accelerator.scaler is None:
            raise ConfigError(
                f"run.precision=fp16 needs a GPU, and training is on '{self.accelerator.device}': set fp32 or bf16"
            )
        processes = self.accelerator.num_processes
        if settings.batch_size % processes:
            raise ConfigError(f"run.batch_size ({settings.batch_size}) must be a multiple of the {processes} processes")
        if not task.durations_s:
            raise ConfigError("no training samples are left after data.speakers, min_seconds and max_seconds")
        if settings.keep_best and not len(task.heldout):
            raise ConfigError("run.keep_best compares held-out figures, and the data holds nothing out: leave it empty")
        self.order = order_of(task, settings)
        network = task.module.network
        self.start = find_start(task, settings, run, processes)
        self.progress, exact = self.start.progress, self.start.exact
        if settings.lora_rank:
            add_adapters(network, settings.lora_rank)
        if exact is not None:
            file = exact[0] / TRAINER / RAW
            checkpoint.load_state(network, read_tensors(file), str(file))
        network.recompute = settings.recompute
        if settings.compile:
            network.compile(dynamic=True)
        # Sharded, a network runs only in all processes together: the main one keeps a whole copy to validate with.
        self._copy: Network | None = None
        if settings.shard:
            require_shardable(network, settings, processes)
            self._copy = copy.deepcopy(network) if self.accelerator.is_main_process else None
            shard(task.module.to(self.accelerator.device), self.accelerator.device, processes)
        self.optimizer = make_optimizer(task.module, settings)
        # What is sharded already gets accelerate's precision but not its DistributedDataParallel.
        self.module = self.accelerator.prepare_model(task.module, evaluation_mode=settings.shard)
        self.optimizer = self.accelerator.prepare(self.optimizer)
        self.network = self.accelerator.unwrap_model(self.module).network
        torch.manual_seed(settings.seed + self.accelerator.process_index)
        self.ema: dict[str, torch.Tensor] = {}
        self._skips = 0
        self._saved = -1  # step of the last checkpoint
        if exact is not None:
            self._restore(*exact)
        if self.accelerator.is_main_process and self.start.notes:
            print("\n".join(self.start.notes))
        if settings.ema and not self.ema:
            self.ema = {name: value.detach().clone() for name, value in self.network.state_dict().items()}
        trained_with = {
            "parameters": count_parameters(self.network),
            "processes": processes,
            "lineage": self.start.lineage,
            "samples": len(task.durations_s),
            "hours": round(sum(task.durations_s) / 3600, 3),
        }
        self.report = Report(run, settings, full_config, task.name, trained_with, self.accelerator.is_main_process)

    def close(self) -> None:
        """End the group of processes; there is no training after this.

        Gloo's threads let go of their last tensors after the result is there, and need Python's lock for it. Python
        must not end meanwhile (it would abort them), nor hold the lock while it joins them (they would wait for ever):
        so it leaves them the time.
        """
        self.accelerator.end_training()
        if self.accelerator.num_processes > 1:
            time.sleep(GLOO_GRACE_S)

    # --- one step ---------------------------------------------------------------------------------------------

    def fit(self) -> Outcome:
        """Train until the budget is spent; the last state is saved."""
        self._saved = self.progress.step if self.start.pointed is not None else -1
        metrics: dict[str, float] = {}
        with self.report:
            if self.accelerator.is_main_process:
                self.start.require_still(self.run)
            for note in self._notes():
                self.report.say(note)
            batches = self._batches()
            while not self._spent():
                began = time.perf_counter()
                batch = next(batches)
                waited = time.perf_counter() - began
                logged = self._step(batch)
                self.progress.seconds += time.perf_counter() - began
                self._log(logged, waited, time.perf_counter() - began)
                metrics |= logged
                if self._overfitted(metrics):
                    break
                if self._due(self.settings.validate_every):
                    metrics |= self._validate()
                if self._due(self.settings.preview_every):
                    self._preview()
                if self._due(self.settings.save_every) and self._saved != self.progress.step:
                    self.save()
            if self._saved != self.progress.step:
                metrics |= self._validate()
            if self._saved != self.progress.step:
                self.save()
            reached = not self.settings.overfit or self._overfitted(metrics)
            if self.settings.overfit:
                told = "reached" if reached else "not reached"
                self.report.say(f"overfit: {self._criterion(metrics):.4f}, bound {self.settings.overfit:g}: {told}")
        return Outcome(self.progress, metrics, reached)

    def _overfitted(self, metrics: dict[str, float]) -> bool:
        return bool(self.settings.overfit) and self._criterion(metrics) <= self.settings.overfit

    def _criterion(self, metrics: dict[str, float]) -> float:
        """What the overfit bound is on: the stage's own figure where it logs one beside the loss it descends."""
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

    def _step(self, batch: BatchT) -> dict[str, float]:
        padding = batch.padded_share()
        batch = batch.to(self.accelerator.device)
        self.task.module.step = self.progress.step
        weight = self._sum(self.task.weight(batch))
        for group in self.optimizer.param_groups:
            group["lr"] = self.settings.learning_rate * self._rate()
        parts = batch.split(self.settings.mega_batch_factor)
        sums: dict[str, torch.Tensor] = {}
        for number, part in enumerate(parts):
            last = number == len(parts) - 1
            # (What is sharded sums up each part at once: whole gradients are what it has no room for.)
            with contextlib.nullcontext() if last else self.accelerator.no_sync(self.module):
                loss, logged = self.module(part)
                # DDP averages gradients over processes; the true loss is the sum over all of them by all weights.
                self.accelerator.backward(loss * (self.accelerator.num_processes / weight))
            for name, value in {"loss": loss.detach(), **logged}.items():
                sums[name] = sums.get(name, torch.zeros((), device=loss.device)) + value.float()
        if self.settings.preview_every and (self.progress.step + 1) % self.settings.preview_every == 0:
            self.report.gradients(self.progress, layer_norms(self.network, self._loss_scale()))
        norm = float(whole(self.accelerator.clip_grad_norm_(self.module.parameters(), self.settings.clip_norm)))
        self._update(norm, batch)
        names = sorted(sums)
        totals = self.accelerator.reduce(torch.stack([sums[name] for name in names]), "sum").tolist()
        self.progress.step += 1
        self.progress.audio_seconds += self._sum(self.task.seconds(batch))
        logged = {name: total / weight for name, total in zip(names, totals, strict=True)}
        return {**logged, "gradient_norm": norm, **({} if padding is None else {"padding": padding})}

    def _loss_scale(self) -> float:
        """What losses, and so gradients until they are clipped, are multiplied by: 1 but for fp16."""
        scaler = self.accelerator.scaler
        return 1.0 if scaler is None else float(scaler.get_scale())

    def _update(self, norm: float, batch: BatchT) -> None:
        if math.isfinite(norm):
            self.optimizer.step()
            self._skips = 0
        elif self._overflowed():
            self.progress.overflows += 1
        else:
            self.progress.skipped += 1
            self._skips += 1
            kept = self._keep_bad(batch)
            if self._skips >= self.settings.stop_after_skips:
                raise TriforceError(
                    f"{self.run}: the gradient was not finite {self._skips} steps in a row at step "
                    f"{self.progress.step + 1}; lower run.learning_rate or look at the batches in {kept}; the last "
                    "checkpoint is kept"
                )
        self.optimizer.zero_grad(set_to_none=True)
        if self.ema:
            with torch.no_grad():
                names = list(self.ema)
                state = self.network.state_dict()
                averages, values = ([local(tensors[n]) for n in names] for tensors in (self.ema, state))
                torch._foreach_lerp_(averages, values, 1 - self._ema_decay())

    def _overflowed(self) -> bool:
        """Whether a gradient that is not finite was only scaled up too far for fp16; the scale is lowered either way.

        A scale of 1 or less enlarges nothing: then the gradient itself is at fault.
        """
        if self.accelerator.scaler is None:
            return False
        before = self._loss_scale()
        self.optimizer.zero_grad(set_to_none=True)  # so that the step, which also updates the scale, moves no weight
        self.optimizer.step()
        return before > 1.0 and self._loss_scale() < before

    def _keep_bad(self, batch: BatchT) -> Path:
        """Write down the batch whose gradient was not finite, with the keys of its samples; the folder."""
        folder = self.run / BAD
        if self.progress.skipped <= MOST_BAD:
            rank, pairs = self.accelerator.process_index, self.order.batch(self._stream_step())
            keys = [self.task.keys[index] for _, index in pairs[rank :: self.accelerator.num_processes]]
            tensors = {field.name: getattr(batch, field.name).cpu().contiguous() for field in fields(batch)}
            with atomic_path(folder / f"{checkpoint_name(self.progress.step + 1)}-{rank:05d}.safetensors") as file:
                checkpoint.save_tensors(file, tensors, {"samples": json.dumps(keys)})
        return folder

    def _stream_step(self) -> int:
        """Which step's batch this step trains on."""
        return 0 if self.settings.overfit else self.progress.step

    def _ema_decay(self) -> float:
        # Young averages forget faster, or they would hold the random start for hundreds of steps.
        step = self.progress.step
        return min(self.settings.ema, (1 + step) / (10 + step))

    def _rate(self) -> float:
        s, p = self.settings, self.progress
        spent = max(p.step / s.steps if s.steps else 0.0, p.seconds / (60 * s.minutes) if s.minutes else 0.0)
        factor = learning_rate_factor(p.step, s.warmup_steps, spent, s.final_learning_rate)
        if p.light_start >= 0:
            factor *= min(1.0, (p.step - p.light_start + 1) / LIGHT_WARMUP)
        return self._agree(factor)

    def _spent(self) -> bool:
        s, p = self.settings, self.progress
        done = (
            (s.steps and p.step >= s.steps)
            or (s.minutes and p.seconds >= 60 * s.minutes)
            or (s.stop_at and p.step >= s.stop_at)
        )
        return bool(self._agree(float(bool(done))))

    def _agree(self, value: float) -> float:
        """The main process's ``value``: clocks differ, and all processes must take the same steps."""
        if self.accelerator.num_processes == 1 or not self.settings.minutes:
            return value
        box = [value]
        broadcast_object_list(box)
        return float(box[0])

    def _sum(self, value: float) -> float:
        if self.accelerator.num_processes == 1:
            return value
        total: float = self.accelerator.reduce(
            torch.tensor(value, device=self.accelerator.device, dtype=torch.float64), "sum"
        ).item()
        return total

    def _due(self, every: int) -> bool:
        return bool(every) and self.progress.step % every == 0

    # --- reporting --------------------------------------------------------------------------------------------

    def _log(self, logged: dict[str, float], waited: float, took: float) -> None:
        first = self.task.expected_first_loss
        if self.progress.step == 1 and first is not None:
            found = logged[self.task.criterion]
            off = abs(found / first - 1)
            verdict = "as expected" if off <= 0.1 else "more than 10 % off: look for a fault before training on"
            self.report.say(f"first loss {found:.3f}, a uniform guess has {first:.3f}: {verdict}")
        samples = None
        if self.settings.log_samples:
            samples = [self.task.keys[index] for _, index in self.order.batch(self.progress.step - 1)]
        rate = self.settings.learning_rate * self._rate()
        self.report.step(self.progress, logged, rate, waited / took, samples)

    def _notes(self) -> list[str]:
        """What the user should know at the start."""
        silent = ["the data holds nothing out: nothing is validated"] if not len(self.task.heldout) else []
        return [*self.task.notes, *silent]

    def _validate(self) -> dict[str, float]:
        metrics: dict[str, float] = {}
        if not (len(self.task.heldout) and self.settings.validate_samples):
            return metrics  # a figure of no samples is none

        def look(network: Network) -> None:
            metrics.update(self.task.validate(network, self.accelerator.device, self.settings.validate_samples))
            self.report.validation(self.progress, metrics)

        self._show(look)
        if self.settings.keep_best:
            self._keep_best(metrics)
        return {f"heldout_{name}": value for name, value in metrics.items()}

    def _preview(self) -> None:
        def look(network: Network) -> None:
            samples = min(self.settings.preview_samples, len(self.task.heldout))
            with torch.no_grad():
                previews = [self.task.preview(network, self.accelerator.device, index) for index in range(samples)]
            self.report.preview(self.progress, previews)

        self._show(look)

    def _show(self, look: Callable[[Network], None]) -> None:
        """``look`` at the network with its averaged weights, in the main process; all take part."""
        gathered = self._whole(self.ema or self.network.state_dict()) if self.settings.shard else {}
        if self._copy is not None:
            self._copy.load_state_dict(gathered)
            look(self._copy.to(self.accelerator.device).eval())
            self._copy.to("cpu")
        elif self.accelerator.is_main_process:
            with self._averaged():
                self.network.eval()
                look(self.network)
                self.network.train()
        self.accelerator.wait_for_everyone()

    @contextlib.contextmanager
    def _averaged(self) -> Iterator[None]:
        """The network holds its averaged weights inside the block."""
        if not self.ema:
            yield
            return
        raw = {name: value.detach().clone() for name, value in self.network.state_dict().items()}
        self.network.load_state_dict(self.ema)
        try:
            yield
        finally:
            self.network.load_state_dict(raw)

    def _keep_best(self, metrics: dict[str, float]) -> None:
        """Save this state as the best one if its held-out figure, known to the main process, is the lowest yet."""
        wanted = self.settings.keep_best
        box: list[Any] = [metrics.get(wanted), sorted(metrics)]
        if self.accelerator.num_processes > 1:
            broadcast_object_list(box)
        value, known = box
        if value is None:
            raise ConfigError(f"run.keep_best: {self.task.name} has no held-out figure '{wanted}'; it has {known}")
        if math.isfinite(value) and (self.progress.best is None or value < self.progress.best):
            self.progress.best = value
            self.save(best=True)

    # --- checkpoints ------------------------------------------------------------------------------------------

    def save(self, best: bool = False) -> None:
        """Write ``step-XXXXXXXX/``, then point ``latest`` at it, and ``best`` too if asked; older ones go."""
        target = self.run / checkpoint_name(self.progress.step)
        random = self._random_states()
        weights, averaged = self._whole(self.network.state_dict()), self._whole(self.ema)
        optimizer = self._whole(self._optimizer_tensors())
        if self.accelerator.is_main_process:
            with new_folder(target, "checkpoint", force=True) as folder:
                self._write(folder, weights, averaged or weights, optimizer)
                for rank, state in enumerate(random):
                    checkpoint.save_tensors(folder / TRAINER / rng_name(rank), state)
            for pointer in ("best", "latest") if best else ("latest",):
                write_text(self.run / pointer, target.name)
            prune(self.run, self.settings.keep)
        self._saved, self.start.pointed = self.progress.step, target.name
        self.accelerator.wait_for_everyone()

    def _random_states(self) -> list[dict[str, torch.Tensor]]:
        """The random state of every process."""
        own = random_state()
        if self.accelerator.num_processes == 1:
            return [own]
        device = self.accelerator.device
        all_states = {name: self.accelerator.gather(value.to(device)[None]).cpu() for name, value in own.items()}
        return [
            {name: value[rank].clone() for name, value in all_states.items()}
            for rank in range(self.accelerator.num_processes)
        ]

    def _whole(self, tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """``tensors`` gathered from all processes, on the main process's CPU; nothing in the others."""
        gathered = ((name, whole(tensor.detach())) for name, tensor in tensors.items())
        main = self.accelerator.is_main_process
        # Every process walks through all of them, as gathering one takes all.
        return {name: tensor.cpu().contiguous() for name, tensor in gathered if main}

    def _write(
        self,
        folder: Path,
        weights: dict[str, torch.Tensor],
        averaged: dict[str, torch.Tensor],
        optimizer: dict[str, torch.Tensor],
    ) -> None:
        shipped = merge(averaged) if self.settings.lora_rank else averaged
        checkpoint.save(folder, shipped, self.task.config(), {**self.start.lineage, "steps": self.progress.step})
        trainer = folder / TRAINER
        trainer.mkdir()
        if self.settings.lora_rank:  # merged weights do not tell the average of the adapters
            checkpoint.save_tensors(average_file(folder, self.settings), averaged)
        checkpoint.save_tensors(trainer / RAW, weights)
        checkpoint.save_tensors(trainer / OPTIMIZER, optimizer)
        scaler = self.accelerator.scaler
        state = State(
            **vars(self.progress),
            keep_best=self.settings.keep_best,
            seed=self.settings.seed,
            batch_size=self.settings.batch_size,
            processes=self.accelerator.num_processes,
            optimizer=self.settings.optimizer,
            optimizer_tensors=len(optimizer),
            loss_scale=None if scaler is None else self._loss_scale(),
            loss_scale_steps=0 if scaler is None else scaler.state_dict()["_growth_tracker"],
        )
        write_json(trainer / STATE, state.model_dump(mode="json"))

    def _parameters(self) -> Parameters:
        """Name and shape of the optimiser's parameters in its order, and what it keeps of each."""
        known = {id(p): name for name, p in self.accelerator.unwrap_model(self.module).named_parameters()}
        return [
            (known[id(p)], state_names(self.settings.optimizer, group), p.shape)
            for group in self.optimizer.param_groups
            for p in group["params"]
        ]

    def _optimizer_tensors(self) -> dict[str, torch.Tensor]:
        state = self.optimizer.state_dict()["state"]
        return {
            f"{name}/{key}": torch.as_tensor(value)
            for index, (name, _, _) in enumerate(self._parameters())
            for key, value in sorted(state.get(index, {}).items())  # in one order in all processes, which gather them
        }

    def _restore(self, folder: Path, state: State) -> None:
        """Take up what the checkpoint in ``folder`` holds beside the weights."""
        if self.settings.ema:
            self.ema = restored_average(folder, self.settings, self.network.state_dict())
        like = dict(self.accelerator.unwrap_model(self.module).named_parameters())
        found = restored_optimizer(self.start, self.settings, self._parameters(), like)
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": found, "param_groups": groups})
        scaler = self.accelerator.scaler
        if scaler is not None and state.loss_scale is not None:
            scaled = {"scale": state.loss_scale, "_growth_tracker": state.loss_scale_steps}
            scaler.load_state_dict({**scaler.state_dict(), **scaled})
        if self.accelerator.process_index < state.processes:
            restore_random_state(folder, self.accelerator.process_index)
