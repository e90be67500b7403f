"""The variants of ``benchmarks.codes``, the options of one comparison, and how its networks are trained."""

import argparse
import math
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from triforce_tts.audio.io import decode_audio
from triforce_tts.checkpoint import locate, read_json
from triforce_tts.shards import ShardSet
from triforce_tts.stages.trainer.metrics import validations


@dataclass(frozen=True)
class Variant:
    """One way to turn frames into integers."""

    quantizer: str
    groups: int
    levels: tuple[int, ...]
    downsampling: int

    @classmethod
    def parse(cls, text: str) -> "Variant":
        """Parse a variant of the form ``fsq:3x8,5,5,5:4``.

        Raises:
            ValueError: the text has another form.
        """
        match = re.fullmatch(r"(fsq|vq|gumbel):(\d+)x(\d+(?:,\d+)*):(\d+)", text)
        if not match:
            raise ValueError(f"variant '{text}': expected quantiser:groups x levels:downsampling, as fsq:3x8,5,5,5:4")
        levels = tuple(int(level) for level in match[3].split(","))
        return cls(match[1], int(match[2]), levels, int(match[4]))

    def __str__(self) -> str:
        return f"{self.quantizer}:{self.groups}x{','.join(map(str, self.levels))}:{self.downsampling}"

    @property
    def folder(self) -> str:
        """The variant as a folder's name."""
        return str(self).replace(":", "_").replace(",", ".")

    def settings(self) -> list[str]:
        """The settings for ``train dvae``."""
        levels = f"[{', '.join(map(str, self.levels))}]"
        values = {
            "quantizer": self.quantizer,
            "groups": self.groups,
            "levels": levels,
            "downsampling": self.downsampling,
        }
        return [f"model.{name}={value}" for name, value in values.items()]


class Study:
    """The options of one comparison, and the places of its files."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options, self.out = options, options.out
        self.judged = options.judge or options.data[0]
        self.heldout, self.train = (ShardSet.open([self.judged], split, "audio") for split in ("heldout", "train"))
        self.lessons = self.out / "lessons"
        self.environment = {**os.environ, "OMP_NUM_THREADS": str(options.threads)}
        torch.set_num_threads(options.threads)

    def folder(self, variant: Variant) -> Path:
        """The folder with the files of a variant."""
        path: Path = self.out / variant.folder
        return path

    def call(self, *words: object) -> None:
        """Run ``triforce-tts`` with ``words`` in a separate process, so that its memory is freed afterwards."""
        command = [sys.executable, "-m", "triforce_tts.cli.app", *map(str, words)]
        subprocess.run(command, check=True, env=self.environment)

    def fit(self, stage: str, config: str, run: Path, steps: int, data: Sequence[Path], more: Sequence[str]) -> None:
        """Train ``stage`` for ``steps``; a run that was begun continues, and a finished one ends at once."""
        options = self.options
        every = math.ceil(steps / 4)
        settings = [
            f"run.steps={steps}", "run.minutes=0", f"run.seed={options.seed}", f"run.threads={options.threads}",
            "run.workers=0", "run.preview_every=0", "run.keep=1", f"run.validate_every={every}",
            f"run.save_every={every}", *more,
        ]  # fmt: skip
        folders = [word for folder in data for word in ("--data", folder)]
        chosen = [word for setting in settings for word in ("--set", setting)]
        self.call("train", stage, "--config", config, *folders, "--run", run, *chosen)

    def stated(self) -> dict[str, dict[str, Any]]:
        """The settings, besides the variant, on which the figures of each part depend.

        Figures of other settings must not be mixed with these.
        """
        options = self.options
        common = {
            "data": [ShardSet.open([f], "train", "audio").fingerprint for f in options.data],
            "seed": options.seed,
        }
        dvae = {**common, "steps": options.dvae_steps, "config": options.dvae_config, "set": options.overrides}
        lessons = {"lessons": self.taught().fingerprint, "hours": options.lesson_hours, "longest": options.longest}
        gpt = {**dvae, **lessons, "gpt_steps": options.gpt_steps, "gpt_config": options.gpt_config}
        return {"dvae": dvae, "gpt": {**gpt, "gpt_set": options.gpt_overrides}}

    def taught(self) -> ShardSet:
        """The training samples from which the lessons are chosen."""
        return ShardSet.open(self.options.lessons or self.options.data, "train", "audio")

    def sound(self, shards: ShardSet, index: int, rate: int) -> torch.Tensor:
        """Samples [n] of a recording."""
        return decode_audio(shards.payload(index), shards.keys[index], rate).samples

    def heard(self) -> list[int]:
        """The held-out recordings for the recogniser.

        Those of one speaker, or all if the data does not have that speaker.
        """
        own = self.heldout.by_speaker.get(self.options.speaker, list(range(len(self.heldout))))
        return own[: self.options.heard]


def history(run: Path) -> list[dict[str, float]]:
    """The validation figures of a run."""
    return [{k: v for k, v in row.items() if k != "kind"} for row in validations(run)]


def minutes(run: Path) -> float:
    """The minutes for which a run was trained."""
    return float(read_json(locate(run) / "trainer" / "state.json")["seconds"]) / 60
