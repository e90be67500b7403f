"""Stages 2 and 3, trained on from a model's own weights with the speech of one voice.

All weights are trained, at a low rate and for a short time: a few minutes of speech are soon learnt by heart. So the
held-out clips decide which state is kept, the one before the first step included, and training ends when they have not
become likelier for some validations in a row. The DVAE stays as it is, because the codes are the networks' common
language.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from triforce_tts import checkpoint, schema
from triforce_tts.audio.mel import AudioConfig
from triforce_tts.errors import ConfigError
from triforce_tts.models.load import read_stage
from triforce_tts.stages import diffusion as diffusion_stage
from triforce_tts.stages import gpt as gpt_stage
from triforce_tts.stages.copies import copies_of
from triforce_tts.stages.trainer.learner import computes_bfloat16
from triforce_tts.stages.trainer.loop import Trainer
from triforce_tts.stages.trainer.metrics import validations
from triforce_tts.synthesis.script import Training

# The longest clip, in seconds, that the GPT learns from. A model with room for less has a lower limit.
LONGEST_S = 16.0
# Each clip is copied at these speeds and with so many shifts, as the clips of the bundled model's readers were.
SPEEDS, SHIFTS = (0.9, 1.1), 2
COPIES = copies_of(SPEEDS, SHIFTS)
# The held-out figure of stage 2 by which the best state is chosen, and that of stage 3 for each of its targets.
_SPEECH = "speech_loss"
_SOUND = {"magnitude": "error_1_step", "complex": "error_1_step", "source": "spectrum"}
# A stage whose held-out error falls by less than this share stays as it was: a few clips choose among several states, so
# that one of them always looks a little better by chance, and it may read worse.
LEAST_GAIN = 0.01
# A batch of stage 2 has a few hundred tokens for each clip. A batch of stage 3 has a second of sound for each clip.
_RUN: dict[str, Any] = {
    "final_learning_rate": 0.1,
    "warmup_steps": 20,
    "patience": 5,
    "keep": 1,
    "preview_every": 0,
    "trackers": [],
}
_RUNS: dict[str, dict[str, Any]] = {
    "gpt": {
        "batch_size": 12, "optimizer": "muon", "learning_rate": 5e-4, "ema": 0.98, "bucket_batches": 16, "validate_every": 20,
        "save_every": 20, "validate_samples": 20,
    },
    "diffusion": {
        "batch_size": 8, "learning_rate": 1e-4, "ema": 0.99, "validate_every": 100, "save_every": 50,
        "validate_samples": 10,
    },
}  # fmt: skip


def longest_clip(model: Path, audio: AudioConfig) -> float:
    """The seconds of the longest clip that the GPT of ``model`` has room for, beside a voice and the text."""
    config, trained = checkpoint.read_config(model / "gpt", "gpt"), read_stage(model / "gpt", "gpt", Training)
    dvae = checkpoint.read_config(model / "dvae", "dvae")["model"]
    rate = audio.frame_rate / dvae["downsampling"] * (1 if config["model"].get("head") else dvae["groups"])
    rate += trained.characters_per_second  # the text stands beside the codes
    room = config["model"]["max_tokens"] / rate - trained.voice_seconds[1]
    return float(min(LONGEST_S, room * min(SPEEDS)))  # a slower copy of a clip is longer


def gpt_settings(
    model: Path, minutes: float, seed: int, workers: int, settings: Sequence[str]
) -> gpt_stage.GPTSettings:
    """How stage 2 of ``model`` is trained; ``settings`` override what is usual.

    Raises:
        ConfigError: one of ``settings`` is wrong.
    """
    config = checkpoint.read_config(model / "gpt", "gpt")
    trained = read_stage(model / "gpt", "gpt", Training)
    values = {
        "model": config["model"],
        "data": {
            "voice_seconds": list(trained.voice_seconds),
            "mixture": [0.85, 0.1, 0.0, 0.05],
            "reads": config["vocabulary"]["reads"],
        },
        "run": _run("gpt", model, minutes, seed, workers, _SPEECH),
    }
    parsed = schema.parse(gpt_stage.GPTSettings, schema.override(values, settings), "--set gpt")
    _require_figure("gpt", parsed.run.keep_best, _SPEECH)
    return parsed


def diffusion_settings(
    model: Path, minutes: float, seed: int, workers: int, settings: Sequence[str]
) -> diffusion_stage.DiffusionSettings:
    """How stage 3 of ``model`` is trained; ``settings`` override what is usual.

    Raises:
        ConfigError: one of ``settings`` is wrong.
    """
    network = checkpoint.read_config(model / "diffusion", "diffusion")["model"]
    figure = _SOUND[network["target"]]
    values = {
        "model": network,
        # In a flow most samples lie at flow time 0, because the model takes one step from noise when it speaks, or a few.
        "data": {
            "crop_seconds": 1.5, "reference_seconds": 2.0, "noise_share": 0.8, "true_mel_share": 0.05,
            "drop_share": 0.1 if network["null_condition"] else 0.0,
        },
        "run": _run("diffusion", model, minutes, seed, workers, figure),
    }  # fmt: skip
    parsed = schema.parse(diffusion_stage.DiffusionSettings, schema.override(values, settings), "--set diffusion")
    _require_figure("diffusion", parsed.run.keep_best, figure)
    return parsed


def _require_figure(stage: str, asked: str | None, figure: str) -> None:
    """Refuse another figure than the one by which the best state is chosen here.

    Raises:
        ConfigError: ``asked`` is not ``figure``.
    """
    if asked != figure:
        raise ConfigError(f"--set {stage}.run.keep_best={asked}: 'adapt' chooses a state by {figure}; leave it out")


def train_gpt(
    model: Path, codes: Path, run: Path, minutes: float, seed: int, workers: int, settings: Sequence[str]
) -> dict[str, Any]:
    """Train stage 2 of ``model`` on ``codes`` for so many minutes; returns the figures that it reached.

    Raises:
        ConfigError: one of ``settings`` is wrong.
        TriforceError: the run cannot go on; the message says why.
    """
    parsed = gpt_settings(model, minutes, seed, workers, settings)
    torch.manual_seed(seed)
    task = gpt_stage.build(parsed, [codes])
    # A few minutes of speech do not tell how short each sound can be. The speech of the earlier readers did, so its
    # limits stay.
    task.speaking = read_stage(model / "gpt", "gpt", Training).speaking
    return _fit(task, parsed, run)


def train_diffusion(
    model: Path, shards: Path, run: Path, minutes: float, seed: int, workers: int, settings: Sequence[str]
) -> dict[str, Any]:
    """Train stage 3 of ``model`` on ``shards`` for so many minutes; returns the figures that it reached.

    Raises:
        ConfigError: one of ``settings`` is wrong.
        TriforceError: the run cannot go on; the message says why.
    """
    parsed = diffusion_settings(model, minutes, seed, workers, settings)
    torch.manual_seed(seed)
    return _fit(diffusion_stage.build(parsed, [shards], model / "dvae"), parsed, run)


def _run(stage: str, model: Path, minutes: float, seed: int, workers: int, figure: str) -> dict[str, Any]:
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return {
        **_RUN,
        **_RUNS[stage],
        "minutes": minutes,
        "seed": seed,
        "workers": 1 if workers > 1 else 0,
        "precision": "bf16" if computes_bfloat16(device) else "fp32",
        "keep_best": figure,
        "init_from": str(model / stage),
    }


def _fit(task: Any, settings: Any, run: Path) -> dict[str, Any]:
    trainer: Trainer[Any, Any] = Trainer(task, settings.run, run, settings.model_dump(mode="json"))
    outcome = trainer.fit()
    trainer.close()
    first, best = _figures(run, settings.run.keep_best)
    return {
        "steps": outcome.progress.step,
        "minutes": round(outcome.progress.seconds / 60, 3),
        "stopped_early": outcome.progress.is_out_of_patience(settings.run),
        "first": first,
        "best": best,
        "best_step": int(checkpoint.locate(run / "best").name.partition("-")[2]),
    }


def is_better(facts: dict[str, Any]) -> bool:
    """Whether training made a stage so much better that it is no chance, by what ``train_gpt`` or ``train_diffusion`` gave."""
    return bool(facts["first"] - facts["best"] >= LEAST_GAIN * abs(facts["first"]))


def _figures(run: Path, name: str) -> tuple[float, float]:
    """The held-out figure ``name`` of the weights that training started from, and the lowest one."""
    figures = [row[name] for row in validations(run) if row.get(name) is not None]
    return figures[0], min(figures)
