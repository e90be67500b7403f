"""The checkpoints of a run: the main process writes them, and all processes read them."""

from pathlib import Path
from typing import Any

import torch

from triforce_tts import checkpoint
from triforce_tts.files import new_folder, write_json, write_text

from .learner import Learner
from .lora import merge
from .processes import gathered, random_states
from .progress import Progress
from .resume import Start, average_file, restored_average, restored_optimizer
from .state import OPTIMIZER, RAW, STATE, TRAINER, State, checkpoint_name, prune, restore_random_state, rng_name
from .task import Task


class Checkpoints:
    """The folders ``step-XXXXXXXX/`` of a run, and the files ``latest`` and ``best`` that name one of them each."""

    def __init__(
        self, run: Path, task: Task[Any, Any], learner: Learner[Any], start: Start, progress: Progress
    ) -> None:
        self.run, self.task, self.learner, self.start, self.progress = run, task, learner, start, progress
        self.settings, self.accelerator = learner.settings, learner.accelerator
        self._saved = progress.step if start.pointed is not None else -1

    @property
    def is_current(self) -> bool:
        """Whether the latest checkpoint holds this very step."""
        return self._saved == self.progress.step

    def save(self, best: bool = False) -> None:
        """Write ``step-XXXXXXXX/``, then point ``latest`` at it, and ``best`` too if asked; remove older ones."""
        target = self.run / checkpoint_name(self.progress.step)
        random = random_states(self.accelerator)
        weights = gathered(self.accelerator, self.learner.network.state_dict())
        averaged = gathered(self.accelerator, self.learner.average)
        optimizer = gathered(self.accelerator, self.learner.optimizer_tensors())
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
        if self.settings.lora_rank:  # The average of the adapters cannot be found from the merged weights.
            checkpoint.save_tensors(average_file(folder, self.settings), averaged)
        checkpoint.save_tensors(trainer / RAW, weights)
        checkpoint.save_tensors(trainer / OPTIMIZER, optimizer)
        write_json(trainer / STATE, self._state(len(optimizer)).model_dump(mode="json"))

    def _state(self, optimizer_tensors: int) -> State:
        scaler = self.accelerator.scaler
        return State(
            **vars(self.progress),
            keep_best=self.settings.keep_best,
            seed=self.settings.seed,
            batch_size=self.settings.batch_size,
            bucket_batches=self.settings.bucket_batches,
            processes=self.accelerator.num_processes,
            optimizer=self.settings.optimizer,
            optimizer_tensors=optimizer_tensors,
            loss_scale=None if scaler is None else self.learner.loss_scale,
            loss_scale_steps=0 if scaler is None else scaler.state_dict()["_growth_tracker"],
        )

    def restore(self) -> None:
        """Restore what the run's first checkpoint holds beside the weights; without one, do nothing."""
        if self.start.exact is None:
            return
        (folder, state), learner = self.start.exact, self.learner
        if self.settings.ema:
            learner.average = restored_average(folder, self.settings, learner.network.state_dict())
        like = dict(learner.losses.named_parameters())
        states = restored_optimizer(self.start, self.settings, learner.parameters(), like)
        groups = learner.optimizer.state_dict()["param_groups"]
        learner.optimizer.load_state_dict({"state": states, "param_groups": groups})
        scaler = self.accelerator.scaler
        if scaler is not None and state.loss_scale is not None:
            scaled = {"scale": state.loss_scale, "_growth_tracker": state.loss_scale_steps}
            scaler.load_state_dict({**scaler.state_dict(), **scaled})
        if self.accelerator.process_index < state.processes:
            restore_random_state(folder, self.accelerator.process_index)
