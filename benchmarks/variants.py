"""Networks that differ in one setting, trained alike and compared: ``python -m benchmarks.variants QUESTION --data D --out DIR``.

  warp    Does it help stage 1 to bend the mels that it is trained on? D holds shards of audio. Equal steps.
  sink    Does an attention sink (softmax1) keep activations small, and what do eight bits cost then? D holds codes. Equal steps.
  batch   What does a larger batch give at equal samples? D holds codes. The learning rate grows with the square root of
          the batch, as is usual for Adam, or stays the same (--rate same).

Every variant is trained with each of the seeds, from the same first weights and in the same order of samples. A run that
was stopped goes on when the command is given again, and a finished one is not trained anew. The figures are those of the
last validation, of the averaged weights: the mean over seeds, and the lowest and the highest. The difference from the
first variant is taken seed by seed.
"""

import argparse
import json
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from benchmarks import int8
from benchmarks.codes_study import history
from triforce_tts import schema
from triforce_tts.files import write_json
from triforce_tts.stages import dvae, gpt
from triforce_tts.stages.trainer.loop import Trainer

Figures = dict[str, float]
Report = dict[str, list[Figures]]  # the figures of each variant, one entry for each seed


@dataclass(frozen=True)
class Question:
    """What is compared: a stage, its variants with their settings, and the figures that are shown."""

    stage: str
    variants: dict[str, list[str]]
    shown: Sequence[str]
    measure: Callable[[Path, argparse.Namespace], Figures] = lambda run, options: {}


def warp_question(options: argparse.Namespace) -> Question:
    """No warp, and warps of growing strength."""
    bent = {f"{s:g}": [f"warp.time={s}", f"warp.bands={s / 2}"] for s in options.strengths}
    figures = ("l1", "use", "perplexity", "bits_per_second")
    return Question("dvae", {"none": [], **bent}, figures)


def sink_question(options: argparse.Namespace) -> Question:
    """Without and with the sink; after training, what eight bits cost."""
    figures = (
        "speech_loss", "shuffled_text_loss", "activation_max", "activation_kurtosis", "largest input", "kurtosis of inputs",
        *(f"cost of {way}" for way in list(int8.WAYS)[1:]),
    )  # fmt: skip
    return Question("gpt", {"no sink": ["model.sink=false"], "sink": ["model.sink=true"]}, figures, eight_bits)


