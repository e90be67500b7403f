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
import shutil
import time
from collections.abc import Callable, Iterator, Sequence, Sized
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, ClassVar, Generic, Protocol, TypeVar

import torch
from accelerate import Accelerator
from accelerate.utils import broadcast_object_list
from safetensors.torch import save_file
from torch import nn

from triforce_tts import checkpoint
from triforce_tts.batches import Batch, Order, stream
from triforce_tts.errors import CheckpointError, ConfigError, TriforceError
from triforce_tts.files import atomic_path, new_folder, write_json, write_text
from triforce_tts.models.layers import Network, count_parameters
from triforce_tts.schema import Config, parse

from .lora import add_adapters, merge
from .optim import learning_rate_factor, make_optimizer
from .preview import Preview, layer_norms
from .report import Report
from .settings import RunSettings
from .sharding import local, require_shardable, shard, split_like, whole

BatchT = TypeVar("BatchT", bound=Batch)
ItemT = TypeVar("ItemT")
TRAINER = "trainer"  # folder of a checkpoint with what only training needs
BAD, MOST_BAD = "bad", 20  # folder of the run, and how many batches without a finite gradient it holds
KERNELS = 64  # that oneDNN keeps; a step needs a few dozen
GLOO_GRACE_S = 0.5  # thousands of times what its threads need to let go of a tensor
LIGHT_WARMUP = 100  # steps of new warm-up after a start without optimiser state


class Losses(nn.Module):
    """A network with its loss: ``forward(batch)`` gives a sum, how many things it sums, and sums to log."""

    network: Network
    step = 0  # updates done; the loop keeps it, for losses that change in the course of training


class Task(Protocol[ItemT, BatchT]):
    """What a stage tells the loop. Samples are addressed by their index in ``durations_s``."""

    name: str
    parts: ClassVar[dict[str, type[Config]]]  # of config(): what the weights' shapes and meaning hang on
    module: Losses
    durations_s: tuple[float, ...]
    keys: Sequence[str]
    heldout: Sized
    expected_first_loss: float | None
    criterion: str  # the logged figure that a user would judge by, such as the error in nats

    def sample(self, index: int, rng: torch.Generator) -> ItemT:
        """Sample ``index`` with its random choices drawn from ``rng``."""
        ...

    def length(self, index: int, rng: torch.Generator) -> float:
        """How long ``sample`` of the same arguments will be, about and in any unit: like lengths are batched together."""
        ...

    def collate(self, items: Sequence[ItemT]) -> BatchT:
        """A batch of samples."""
        ...

    def weight(self, batch: BatchT) -> float:
        """How many things the batch's loss sums over."""
        ...

    def seconds(self, batch: BatchT) -> float:
        """Seconds of sound in the batch."""
        ...

    def validate(self, network: nn.Module, device: torch.device, samples: int) -> dict[str, float]:
        """Figures over the first ``samples`` held-out samples."""
        ...

    def preview(self, network: nn.Module, device: torch.device, index: int) -> Preview:
        """Held-out sample ``index`` as the network does it, to be looked at and listened to."""
        ...

    def config(self) -> dict[str, Any]:
        """The content of a checkpoint's config.json."""
        ...

    def lineage(self) -> dict[str, Any]:
        """What the network was trained with."""
        ...


@dataclass
class Progress:
    """Where a run stands; saved with each checkpoint."""

    step: int = 0
    seconds: float = 0.0  # of training, over all resumes
    audio_seconds: float = 0.0
    skipped: int = 0  # steps whose gradient was not finite
    light_start: int = -1  # step of the last start without optimiser state
    best: float | None = None  # lowest held-out figure of run.keep_best


