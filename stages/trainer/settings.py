"""The settings of a training run, which are the same for all stages."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from triforce_tts.errors import ConfigError
from triforce_tts.schema import Config, PathText
from triforce_tts.shards import ShardSet

MOST = 1_000_000_000  # largest count of anything, such as steps
SHOWN = 8  # a message names at most so many speakers
MOST_SORTED = 1 << 22  # most samples that are sorted by length together

# Every number has bounds, so that a typing error is refused before training starts.
Count = Annotated[int, Field(ge=0, le=MOST)]
Some = Annotated[int, Field(ge=1, le=MOST)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Decay = Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)]
Weight = Annotated[float, Field(ge=0, le=1e4, allow_inf_nan=False)]  # weight of a part of a loss
Seconds = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]
Clock = Annotated[float, Field(ge=0, le=1e11, allow_inf_nan=False)]  # seconds since 1970

Accepted = Literal["data", "dvae", "teacher", "reference", "tokenizer", "optimizer"]


class RunSettings(Config):
    """Budget, optimiser, reports and checkpoints of one training run."""

    batch_size: Annotated[int, Field(gt=0, le=1 << 20)]  # samples of a global batch, over all processes
    learning_rate: Annotated[float, Field(gt=0, le=10, allow_inf_nan=False)]
    optimizer: Literal["adamw", "smorms3", "muon"] = "adamw"
    steps: Count = 0  # budget in optimiser steps; 0: no such limit
    # Stop and save after this step; the learning rate still follows the schedule of the whole budget; 0: never.
    stop_at: Count = 0
    minutes: Annotated[float, Field(ge=0, le=1e7, allow_inf_nan=False)] = (
        0.0  # budget in minutes of training, over all resumes; 0: no such limit
    )
    # Budget by the clock: the time, in seconds since 1970, at which the last step ends; 0: no such limit. It counts what
    # run.minutes leaves out (reading the data, validation, saving), for a machine that is rented by the minute.
    ends_at: Clock = 0.0
    warmup_steps: Count = 50
    final_learning_rate: Share = 0.05  # the learning rate at the end of the cosine, as a share of learning_rate
    betas: tuple[Decay, Decay] = (0.9, 0.97)
    weight_decay: Annotated[float, Field(ge=0, le=10, allow_inf_nan=False)] = (
        0.01  # applies to matrices and kernels, not to biases and norms
    )
    clip_norm: Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False)] = 1.0
    # The decay in each step of the averaged weights, which are validated and shipped; 0: no average.
    ema: float = 0.995
    # Parts that each loaded batch is cut into; gradients are accumulated over them.
    mega_batch_factor: Annotated[int, Field(ge=1, le=1 << 20)] = 1
    recompute: bool = False  # activation checkpointing: far less memory, about a third more work
    shard: bool = False  # split weights, gradients and optimiser over processes (FSDP): for large networks
    compile: bool = False  # torch.compile: needs a C++ compiler on a CPU; the first steps take minutes
    precision: Literal["fp32", "bf16", "fp16"] = "fp32"
    bucket_batches: Annotated[int, Field(ge=1, le=1 << 16)] = 1  # batches sorted by length together; 1: none
    workers: Annotated[int, Field(ge=0, le=256)] = 0  # loader processes
    threads: Annotated[int, Field(ge=0, le=1024)] = 0  # CPU threads of each process; 0: as torch chooses
    seed: Annotated[int, Field(ge=0, lt=1 << 62)] = 0
    log_every: Some = 10  # steps between two log lines
    trackers: tuple[Literal["tensorboard", "wandb", "trackio"], ...] = ("tensorboard",)
    log_samples: bool = False  # write the keys of every step's samples to metrics.jsonl
    validate_every: Count = 250  # steps between two validations; 0: only at the end
    validate_samples: Count = 128  # the first so many held-out samples
    save_every: Count = 250  # steps between two checkpoints; 0: only at the end
    # Steps between two previews (pictures, sounds and the gradient flow), which go to the run's folder and TensorBoard.
    preview_every: Count = 1000
    preview_samples: Count = 2  # the first so many held-out samples
    keep: Some = 2  # the number of checkpoints that are kept
    # The name of a held-out figure, such as speech_loss. The checkpoint with its lowest value is kept as RUN/best.
    keep_best: str = ""
    # The run ends after so many validations in a row without a lower figure of keep_best; 0: never.
    patience: Count = 0
    # Train on the first batch alone until its error is at most this number; 0: train normally.
    overfit: Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)] = 0.0
    init_from: PathText = ""  # a checkpoint of the same stage whose weights training starts from
    # Train adapters of this rank on the GPT of init_from, and nothing else; 0: none.
    lora_rank: Annotated[int, Field(ge=0, le=1 << 16)] = 0
    # Training gives up after so many steps in a row whose gradient is not finite.
    stop_after_skips: Some = 10
    # The names of things that may differ from those of an existing run; other differences are refused. The lineage then
    # names both.
    accept_changed: tuple[Accepted, ...] = ()

    @model_validator(mode="after")
    def _check(self) -> "RunSettings":
        if not (self.steps > 0 or self.minutes > 0 or self.ends_at > 0):
            raise ValueError("set a budget: run.steps, run.minutes or run.ends_at")
        if self.lora_rank and not self.init_from:
            raise ValueError("lora_rank adapts trained weights: give them as run.init_from")
        if self.keep_best and not (self.validate_every and self.validate_samples):
            raise ValueError("keep_best compares validations: set validate_every and validate_samples")
        if self.patience and not self.keep_best:
            raise ValueError("patience counts validations without a better figure: name the figure as keep_best")
        if not 0 <= self.ema < 1:
            raise ValueError(f"ema must be in [0, 1), found {self.ema}")
        if self.bucket_batches > 1 and self.bucket_batches * self.batch_size > MOST_SORTED:
            raise ValueError(
                f"bucket_batches times batch_size may be {MOST_SORTED} at most, found "
                f"{self.bucket_batches * self.batch_size}: lower bucket_batches"
            )
        return self


def _some(names: Iterable[str]) -> str:
    """The first ``SHOWN`` of the ``names``, and the number of the others."""
    ordered = sorted(names)
    more = len(ordered) - SHOWN
    return ", ".join(ordered[:SHOWN]) + (f" and {more} more" if more > 0 else "")


class DataSettings(Config):
    """Which samples of the shards are used."""

    min_seconds: Seconds = 0.0
    max_seconds: Seconds = 1e9
    speakers: tuple[str, ...] = ()  # the names of the speakers that are used; empty: all
    # At most so many hours of each speaker are used, from the first samples on; 0: all.
    speaker_hours: Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)] = 0.0
    # How many times a speaker's samples come in an epoch; once for a speaker who is not named.
    repeat: dict[str, Annotated[int, Field(ge=1, le=1000)]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _check_lengths(self) -> "DataSettings":
        if self.min_seconds > self.max_seconds:
            raise ValueError(
                f"min_seconds ({self.min_seconds:g}) must be at most max_seconds ({self.max_seconds:g}): no sample is left"
            )
        return self

    def open(self, folders: Sequence[Path], content: Literal["audio", "codes", "pairs"]) -> tuple[ShardSet, ShardSet]:
        """The balanced training samples and the held-out samples of shards that hold ``content``.

        Raises:
            ConfigError: no training sample is left, or the settings name speakers that the data lacks.
        """
        train, heldout = (ShardSet.open(folders, split, content) for split in ("train", "heldout"))
        names = ", ".join(map(str, folders))
        there = {*train.speakers, *heldout.speakers}
        if unknown := sorted(set(self.speakers) - there):
            raise ConfigError(f"data.speakers names {unknown}, of whom {names} has no samples; it has {_some(there)}")
        if not len(train):
            held = f"all {len(heldout)} of them are held out" if len(heldout) else "it is empty"
            raise ConfigError(f"{names}: holds no samples to train on ({held}); build it from more recordings")
        chosen = self.balance(train)
        if not len(chosen):
            raise ConfigError(
                f"{names}: of {len(train)} training samples none is left after data.speakers, min_seconds and max_seconds"
            )
        return chosen, self.choose(heldout)

    def choose(self, shards: ShardSet) -> ShardSet:
        """The samples of ``shards`` that these settings let through."""
        names = set(self.speakers)
        return shards.select(
            lambda speaker, seconds: self.min_seconds <= seconds <= self.max_seconds and (not names or speaker in names)
        )

    def balance(self, shards: ShardSet) -> ShardSet:
        """The training samples: those of ``choose``, with speakers cut to ``speaker_hours`` and repeated by ``repeat``.

        Raises:
            ConfigError: ``repeat`` names a speaker that the data lacks.
        """
        chosen = self.choose(shards)
        missing = sorted(set(self.repeat) - set(chosen.speakers))
        if missing:
            raise ConfigError(f"data.repeat names {missing}, of whom the data has no samples; inspect the manifest")
        hours: dict[str, float] = {}
        indices: list[int] = []
        for index, (speaker, seconds) in enumerate(zip(chosen.speakers, chosen.durations_s, strict=True)):
            heard = hours.get(speaker, 0.0)
            if not self.speaker_hours or heard < self.speaker_hours:
                hours[speaker] = heard + seconds / 3600
                indices += [index] * self.repeat.get(speaker, 1)
        return chosen.select(indices)
