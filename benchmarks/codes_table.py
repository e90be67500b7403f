"""The table and the pictures of ``benchmarks.codes``, from the figures that it stored."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

Result = dict[str, Any]

HEADER = (
    "codes", "most bits/s", "bits/s", "L1, {speaker}", "L1, others", "codes used", "perplexity", "tokens a code",
    "character error, decode", "GPT: nats a code", "another's text", "GPT bits/s", "character error, spoken",
)  # fmt: skip


def cell(value: Sequence[float] | None) -> str:
    """A mean and its interval; empty where there is none."""
    return f"{value[0]:.3f} ({value[1]:.3f}-{value[2]:.3f})" if value else ""


def row(result: Result, speaker: str) -> list[str]:
    """The cells of one variant; those of a GPT that is not trained yet stay empty."""
    one, two = result["dvae"], result.get("gpt", {})
    cells = [
        f"`{result['variant']}`",
        f"{one['most_bits_per_second']:.0f}",
        f"{one['bits_per_second']:.0f}",
        cell(one["l1_nats"].get(speaker)),
        cell(one["l1_nats"].get("others")),
        f"{100 * min(one['code_use']):.0f} %",
        f"{sum(one['perplexity']) / len(one['perplexity']):.0f}",
        f"{one['tokens_per_code']:.0f}",
        cell(one["character_error"]),
    ]
    if not two:
        return [*cells, "", "", "", ""]
    nats, other = two["nats_per_code"], two["nats_per_code_shuffled_text"]
    return [
        *cells,
        f"{nats:.3f}",
        f"{other - nats:+.3f}",
        f"{two['bits_per_second']:.0f}",
        cell(two["spoken_character_error"]),
    ]


def markdown(results: Sequence[Result], beside: Result, speaker: str) -> str:
    """The table: one row for each variant, then the recogniser's error on sound that no code has changed."""
    names = [name.format(speaker=speaker) for name in HEADER]
    lines = [names, ["---"] * len(names), *(row(result, speaker) for result in results)]
    for what in ("recordings", "Griffin-Lim from the true mel"):
        if what in beside:
            cells = [""] * len(names)
            cells[0], cells[HEADER.index("character error, decode")] = what, cell(beside[what])
            lines.append(cells)
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def draw(results: Sequence[Result], folder: Path, speaker: str) -> None:
    """``code_rate.png``: error against bits a second.

    ``code_use.png``: how evenly codes are used, and how that grew.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    folder.mkdir(parents=True, exist_ok=True)
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(11, 4.5), layout="constrained")
    for result in results:
        one = result["dvae"]
        who = speaker if speaker in one["l1_nats"] else "others"
        for axis, value in ((left, one["l1_nats"][who]), (right, one["character_error"])):
            error = [[value[0] - value[1]], [value[2] - value[0]]]
            axis.errorbar(one["bits_per_second"], value[0], error, marker="o", capsize=2)
            axis.annotate(
                result["variant"], (one["bits_per_second"], value[0]), (4, 4), textcoords="offset points", size=7
            )
    left.set(xlabel="bits a second, measured", ylabel=f"L1 of held-out log-mel, nats ({speaker})")
    right.set(xlabel="bits a second, measured", ylabel="character error of the decode")
    figure.savefig(folder / "code_rate.png", dpi=72, pil_kwargs={"optimize": True})
    pyplot.close(figure)

    figure, (left, right) = pyplot.subplots(1, 2, figsize=(11, 4.5), layout="constrained")
    for result in results:
        curve, steps = result["dvae"]["curve"], result["dvae"]["history"]
        left.plot([(i + 1) / len(curve) for i in range(len(curve))], curve, label=result["variant"])
        right.plot([row["step"] for row in steps], [row["use"] for row in steps], label=result["variant"])
    left.plot([0, 1], [0, 1], color="black", linewidth=0.5)
    left.set(xlabel="share of the codes, most used first", ylabel="share of the tokens that are these")
    right.set(xlabel="training step", ylabel="share of codes seen in 40 held-out clips", ylim=(0, 1.02))
    left.legend(fontsize=7)
    figure.savefig(folder / "code_use.png", dpi=72, pil_kwargs={"optimize": True})
    pyplot.close(figure)