def order_of(task: Task[ItemT, BatchT], settings: RunSettings) -> Order:
    """Which samples of ``task`` come when."""
    return Order(task.durations_s, settings.batch_size, settings.seed, settings.bucket_batches, task.length)


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
        processes = self.accelerator.num_processes
        if settings.batch_size % processes:
            raise ConfigError(f"run.batch_size ({settings.batch_size}) must be a multiple of the {processes} processes")
        if not task.durations_s:
            raise ConfigError("no training samples are left after data.speakers, min_seconds and max_seconds")
        self.progress = Progress()
        self.order = order_of(task, settings)
        network = task.module.network
        exact = self._load_start()
        if settings.lora_rank:
            add_adapters(network, settings.lora_rank)
        if exact is not None:
            file = exact[0] / TRAINER / "weights.safetensors"
            checkpoint.load_state(network, checkpoint.load_tensors(file), str(file))
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
        if settings.ema and not self.ema:
            self.ema = {name: value.detach().clone() for name, value in self.network.state_dict().items()}
        trained_with = {
            "parameters": count_parameters(self.network),
            "processes": processes,
            "lineage": task.lineage(),
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
        self._saved = self.progress.step if (self.run / "latest").exists() else -1
        metrics: dict[str, float] = {}
        with self.report:
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
            self.report.gradients(self.progress, layer_norms(self.network))
        norm = float(whole(self.accelerator.clip_grad_norm_(self.module.parameters(), self.settings.clip_norm)))
        self._update(norm, batch)
        names = sorted(sums)
        totals = self.accelerator.reduce(torch.stack([sums[name] for name in names]), "sum").tolist()
        self.progress.step += 1
        self.progress.audio_seconds += self._sum(self.task.seconds(batch))
        logged = {name: total / weight for name, total in zip(names, totals, strict=True)}
        return {**logged, "gradient_norm": norm, **({} if padding is None else {"padding": padding})}

    def _update(self, norm: float, batch: BatchT) -> None:
        if math.isfinite(norm):
            self.optimizer.step()
            self._skips = 0
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

    def _keep_bad(self, batch: BatchT) -> Path:
        """Write down the batch whose gradient was not finite, with the keys of its samples; the folder."""
        folder = self.run / BAD
        if self.progress.skipped <= MOST_BAD:
            rank, pairs = self.accelerator.process_index, self.order.batch(self._stream_step())
            keys = [self.task.keys[index] for _, index in pairs[rank :: self.accelerator.num_processes]]
            tensors = {field.name: getattr(batch, field.name).cpu().contiguous() for field in fields(batch)}
            with atomic_path(folder / f"step-{self.progress.step + 1:08d}-{rank:05d}.safetensors") as file:
                save_file(tensors, file, metadata={"samples": json.dumps(keys)})
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

    def _validate(self) -> dict[str, float]:
        metrics: dict[str, float] = {}

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
        target = self.run / f"step-{self.progress.step:08d}"
        shared = self.run / f".{target.name}.rng"
        shared.mkdir(parents=True, exist_ok=True)
        rank = self.accelerator.process_index
        save_file(_random_state(), shared / f"rng-{rank:05d}.safetensors")
        weights, averaged = self._whole(self.network.state_dict()), self._whole(self.ema)
        optimizer = self._whole(self._optimizer_tensors())
        self.accelerator.wait_for_everyone()
        if self.accelerator.is_main_process:
            with new_folder(target, "checkpoint", force=True) as folder:
                self._write(folder, weights, averaged or weights, optimizer)
                for file in shared.iterdir():
                    shutil.copy(file, folder / TRAINER / file.name)
            for pointer in ("best", "latest") if best else ("latest",):
                write_text(self.run / pointer, target.name)
            shutil.rmtree(shared)
            self._prune()
        self._saved = self.progress.step
        self.accelerator.wait_for_everyone()

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
        lineage = {**self.task.lineage(), "steps": self.progress.step}
        checkpoint.save(folder, shipped, self.task.config(), lineage)
        trainer = folder / TRAINER
        trainer.mkdir()
        if self.settings.lora_rank:  # merged weights do not tell the average of the adapters
            save_file(averaged, self._average_file(folder))
        save_file(weights, trainer / "weights.safetensors")
        save_file(optimizer, trainer / "optimizer.safetensors")
        state = {
            **vars(self.progress),
            "seed": self.settings.seed,
            "batch_size": self.settings.batch_size,
            "processes": self.accelerator.num_processes,
        }
        write_json(trainer / "state.json", state)

    def _average_file(self, folder: Path) -> Path:
        return folder / (f"{TRAINER}/average.safetensors" if self.settings.lora_rank else checkpoint.WEIGHTS)

    def _parameter_names(self) -> list[str]:
        """Names of the optimiser's parameters, in its order."""
        known = {id(p): name for name, p in self.accelerator.unwrap_model(self.module).named_parameters()}
        return [known[id(p)] for group in self.optimizer.param_groups for p in group["params"]]

    def _optimizer_tensors(self) -> dict[str, torch.Tensor]:
        state = self.optimizer.state_dict()["state"]
        return {
            f"{name}/{key}": torch.as_tensor(value)
            for index, name in enumerate(self._parameter_names())
            for key, value in state.get(index, {}).items()
        }

    def _prune(self) -> None:
        best = self.run / "best"
        spared = checkpoint.pointed(best) if best.is_file() else None
        for old in sorted(self.run.glob("step-*"))[: -self.settings.keep]:
            if old != spared:
                shutil.rmtree(old)

    def _load_start(self) -> tuple[Path, dict[str, Any]] | None:
        """Load what training starts from without adapters: the weights of ``init_from`` or of a light checkpoint.

        Returns:
            Folder and trainer state of a checkpoint that is to be taken up exactly instead; None where there is none.
        """
        network = self.task.module.network
        if not (self.run / "latest").exists():
            if self.settings.init_from:
                checkpoint.read_config(self.settings.init_from, self.task.name)
                checkpoint.load_weights(network, self.settings.init_from)
            return None
        folder = checkpoint.locate(self.run)
        self._require_same_model(folder)
        state = checkpoint.read_json(folder / TRAINER / "state.json")
        self.progress = Progress(**{name: state[name] for name in vars(self.progress) if name in state})
        if not (self.run / "best").exists():  # this is a copy, and what was best lies elsewhere
            self.progress.best = None
        if not state.get("light"):
            return folder, state
        checkpoint.load_weights(network, folder)
        self.progress.light_start = self.progress.step
        if self.accelerator.is_main_process:
            print(f"{self.run}: a light checkpoint: the optimiser starts anew; this is not an exact resume")
        return None

    def _restore(self, folder: Path, state: dict[str, Any]) -> None:
        """Take up what the checkpoint in ``folder`` holds beside the weights."""
        self._require_same_order(state)
        if self.settings.ema:
            like, average = self.network.state_dict(), checkpoint.load_tensors(self._average_file(folder))
            self.ema = {name: split_like(value, like[name]) for name, value in average.items()}
        self._restore_optimizer(checkpoint.load_tensors(folder / TRAINER / "optimizer.safetensors"))
        rng = folder / TRAINER / f"rng-{self.accelerator.process_index:05d}.safetensors"
        if rng.exists():
            _set_random_state(checkpoint.load_tensors(rng))

    def _require_same_model(self, folder: Path) -> None:
        found, wanted = checkpoint.read_config(folder, self.task.name), self.task.config()
        for key, kind in self.task.parts.items():
            # Parsed, so that a setting that is newer than the checkpoint counts as its default.
            was, now = (parse(kind, config[key], f"{folder}: {key}") for config in (found, wanted))
            if was != now:
                raise CheckpointError(
                    f"{folder}: '{key}' of the run's checkpoint is {found[key]}, the configuration says {wanted[key]}; "
                    "use the run's configuration or another RUN"
                )

    def _require_same_order(self, state: dict[str, Any]) -> None:
        for key in ("seed", "batch_size"):
            if state[key] != getattr(self.settings, key):
                raise CheckpointError(
                    f"{self.run}: was trained with run.{key}={state[key]}, the configuration says "
                    f"{getattr(self.settings, key)}: the data order would differ; use the same or another RUN"
                )
        if state["processes"] != self.accelerator.num_processes and self.accelerator.is_main_process:
            print(
                f"{self.run}: was trained with {state['processes']} processes, now {self.accelerator.num_processes}: "
                "the samples of each step are the same; sums of floats and dropout are not"
            )

    def _restore_optimizer(self, tensors: dict[str, torch.Tensor]) -> None:
        like = dict(self.accelerator.unwrap_model(self.module).named_parameters())
        state: dict[int, dict[str, torch.Tensor]] = {}
        for index, name in enumerate(self._parameter_names()):
            prefix = f"{name}/"
            found = {key[len(prefix) :]: value for key, value in tensors.items() if key.startswith(prefix)}
            # Scalars, such as the number of updates, stay where the optimiser wants them: on the CPU.
            state[index] = {key: split_like(v, like[name]) if v.dim() else v for key, v in found.items()}
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": {i: s for i, s in state.items() if s}, "param_groups": groups})


def _random_state() -> dict[str, torch.Tensor]:
    state = {"cpu": torch.get_rng_state()}
    if torch.cuda.is_available():
        state["cuda"] = torch.cuda.get_rng_state()
    return state


def _set_random_state(state: dict[str, torch.Tensor]) -> None:
    torch.set_rng_state(state["cpu"])
    if "cuda" in state and torch.cuda.is_available():
        torch.cuda.set_rng_state(state["cuda"])
