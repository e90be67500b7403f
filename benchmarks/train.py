"""Training speed of each stage and size: ``python -m benchmarks.train --sizes nano``.

Whole steps of the real trainer (forward, backward, clipping, update, average) on batches of random data of the size
that the configuration trains on. Utilisation is the arithmetic of a step (counted in its matrix products and
convolutions) over what the machine could do at most in that time; the peak is given, or measured by a large matrix
product in the same run.

With shards the real loader feeds the steps, and the share of the time that is spent waiting for it is measured:
``python -m benchmarks.train --shards SHARDS --codes CODES --dvae RUN --workers 2``. With ``--loading-alone`` there are no
steps: the sound that the loader delivers in a second is the fastest that any device could train.
"""

import argparse
import contextlib
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from triforce_tts import schema
from triforce_tts.models.dvae import DVAE
from triforce_tts.models.frame_gpt import make_gpt
from triforce_tts.models.layers import count_parameters
from triforce_tts.models.source_filter import SourceFilter
from triforce_tts.models.upsampler import make_upsampler
from triforce_tts.schema import ConfigT
from triforce_tts.sequences import Vocabulary, VocabularyConfig
from triforce_tts.stages import diffusion as diffusion_stage
from triforce_tts.stages import dvae as dvae_stage
from triforce_tts.stages import gpt as gpt_stage
from triforce_tts.stages.gpt_loss import place_weights
from triforce_tts.stages.source_filter import SourceLosses
from triforce_tts.stages.trainer.loop import Trainer
from triforce_tts.stages.trainer.settings import RunSettings
from triforce_tts.stages.trainer.task import Losses
from triforce_tts.stages.upsampling import Upsampling
from triforce_tts.text.tokenizer import TextTokenizer

TOKENS = 600  # the ids of a GPT sequence
TEXT_TOKENS = 80  # the ids among them that are no speech
WARM_UP = 2  # the first steps, which are not timed

Row = dict[str, Any]


@dataclass
class Fixed:
    """A task with only one batch."""

    module: Losses
    batch: Any
    weight_sum: float
    sound_s: float
    name: str = "benchmark"
    criterion: str = "loss"
    expected_first_loss: float | None = None
    durations_s: tuple[float, ...] = (1.0,)
    keys: Sequence[str] = ("a",)
    parts: tuple[()] = ()

    def weight(self, batch: Any) -> float:
        return self.weight_sum

    def length(self, index: int, rng: torch.Generator) -> float:
        return self.durations_s[index]

    def seconds(self, batch: Any) -> float:
        return self.sound_s

    def config(self) -> dict[str, Any]:
        return {}

    def lineage(self) -> dict[str, Any]:
        return {}


def load_config(kind: type[ConfigT], group: str, size: str, overrides: Sequence[str] = ()) -> ConfigT:
    """The configuration of a stage: a shipped one by its size, or the stage's file in a folder, such as that of a pack."""
    return schema.load(kind, group, str(Path(size) / f"{group}.yaml") if Path(size).is_dir() else size, overrides)


def dvae_task(size: str, overrides: list[str]) -> tuple[Fixed, RunSettings]:
    """Crops of noise."""
    settings = load_config(dvae_stage.DVAESettings, "dvae", size, overrides)
    count, rate, seconds = settings.run.batch_size, settings.audio.sample_rate, settings.data.crop_seconds
    samples = int(seconds * rate)
    batch = dvae_stage.Sounds(
        0.1 * torch.randn(count, samples), torch.full((count,), samples), torch.zeros(count, 2, 0)
    )
    module = dvae_stage.DVAELosses(DVAE(settings.model, settings.audio.n_mels), settings.audio, settings.mse_weight)
    frames = count * settings.audio.frames(samples)
    return Fixed(module, batch, frames, count * seconds), settings.run


