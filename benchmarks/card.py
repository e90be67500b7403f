"""The model card from measured reports: ``python -m benchmarks.card REPORT QUALITY RUN... --out MODEL_CARD.md``.

REPORT is a folder that ``triforce-tts evaluate`` wrote, QUALITY the file of ``benchmarks.quality``.
"""

import argparse
import json
from pathlib import Path
from typing import Any

from triforce_tts.checkpoint import WEIGHTS, load_tensors, locate, read_json, read_lineage
from triforce_tts.evaluation import table
from triforce_tts.evaluation.report import Report, read_report

INTRODUCTION = """# nano

The model inside the package: 16 kHz, one default voice (`kathleen`), English. Three networks, trained one after the other by
the steps of `make nano`. It is small and was trained briefly: expect sentences that can be followed, with words now and then that
cannot. Every figure below was measured, none was picked.

## Use

To learn from, to test with, to start fine-tuning from. Not for a listener who must understand every word. Clone a voice
only with its owner's consent. Written files say in their metadata that they are synthetic.

## Data

| corpus | hours | licence | used for |
|---|---|---|---|
| kathleen (Michael Hansen, rhasspy) | 0.87 | CC0 1.0 | all stages, the default voice |
| LibriSpeech dev-clean, 12 readers | 1.6 | CC BY 4.0 | all stages |
| LibriSpeech train-clean-100, 235 readers | 2.0 | CC BY 4.0 | all stages |
| LibriVox (Austen) | 0.01 | public domain | all stages |
| 7 876 sentences spoken by flite (rms, slt, awb) | 8.4 | synthetic; texts public domain | stage 1 (an hour of each voice), stage 2 |

LibriSpeech: V. Panayotov, G. Chen, D. Povey, S. Khudanpur, "Librispeech: an ASR corpus based on public domain audio
books", ICASSP 2015. 414 recordings (50 of kathleen, 32 of LJ Speech, 20 readers whole) and 50 sentences are held out:
never trained on, in no stage.
"""


def cell(value: list[float]) -> str:
    """Mean and interval."""
    return f"{value[0]:.3f} ({value[1]:.3f} to {value[2]:.3f})"


def training(runs: list[Path]) -> list[str]:
    """A table row a run."""
    lines = [
        "## Training",
        "",
        "| run | stage | parameters | steps | minutes | last validation |",
        "|---|---|---|---|---|---|",
    ]
    for run in runs:
        folder = locate(run)
        state = read_json(folder / "trainer" / "state.json")
        count = sum(t.numel() for t in load_tensors(folder / WEIGHTS).values())
        rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
        last = next((row for row in reversed(rows) if row.get("kind") == "validation"), {})
        told = ", ".join(f"{k} {v:.3g}" for k, v in last.items() if k not in ("kind", "step", "seconds"))
        stage = read_json(folder / "config.json")["stage"]
        steps = read_lineage(folder)["steps"]
        lines.append(f"| {run.name} | {stage} | {count / 1e6:.2f} M | {steps} | {state['seconds'] / 60:.1f} | {told} |")
    return lines


def figures(report: Report, quality: dict[str, Any]) -> list[str]:
    """What listeners would hear, then the tables of codes and likelihoods."""
    return ["## Figures", "", table.markdown(report), *codes(quality["codes"]), *likelihoods(quality["gpt"])]


def codes(one: dict[str, Any]) -> list[str]:
    """What the codes keep and how they are used."""
    lines = ["**Codes**, all held-out recordings, with 95 % intervals over recordings:", "", "| | |", "|---|---|"]
    lines += [f"| L1, nats, {who} | {cell(value)} |" for who, value in one["l1_nats"].items()]
    return [
        *lines,
        f"| codes used, by group | {', '.join(f'{100 * u:.1f} %' for u in one['code_use'])} (at {one['tokens_per_code']:.0f} tokens a code) |",
        f"| perplexity, by group | {', '.join(f'{p:.0f}' for p in one['perplexity'])} |",
        f"| bits per second | {one['bits_per_second']:.0f} |",
        "",
    ]


def likelihoods(gpt: dict[str, Any]) -> list[str]:
    """What the GPT expects of held-out recordings."""
    lines = ["**GPT on held-out recordings**:", ""]
    lines += [
        "| reader | nats a code | given another's text | own text likelier | bits per second |",
        "|---|---|---|---|---|",
    ]
    for who, row in gpt.items():
        lines.append(
            f"| {who} | {row['nats_per_code']:.3f} | {row['nats_per_code_shuffled_text']:.3f} | "
            f"{cell(row['own_text_likelier'])} | {row['bits_per_second']:.0f} |"
        )
    return lines


def main() -> None:
    """Write the card."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("report", type=Path, help="folder of 'triforce-tts evaluate'")
    parser.add_argument("quality", type=Path, help="JSON of benchmarks.quality, with the parts codes and gpt")
    parser.add_argument("runs", type=Path, nargs="+", help="in order of training")
    parser.add_argument("--machine", required=True)
    parser.add_argument("--notes", type=Path, help="text for the end of the card")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    report, quality = read_report(arguments.report), json.loads(arguments.quality.read_text())
    parts = [
        INTRODUCTION,
        *training(arguments.runs),
        "",
        f"Machine: {arguments.machine}.",
        "",
        *figures(report, quality),
        "",
    ]
    if arguments.notes:
        parts.append(arguments.notes.read_text())
    arguments.out.write_text("\n".join(parts), encoding="utf-8")


if __name__ == "__main__":
    main()
