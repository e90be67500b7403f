"""Functions that several tests of the trainer share."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from triforce_tts import schema
from triforce_tts.stages import diffusion as diffusion_stage
from triforce_tts.stages import dvae as dvae_stage
from triforce_tts.stages import gpt as gpt_stage
from triforce_tts.stages.trainer.loop import Trainer
from triforce_tts.stages.trainer.settings import RunSettings


def task_of(stage: str, corpus: dict[str, Path], settings: Sequence[str] = ()) -> tuple[Any, RunSettings]:
    """The task of ``stage`` at the size 'tiny' and the settings of its run, which validates and saves only if ``settings`` say so."""
    quiet = ["run.steps=20", "run.validate_every=0", "run.save_every=0", "run.batch_size=8", *settings]
    torch.manual_seed(0)
    task: Any
    if stage == "dvae":
        dvae = schema.load(dvae_stage.DVAESettings, stage, "tiny", quiet)
        task, loaded = dvae_stage.build(dvae, [corpus["shards"]]), dvae.run
    elif stage == "gpt":
        gpt = schema.load(gpt_stage.GPTSettings, stage, "tiny", quiet)
        task, loaded = gpt_stage.build(gpt, [corpus["codes"]]), gpt.run
    else:
        diffusion = schema.load(diffusion_stage.DiffusionSettings, stage, "tiny", quiet)
        task, loaded = diffusion_stage.build(diffusion, [corpus["shards"]], corpus["dvae"]), diffusion.run
    return task, loaded


def trainer(stage: str, corpus: dict[str, Path], run: Path, settings: Sequence[str] = ()) -> Trainer[Any, Any]:
    """A trainer of the task that ``task_of`` makes."""
    return Trainer(*task_of(stage, corpus, settings), run, {})


def fast(stage: str, corpus: dict[str, Path], run: Path, steps: int, *settings: str) -> Trainer[Any, Any]:
    """The trainer of a run with two samples in each step, after ``steps`` of its ten steps."""
    made = trainer(stage, corpus, run, ["run.steps=10", f"run.stop_at={steps}", "run.batch_size=2", *settings])
    made.fit()
    return made