def gpt_task(size: str, overrides: list[str]) -> tuple[Fixed, RunSettings]:
    """Sequences of random codes and text, all alike: 600 ids, of which 80 are the voice, the text and their marks."""
    settings = load_config(gpt_stage.GPTSettings, "gpt", size, overrides)
    codes = load_config(dvae_stage.DVAESettings, "dvae", size)
    vocabulary = Vocabulary(
        VocabularyConfig(
            n_text=TextTokenizer().size,
            n_codes=codes.model.n_codes,
            groups=codes.model.groups,
            by_frames=settings.model.head is not None,
        )
    )
    count = settings.run.batch_size
    frames = (TOKENS - TEXT_TOKENS) // vocabulary.config.groups
    text = torch.randint(vocabulary.config.n_text, (TEXT_TOKENS - 4,)).tolist()
    spoken = torch.randint(vocabulary.config.n_codes, (frames, vocabulary.config.groups))
    sequence = vocabulary.speak(spoken[:1], text, spoken, 0.01)
    steps = vocabulary.pack(sequence.ids)
    ids, weights = (x.expand(count, -1, -1) for x in (steps, place_weights(steps, sequence.weights)))
    spans = torch.zeros(count, 4, dtype=torch.long)  # no head is guided
    seconds = torch.full((count,), frames * codes.model.downsampling / codes.audio.frame_rate)
    batch = gpt_stage.Tokens(ids, weights, spans, seconds)
    module = gpt_stage.GPTLosses(make_gpt(settings.model, vocabulary), settings.data)
    return Fixed(module, batch, float(weights[:, 1:].sum()), float(seconds.sum())), settings.run


def diffusion_task(size: str, overrides: list[str]) -> tuple[Fixed, RunSettings]:
    """Crops of noise, with a new DVAE."""
    settings = load_config(diffusion_stage.DiffusionSettings, "diffusion", size, overrides)
    first = load_config(dvae_stage.DVAESettings, "dvae", size)
    audio, data, count = first.audio, settings.data, settings.run.batch_size
    samples, reference = int(data.crop_seconds * audio.sample_rate), int(data.reference_seconds * audio.sample_rate)
    frames = audio.frames(samples)
    network = make_upsampler(settings.model, audio)
    batch = Upsampling(
        0.1 * torch.randn(count, samples),
        torch.full((count,), samples),
        0.1 * torch.randn(count, reference),
        torch.full((count,), reference),
        torch.rand(count),
        torch.zeros(count, dtype=torch.bool),
        torch.zeros(count, dtype=torch.bool),
        torch.randn(count, frames, network.target.width),
    )
    dvae = DVAE(first.model, audio.n_mels)
    module = (
        SourceLosses(network, dvae)
        if isinstance(network, SourceFilter)
        else diffusion_stage.DiffusionLosses(network, dvae, settings)
    )
    return Fixed(module, batch, count * frames, count * data.crop_seconds), settings.run


TASKS = {"dvae": dvae_task, "gpt": gpt_task, "diffusion": diffusion_task}


def peak_flops(device: torch.device, precision: str) -> float:
    """FLOP/s of a square matrix product, the best of five: what this machine can do at most in ``precision``."""
    size = 8192 if device.type == "cuda" else 2048
    kind = torch.bfloat16 if precision == "bf16" else torch.float32
    a, b = torch.randn(2, size, size, device=device, dtype=kind)
    best = float("inf")
    for _ in range(6):
        _wait(device)
        began = time.perf_counter()
        torch.mm(a, b)
        _wait(device)
        best = min(best, time.perf_counter() - began)
    return 2 * size**3 / best


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize()


def step_flops(trainer: Trainer[Any, Any], batch: Any) -> float:
    """Arithmetic of a step, counted without the compiler, which would hide the operations from the counter."""
    counter = FlopCounterMode(display=False)
    uncompiled = torch.compiler.set_stance("force_eager") if trainer.settings.compile else contextlib.nullcontext()
    with uncompiled, counter:
        trainer._step(batch)
    return float(counter.get_total_flops())


def measure(stage: str, size: str, steps: int, overrides: list[str], peak_tflops: float | None) -> Row:
    """Medians over ``steps`` after two of warm-up."""
    torch.manual_seed(0)
    task, run = TASKS[stage](size, overrides)
    run = run.model_copy(update={"preview_every": 0})
    with tempfile.TemporaryDirectory() as folder:
        trainer: Trainer[Any, Any] = Trainer(task, run, Path(folder), {})  # type: ignore[arg-type]
        device = trainer.accelerator.device
        batch = task.batch.to(device)
        flops = step_flops(trainer, batch)
        for _ in range(WARM_UP):
            trainer._step(batch)
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats()
        times = []
        for _ in range(steps):
            _wait(device)
            began = time.perf_counter()
            trainer._step(batch)
            _wait(device)
            times.append(time.perf_counter() - began)
    took = statistics.median(times)
    # Arithmetic that is repeated to save memory does not count as work of the model.
    useful = flops * 3 / 4 if run.recompute else flops
    peak = peak_tflops * 1e12 if peak_tflops else peak_flops(device, run.precision)
    return {
        "stage": stage,
        "size": size,
        "parameters": count_parameters(trainer.network),
        "batch": run.batch_size,
        "step_s": round(took, 4),
        "audio_s_per_s": round(task.sound_s / took, 1),
        "tflop_per_step": round(useful / 1e12, 4),
        "utilisation": round(useful / took / peak, 3),
        "peak_tflops": round(peak / 1e12, 3),
        "device": torch.cuda.get_device_name() if device.type == "cuda" else f"cpu, {torch.get_num_threads()} threads",
        "gpu_peak_gb": round(torch.cuda.max_memory_allocated() / 1e9, 2) if device.type == "cuda" else "-",
    }


