"""The report as tables: rows of figures, a column for each system; for the terminal and for Markdown."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from triforce_tts.evaluation.figures import meaning, ordered, written
from triforce_tts.evaluation.report import KINDS, Difference, Report, Summary


@dataclass(frozen=True)
class Sheet:
    """A table of text."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def sheets(report: Report) -> list[Sheet]:
    """All tables: the figures, the differences, the similarity of voices."""
    found = [_figures("Figures, with 95 % intervals over sentences", report.summaries)]
    if report.differences:
        found.append(_differences(report.differences))
    if (alike := report.similarity) is not None:
        levels = [(f"the same reader: {alike.same_from}", alike.same), ("different readers", alike.different)]
        rows = tuple((name, written("similarity", level)) for name, level in levels if level is not None)
        if rows:
            found.append(Sheet("Similarity of natural voices, with 95 % intervals over readers", ("", "cosine"), rows))
    return found


def system_title(summary: Summary) -> str:
    """How a system is called in a table."""
    return f"{summary.label}: {KINDS[summary.kind]}"


def _figures(title: str, systems: Sequence[Summary]) -> Sheet:
    """Systems by rows would be wide: figures are rows, systems columns."""
    names = ordered({name for system in systems for name in system.figures})
    rows = [("clips", *(str(system.clips) for system in systems))]
    for name in names:
        cells = (written(name, system.figures[name]) if name in system.figures else "" for system in systems)
        rows.append((meaning(name).title, *cells))
    return Sheet(title, ("", *map(system_title, systems)), tuple(rows))


def _differences(differences: Sequence[Difference]) -> Sheet:
    names = ordered({name for difference in differences for name in difference.figures})
    rows = [
        (
            meaning(name).title,
            *(_judged(name, d) if name in d.figures else "" for d in differences),
        )
        for name in names
    ]
    head = tuple(f"{d.first} less {d.second}" for d in differences)
    return Sheet("Differences on the same sentences, with 95 % intervals", ("", *head), tuple(rows))


def _judged(name: str, difference: Difference) -> str:
    """The difference; in words which way it goes, where the interval leaves no doubt and one way is better."""
    estimate, better = difference.figures[name], meaning(name).better
    if not better or estimate.low <= 0 <= estimate.high:
        return written(name, estimate)
    return f"{written(name, estimate)} {'better' if (estimate.value < 0) == (better == 'less') else 'worse'}"


def show(report: Report, console: Console) -> None:
    """Print the tables; what was left out stands below them."""
    for sheet in sheets(report):
        table = Table(title=sheet.title, title_justify="left")
        for number, head in enumerate(sheet.head):
            table.add_column(head, justify="right" if number else "left", overflow="fold")
        for row in sheet.rows:
            table.add_row(*row)
        console.print(table)
    for remark in report.missing:
        console.print(remark, markup=False, highlight=False)


def markdown(report: Report) -> str:
    """The tables as Markdown, such as a model card holds them."""
    parts = []
    for sheet in sheets(report):
        lines = [f"**{sheet.title}**", "", _row(sheet.head), _row(["---"] * len(sheet.head)), *map(_row, sheet.rows)]
        parts.append("\n".join(lines))
    return "\n\n".join([*parts, remarks(report)]) + "\n"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


def remarks(report: Report) -> str:
    """What a reader must know of the figures, in sentences."""
    recogniser = f"Words were recognised by {report.recogniser}." if report.recogniser else "No words were recognised."
    seeds = ", ".join(map(str, report.seeds))
    lines = [
        f"{len(report.sentences)} sentences, seeds {seeds}, {report.processes} processes of one thread each, "
        f"{report.seconds / 60:.1f} minutes. {recogniser}"
    ]
    return " ".join([*lines, *(f"{remark.rstrip('.')}." for remark in report.missing)])
