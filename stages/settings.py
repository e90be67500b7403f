"""What a training run can be told; the same for all stages."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt, model_validator

from triforce_tts.errors import ConfigError
from triforce_tts.schema import Config
from triforce_tts.shards import ShardSet


class RunSettings(Config):
    """Budget, optimiser and habits of one training run."""

    batch_size: PositiveInt  # samples of a global batch, over all processes
    learning_rate: PositiveFloat
    optimizer: Literal["adamw", "smorms3", "muon"] = "adamw"
    steps: NonNegativeInt = 0  # budget in optimiser steps; 0: no such limit
    stop_at: NonNegativeInt = 0  # stop and save after this step, leaving the schedule as the budget says; 0: never
    minutes: NonNegativeFloat = 0.0  # budget in minutes of training, over all resumes; 0: no such limit
    warmup_steps: NonNegativeInt = 50
    final_learning_rate: float = 0.05  # end of the cosine, as a share of learning_rate
    betas: tuple[float, float] = (0.9, 0.97)
    weight_decay: float = 0.01  # of matrices; biases, norms and tables of one axis have none
    clip_norm: PositiveFloat = 1.0
    ema: float = 0.995  # decay a step of the averaged weights that are validated and shipped; 0: none
    mega_batch_factor: PositiveInt = 1  # parts that each loaded batch is cut into; gradients are accumulated over them
    recompute: bool = False  # activation checkpointing: far less memory, about a third more work
    shard: bool = False  # split weights, gradients and optimiser over processes (FSDP): for large networks
    compile: bool = False  # torch.compile: needs a C++ compiler on a CPU; the first steps take minutes
    precision: Literal["fp32", "bf16", "fp16"] = "fp32"
    bucket_batches: PositiveInt = 1  # batches sorted by length together; 1: none
    workers: NonNegativeInt = 0  # loader processes
    threads: NonNegativeInt = 0  # CPU threads of each process; 0: as torch chooses
    seed: int = 0
    log_every: PositiveInt = 10  # steps
    trackers: tuple[Literal["tensorboard", "wandb", "trackio"], ...] = ("tensorboard",)
    log_samples: bool = False  # write the keys of every step's samples to metrics.jsonl
    validate_every: int = 250
    validate_samples: int = 128  # the first so many held-out samples
    save_every: int = 250
    preview_every: int = 1000  # steps; pictures, sounds and the gradient flow, to the run's folder and TensorBoard
    preview_samples: int = 2  # the first so many held-out samples
    keep: PositiveInt = 2  # checkpoints
    keep_best: str = ""  # a held-out figure, such as speech_loss: the checkpoint with its lowest is kept as RUN/best
    overfit: float = 0.0  # train on the first batch alone until its error is at most this; 0: train normally
    init_from: str = ""  # a checkpoint of the same stage whose weights to start from
    lora_rank: NonNegativeInt = 0  # train adapters of this rank on the GPT of init_from, and nothing else; 0: none
    stop_after_skips: int = 10  # steps in a row with a gradient that is not finite before giving up

    @model_validator(mode="after")
    def _check(self) -> "RunSettings":
        if not (self.steps > 0 or self.minutes > 0):
            raise ValueError("set a budget: run.steps or run.minutes")
        if self.lora_rank and not self.init_from:
            raise ValueError("lora_rank adapts trained weights: give them as run.init_from")
        if self.keep_best and not self.validate_every:
            raise ValueError("keep_best compares validations: set validate_every")
        if not 0 <= self.ema < 1:
            raise ValueError(f"ema must be in [0, 1), found {self.ema}")
        return self


class DataSettings(Config):
    """Which samples of the shards are used."""

    min_seconds: float = 0.0
    max_seconds: float = 1e9
    speakers: tuple[str, ...] = ()  # only these; empty: all
    speaker_hours: NonNegativeFloat = 0.0  # at most so many of each speaker, the first ones; 0: all
    # Times a speaker's samples come in an epoch; once where not named.
    repeat: dict[str, PositiveInt] = Field(default_factory=dict)

    def open(self, folders: Sequence[Path], content: Literal["audio", "codes"]) -> tuple[ShardSet, ShardSet]:
        """What is trained on, balanced, and what is held out, of shards that hold ``content``."""
        train, heldout = (ShardSet.open(folders, split, content) for split in ("train", "heldout"))
        return self.balance(train), self.choose(heldout)

    def choose(self, shards: ShardSet) -> ShardSet:
        """The samples of ``shards`` that these settings let through."""
        wanted = set(self.speakers)
        return shards.select(
            lambda speaker, seconds: (
                self.min_seconds <= seconds <= self.max_seconds and (not wanted or speaker in wanted)
            )
        )

    def balance(self, shards: ShardSet) -> ShardSet:
        """What is trained on: ``choose``, with speakers cut to ``speaker_hours`` and repeated as ``repeat`` says.

        Raises:
            ConfigError: ``repeat`` names a speaker that the data lacks.
        """
        chosen = self.choose(shards)
        missing = sorted(set(self.repeat) - set(chosen.speakers))
        if missing:
            raise ConfigError(f"data.repeat names {missing}, of whom the data has no samples; inspect the manifest")
        hours: dict[str, float] = {}
        kept: list[int] = []
        for index, (speaker, seconds) in enumerate(zip(chosen.speakers, chosen.durations_s, strict=True)):
            heard = hours.get(speaker, 0.0)
            if not self.speaker_hours or heard < self.speaker_hours:
                hours[speaker] = heard + seconds / 3600
                kept += [index] * self.repeat.get(speaker, 1)
        return chosen.select(kept)