def real_task(stage: str, size: str, sources: argparse.Namespace, overrides: list[str]) -> tuple[Any, RunSettings]:
    """The stage on the shards that ``sources`` name."""
    if stage == "dvae":
        first = load_config(dvae_stage.DVAESettings, stage, size, overrides)
        return dvae_stage.build(first, sources.shards), first.run
    if stage == "gpt":
        second = load_config(gpt_stage.GPTSettings, stage, size, overrides)
        return gpt_stage.build(second, sources.codes), second.run
    third = load_config(diffusion_stage.DiffusionSettings, stage, size, overrides)
    return diffusion_stage.build(third, sources.shards, sources.dvae), third.run


def measure_loading(stage: str, size: str, steps: int, sources: argparse.Namespace, overrides: list[str]) -> Row:
    """The share of the time that ``steps`` steps on real shards wait for the next batch.

    Without steps (``loading_alone``) all the time is spent waiting.
    """
    chosen = [*overrides, f"run.workers={sources.workers}", f"run.steps={steps + WARM_UP}", "run.minutes=0"]
    quiet = ["run.preview_every=0", "run.validate_every=0", "run.save_every=0", "run.log_every=1", "run.trackers=[]"]
    task, run = real_task(stage, size, sources, [*chosen, *quiet])
    with tempfile.TemporaryDirectory() as folder:
        trainer: Trainer[Any, Any] = Trainer(task, run, Path(folder), {})
        batches = trainer._batches()
        waited, took, sound = 0.0, 0.0, 0.0
        for step in range(steps + WARM_UP):
            began = time.perf_counter()
            batch = next(batches)
            arrived = time.perf_counter()
            if not sources.loading_alone:
                trainer._step(batch)
                _wait(trainer.accelerator.device)
            if step >= WARM_UP:
                waited, took = waited + arrived - began, took + time.perf_counter() - began
                sound += task.seconds(batch)
    return {
        "stage": stage,
        "size": size,
        "workers": run.workers,
        "step_s": round(took / steps, 4),
        "audio_s_per_s": round(sound / took, 1),
        "waiting": f"{waited / took:.1%}",
    }


def table(rows: Sequence[Row]) -> str:
    """``rows``, which all have the same keys, as a Markdown table."""
    lines = [list(rows[0]), ["---"] * len(rows[0]), *(list(row.values()) for row in rows)]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def add_sizes(parser: argparse.ArgumentParser) -> None:
    """The option that says which configurations are measured."""
    parser.add_argument(
        "--sizes", nargs="+", default=["nano"], help="names of configurations, or folders with dvae.yaml and so on"
    )


def main() -> None:
    """Print one row for each stage and size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stages", nargs="+", choices=list(TASKS), default=list(TASKS))
    add_sizes(parser)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument(
        "--set", action="append", default=[], dest="overrides", help="as for training: run.batch_size=8"
    )
    parser.add_argument(
        "--peak-tflops", type=float, help="of the device; default: a matrix product measured in this run"
    )
    parser.add_argument("--shards", type=Path, nargs="+", help="measure loading from these: stages 1 and 3")
    parser.add_argument("--codes", type=Path, nargs="+", help="measure loading from these: stage 2")
    parser.add_argument("--dvae", type=Path, help="run or checkpoint of stage 1, for stage 3")
    parser.add_argument("--workers", type=int, default=2, help="loader processes, where loading is measured")
    parser.add_argument("--loading-alone", action="store_true", help="measure loading without training steps")
    sources = parser.parse_args()
    rows: list[Row] = []
    for size in sources.sizes:
        for stage in sources.stages:
            if not (sources.shards or sources.codes):
                rows.append(measure(stage, size, sources.steps, sources.overrides, sources.peak_tflops))
            elif sources.codes if stage == "gpt" else sources.shards and (stage == "dvae" or sources.dvae):
                rows.append(measure_loading(stage, size, sources.steps, sources, sources.overrides))
    if not rows:
        parser.error("none of these stages has its data: --shards for dvae, and --dvae for diffusion; --codes for gpt")
    print(table(rows))


if __name__ == "__main__":
    main()
