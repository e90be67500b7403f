"""The measured blocks of a model card: ``python -m benchmarks.card MODEL_CARD.md --report REPORT``.

A block stands between the lines ``<!-- begin NAME -->`` and ``<!-- end NAME -->``; everything else in the card is written by
hand and stays. ``evaluate`` comes from a folder that ``triforce-tts evaluate`` wrote (--report), ``heldout`` from the file of
``benchmarks.quality`` (--quality), ``training`` from the folders of runs (--run, in order of training).
"""

import argparse
import json
import re
from pathlib import Path
from typing import Any

from triforce_tts.checkpoint import WEIGHTS, load_tensors, locate, read_json, read_lineage
from triforce_tts.evaluation import table
from triforce_tts.evaluation.report import read_report
from triforce_tts.files import read_text_file, write_text
from triforce_tts.stages.gpu.summary import last_validation


def cell(value: list[float]) -> str:
    """The mean and its interval."""
    return f"{value[0]:.3f} ({value[1]:.3f} to {value[2]:.3f})"


def training(runs: list[Path]) -> str:
    """A table with a row for each run."""
    lines = ["| run | stage | parameters | steps | minutes | last validation |", "|---|---|---|---|---|---|"]
    for run in runs:
        folder = locate(run)
        state = read_json(folder / "trainer" / "state.json")
        count = sum(t.numel() for t in load_tensors(folder / WEIGHTS).values())
        text = ", ".join(f"{name} {value:.3g}" for name, value in last_validation(run).items())
        stage = read_json(folder / "config.json")["stage"]
        steps = read_lineage(folder)["steps"]
        lines.append(f"| {run.name} | {stage} | {count / 1e6:.2f} M | {steps} | {state['seconds'] / 60:.1f} | {text} |")
    return "\n".join(lines)


def heldout(quality: dict[str, Any]) -> str:
    """The tables of the codes' quality and use, and of the GPT's likelihoods of held-out recordings."""
    return "\n".join([*codes(quality["codes"]), *likelihoods(quality["gpt"])])


def codes(one: dict[str, Any]) -> list[str]:
    """A table of how much of a recording the codes keep, and how the codes are used."""
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
    """A table of the GPT's likelihoods of held-out recordings."""
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


def with_block(card: str, name: str, content: str) -> str:
    """The card with another content of the block ``name``.

    Raises:
        SystemExit: the card has no such block, or several.
    """
    begin, end = f"<!-- begin {name} -->\n", f"<!-- end {name} -->"
    pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    if len(pattern.findall(card)) != 1:
        raise SystemExit(f"expected one block '{name}' in the card, between '{begin.strip()}' and '{end}'")
    return pattern.sub(lambda _: f"{begin}\n{content.strip()}\n\n{end}", card)


def main() -> None:
    """Write the blocks that the options name."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("card", type=Path, help="MODEL_CARD.md, which is rewritten")
    parser.add_argument("--report", type=Path, help="folder of 'triforce-tts evaluate'")
    parser.add_argument("--quality", type=Path, help="JSON of benchmarks.quality, with the parts codes and gpt")
    parser.add_argument("--run", type=Path, action="append", default=[], help="in order of training")
    options = parser.parse_args()
    card = read_text_file(options.card)
    if options.report:
        card = with_block(card, "evaluate", table.markdown(read_report(options.report)))
    if options.quality:
        card = with_block(card, "heldout", heldout(json.loads(options.quality.read_text(encoding="utf-8"))))
    if options.run:
        card = with_block(card, "training", training(options.run))
    write_text(options.card, card)


if __name__ == "__main__":
    main()