def batch_question(options: argparse.Namespace) -> Question:
    """The batch sizes, at equal samples; ``run.learning_rate`` of the configuration belongs to its own batch size."""
    own = schema.load(gpt.GPTSettings, "gpt", options.config, options.set).run
    variants = {}
    for size in options.sizes:
        steps = max(1, options.samples // size)
        rate = own.learning_rate * ((size / own.batch_size) ** 0.5 if options.rate == "root" else 1.0)
        variants[f"batch {size}"] = [
            f"run.batch_size={size}", f"run.steps={steps}", f"run.learning_rate={rate:g}",
            f"run.warmup_steps={steps // 20}", f"run.ema={own.ema ** (size / own.batch_size):.6f}",
        ]  # fmt: skip
    return Question("gpt", variants, ("speech_loss", "shuffled_text_loss", "text_loss"))


QUESTIONS = {"warp": warp_question, "sink": sink_question, "batch": batch_question}


def eight_bits(run: Path, options: argparse.Namespace) -> Figures:
    """The figures of ``benchmarks.int8``: outliers in fp32, and nats a code that each way of rounding costs."""
    costs = int8.measure(run, options.data, options.validate)
    inputs = costs["outliers"]["inputs of products"]
    figures = {"largest input": inputs["largest"], "kurtosis of inputs": inputs["kurtosis_mean"]}
    return figures | {f"cost of {way}": costs[way]["cost"][0] for way in list(int8.WAYS)[1:]}


def train(question: Question, name: str, seed: int, options: argparse.Namespace) -> Figures:
    """Train a variant with ``seed``; its last validation, with the seconds of training until then, and what is measured after."""
    run = options.out / f"{options.question}-{name.replace(' ', '-')}-{seed}"
    settings = [
        f"run.steps={options.steps}", "run.minutes=0", f"run.seed={seed}", "run.workers=0", "run.preview_every=0",
        "run.validate_every=0", f"run.validate_samples={options.validate}", "run.save_every=500", "run.keep=1",
        "run.precision=fp32", "run.trackers=[]", *options.set, *question.variants[name],
    ]  # fmt: skip
    torch.manual_seed(seed)  # This seed decides the first weights.
    task: Any
    if question.stage == "dvae":
        first = schema.load(dvae.DVAESettings, "dvae", options.config, settings)
        task, loaded, config = dvae.build(first, options.data), first.run, first.model_dump(mode="json")
    else:
        second = schema.load(gpt.GPTSettings, "gpt", options.config, settings)
        task, loaded, config = gpt.build(second, options.data), second.run, second.model_dump(mode="json")
    Trainer(task, loaded, run, config).fit()
    return {**history(run)[-1], **question.measure(run, options)}


def cells(figures: Sequence[float]) -> str:
    """The mean, and the range where there are several."""
    mean = f"{statistics.mean(figures):.4g}"
    return f"{mean} ({min(figures):.4g} to {max(figures):.4g})" if len(figures) > 1 else mean


def markdown(report: Report, shown: Sequence[str]) -> str:
    """A row for each variant; the first shown figure also as the difference from the first variant."""
    lines = [["", *shown, f"{shown[0]}: difference", "seconds of training"]]
    lines.append(["---"] * len(lines[0]))
    base = next(iter(report.values()))
    for name, runs in report.items():
        less = [own[shown[0]] - other[shown[0]] for own, other in zip(runs, base, strict=True)]
        row = [cells([run[figure] for run in runs]) for figure in shown]
        seconds = f"{statistics.mean(run['seconds'] for run in runs):.0f}"
        lines.append([name, *row, cells(less) if runs is not base else "", seconds])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def parse(words: Sequence[str] | None = None) -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("question", choices=sorted(QUESTIONS))
    parser.add_argument("--data", type=Path, nargs="+", required=True, help="shards of audio (warp) or of codes")
    parser.add_argument("--out", type=Path, required=True, help="folder of the runs and of QUESTION.json")
    parser.add_argument("--config", default="tiny", help="of the stage; default: %(default)s")
    parser.add_argument("--set", action="append", default=[], help="as for training; may be repeated")
    parser.add_argument("--steps", type=int, default=1000, help="of warp and sink; default: %(default)s")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1], help="default: 0 1")
    parser.add_argument("--threads", type=int, default=1, help="default: %(default)s")
    parser.add_argument("--validate", type=int, default=50, help="held-out samples; default: %(default)s")
    parser.add_argument("--strengths", type=float, nargs="+", default=[0.3, 0.6], help="of warp; default: 0.3 0.6")
    parser.add_argument("--sizes", type=int, nargs="+", default=[4, 16, 64], help="of batch; default: 4 16 64")
    parser.add_argument("--samples", type=int, default=16000, help="of batch, in all; default: %(default)s")
    parser.add_argument("--rate", choices=("root", "same"), default="root", help="of batch; default: %(default)s")
    return parser.parse_args(words)


def main() -> None:
    """Train, print and write."""
    options = parse()
    torch.set_num_threads(options.threads)
    question = QUESTIONS[options.question](options)
    report: Report = {}
    for name in question.variants:
        report[name] = [train(question, name, seed, options) for seed in options.seeds]
        summary = {"options": {key: str(value) for key, value in vars(options).items()}, "variants": report}
        write_json(options.out / f"{options.question}.json", summary)
    print(json.dumps(report, indent=1))
    print(markdown(report, question.shown))


if __name__ == "__main__":
    main()
