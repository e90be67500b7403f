"""The model card from measured reports: ``python -m benchmarks.card MODEL REPORT RUN... --out MODEL_CARD.md``."""

import argparse
import json
from pathlib import Path
from typing import Any

from benchmarks.quality import ENDINGS
from triforce_tts.checkpoint import WEIGHTS, load_tensors, locate, read_json, read_lineage

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
    return f"{value[0]:.3f} ({value[1]:.3f}-{value[2]:.3f})"


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


def figures(report: dict[str, Any]) -> list[str]:
    """Tables of the quality report."""
    one, speak, voices, gpt = report["stage1"], report["speak"], report["voices"], report["gpt"]
    lines = [
        "## Figures",
        "",
        "Means with bootstrap 95 % intervals over utterances; seeds 0, 1, 2 where something is sampled.",
    ]
    lines += ["", "**Codes**, all 414 held-out recordings:", "", "| | |", "|---|---|"]
    lines += [f"| L1, nats, {who} | {cell(value)} |" for who, value in one["l1_nats"].items()]
    lines += [
        f"| codes used, by group | {', '.join(f'{100 * u:.1f} %' for u in one['code_use'])} (at {one['tokens_per_code']:.0f} tokens a code) |",
        f"| perplexity, by group | {', '.join(f'{p:.0f}' for p in one['perplexity'])} |",
        f"| bits per second | {one['bits_per_second']:.0f} |",
        "",
        "**Character error of a recogniser** (pocketsphinx) on 50 held-out `kathleen` recordings:",
        "",
        "| way | character error |",
        "|---|---|",
    ]
    lines += [f"| {way} | {cell(value)} |" for way, value in one["character_error"].items()]
    lines += [
        "",
        "**Spoken from text**, default voice:",
        "",
        f"| sentences | character error | {' | '.join(ENDINGS)} | all three | utterances |",
        "|---|---|---|---|---|---|---|",
        f"| natural recordings of the same | {cell(speak['natural kathleen'])} | | | "
        f"{cell(speak['natural kathleen, quiet at the end'])} | | 50 |",
    ]
    for name in ("kathleen sentences", "book sentences"):
        row = speak[name]
        ends = " | ".join(cell(row[ending]) for ending in (*ENDINGS, "ends_properly"))
        lines.append(f"| {name} | {cell(row['character_error'])} | {ends} | {row['utterances']} |")
    measured = report["measured"]["speak"]
    lines += [
        "",
        f"Drawn at temperature {measured['sampling']['temperature']:g}, top-p {measured['sampling']['top_p']:g}, "
        f"{measured['candidates']} candidate(s) a sentence. Ends properly: ended by itself before the limit, lasts 0.6 to "
        "1.6 times what its characters predict, last 100 ms below -40 dB of the peak.",
    ]
    lines += ["", "**GPT on held-out recordings**:", ""]
    lines += [
        "| reader | nats a code | given another's text | own text likelier | bits per second |",
        "|---|---|---|---|---|",
    ]
    for who, row in gpt.items():
        lines.append(
            f"| {who} | {row['nats_per_code']:.3f} | {row['nats_per_code_shuffled_text']:.3f} | "
            f"{cell(row['own_text_likelier'])} | {row['bits_per_second']:.0f} |"
        )
    lines += ["", f"**Does `--voice` do something?** 20 held-out readers, chance {voices['chance']:.2f}:", ""]
    lines += ["| clip | nearest reference is its own | median cosine | clips |", "|---|---|---|---|"]
    for name, row in voices.items():
        if name != "chance":
            lines.append(f"| {name} | {cell(row['nearest_is_own'])} | {row['median_cosine']:.2f} | {row['clips']} |")
    return lines


def main() -> None:
    """Write the card."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("report", type=Path)
    parser.add_argument("runs", type=Path, nargs="+", help="in order of training")
    parser.add_argument("--machine", required=True)
    parser.add_argument("--notes", type=Path, help="text for the end of the card")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    report = json.loads(arguments.report.read_text())
    parts = [INTRODUCTION, *training(arguments.runs), "", f"Machine: {arguments.machine}.", "", *figures(report), ""]
    if arguments.notes:
        parts.append(arguments.notes.read_text())
    arguments.out.write_text("\n".join(parts), encoding="utf-8")


if __name__ == "__main__":
    main()
