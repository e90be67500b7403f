"""What the presets give and cost: ``python -m benchmarks.presets SENTENCES --out ROWS.jsonl``.

Each sentence of a list (a text a line) is spoken with every preset and seed, as ``speak`` does it. A row of ROWS.jsonl is one sound; a
run that was stopped goes on. The table has, for each preset and as the difference from the preset ``standard``: words wrong by a
recogniser, DNSMOS, the share of sounds in which something is unsaid, and processor seconds for a second of sound by stage, with 95 %
intervals by bootstrap over sentences.

The preset ``best`` chooses by Whisper tiny.en, where that is installed. Judged by the same recogniser, its words wrong are too few:
give another one with --recogniser to compare.
"""

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import Any

import torch

from triforce_tts.cli.preparing import ModelOptions, take_choice
from triforce_tts.evaluation.figures import OVERALL, P808, WORD_ERROR
from triforce_tts.evaluation.panel import ClipToJudge, Dnsmos, Words, errors
from triforce_tts.evaluation.report import Estimate, Figure
from triforce_tts.evaluation.statistics import difference, ratio
from triforce_tts.judges.recognisers import CHOICES, TINY
from triforce_tts.presets import PRESETS, STANDARD
from triforce_tts.synthesis import Stopwatch, Synthesizer
from triforce_tts.voices import Voice

Row = dict[str, Any]
UNSAID, WORK = "unsaid", "work"
JUDGED = {WORD_ERROR: "words wrong", OVERALL: "DNSMOS", P808: "P.808", UNSAID: "something unsaid"}


class ProcessorWatch(Stopwatch):
    """The processor seconds of this process in each stage, which other programs on the machine change little."""

    @contextmanager
    def time(self, stage: str) -> Iterator[None]:
        """Add the processor time of the block."""
        began = time.process_time()
        yield
        self.seconds[stage] = self.seconds.get(stage, 0.0) + time.process_time() - began


def synthesizer_of(model: Path | None, preset: str) -> Synthesizer:
    """The model with the settings of a preset, on one thread of a CPU."""
    care = PRESETS[preset]
    synthesizer = ModelOptions(model, threads=1, care=care).open("cpu")
    synthesizer.choice = take_choice(care, quiet=False)
    return synthesizer


def measure(synthesizer: Synthesizer, voice: Voice, text: str, seed: int, recogniser: str) -> Row:
    """The figures of one sound, each with amount and weight, and the seconds of its stages."""
    synthesizer.stopwatch = ProcessorWatch()
    began = time.process_time()
    speech = synthesizer.speak(text, voice, seed)
    work = time.process_time() - began
    figures = {UNSAID: Figure(amount=float(not speech.complete))}
    if len(speech.samples):
        clip = ClipToJudge(speech.samples.numpy(), speech.sample_rate, text)
        figures |= Words(recogniser)(clip).figures | Dnsmos()(clip).figures
    else:
        figures |= errors(text, "")
    return {
        "figures": {name: [figures[name].amount, figures[name].weight] for name in JUDGED if name in figures},
        "sound_s": speech.duration_s, "work_s": work, "stages": dict(synthesizer.stopwatch.seconds),
    }  # fmt: skip


def by_sentence(rows: Sequence[Row], preset: str, name: str) -> dict[str, list[Figure]]:
    """A figure of a preset for each sentence, with all its seeds; a stage's is its seconds, weighted by those of the sound."""
    figures: dict[str, list[Figure]] = {}
    for row in rows:
        if row["preset"] != preset:
            continue
        if name in JUDGED:
            pair = row["figures"].get(name)
        else:
            pair = (row["work_s"] if name == WORK else row["stages"].get(name, 0.0), row["sound_s"])
        if pair is not None:
            figures.setdefault(row["text"], []).append(Figure(amount=pair[0], weight=pair[1]))
    return figures


def table(rows: Sequence[Row]) -> str:
    """A column for each preset, and beside it the difference from the standard one."""
    presets = [name for name in PRESETS if any(row["preset"] == name for row in rows)]
    stages = list(dict.fromkeys(stage for row in rows for stage in row["stages"]))
    others = [name for name in presets if name != STANDARD and STANDARD in presets]
    head = ["", *presets, *(f"{name} less {STANDARD}" for name in others)]
    lines = [head, ["---", *["--:"] * (len(head) - 1)]]
    labels = {**JUDGED, WORK: "seconds a second of sound", **{stage: f"of it {stage}" for stage in stages}}
    for name, label in labels.items():
        values = {preset: by_sentence(rows, preset, name) for preset in presets}
        estimates = [ratio(list(values[preset].values())) if values[preset] else None for preset in presets]
        estimates += [difference(values[other], values[STANDARD]) for other in others]
        lines.append([label, *map(_cell, estimates)])
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _cell(estimate: Estimate | None) -> str:
    return "" if estimate is None else f"{estimate.value:.3f} ({estimate.low:.3f} to {estimate.high:.3f})"


def read_rows(path: Path) -> list[Row]:
    """The rows of an earlier, unfinished run."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.is_file() else []


def main() -> None:
    """Speak, judge and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sentences", type=Path, help="a text a line")
    parser.add_argument("--out", type=Path, required=True, help="rows, a line of JSON for each sound")
    parser.add_argument("--count", type=int, default=100, help="sentences from the beginning of the list")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--presets", nargs="+", default=list(PRESETS), choices=list(PRESETS))
    parser.add_argument("--model", type=Path)
    parser.add_argument("--recogniser", default=TINY, help=CHOICES)
    options = parser.parse_args()
    texts = [line.strip() for line in options.sentences.read_text(encoding="utf-8").splitlines() if line.strip()]
    rows = read_rows(options.out)
    done = {(row["preset"], row["text"], row["seed"], row["recogniser"]) for row in rows}
    torch.set_num_threads(1)
    ready = {preset: synthesizer_of(options.model, preset) for preset in options.presets}
    voices = {preset: synthesizer.voice() for preset, synthesizer in ready.items()}
    with options.out.open("a", encoding="utf-8") as out:
        for text, seed, preset in product(texts[: options.count], options.seeds, options.presets):
            if (preset, text, seed, options.recogniser) in done:
                continue
            row = {"preset": preset, "text": text, "seed": seed, "recogniser": options.recogniser}
            row |= measure(ready[preset], voices[preset], text, seed, options.recogniser)
            rows.append(row)
            out.write(json.dumps(row) + "\n")
            out.flush()
    chosen = [row for row in rows if row["recogniser"] == options.recogniser and row["text"] in texts[: options.count]]
    sounds = sum(row["preset"] == options.presets[0] for row in chosen)
    print(f"{min(options.count, len(texts))} sentences, {sounds} sounds a preset, judged by {options.recogniser}\n")
    print(table(chosen))


if __name__ == "__main__":
    main()
