"""The report as tables: rows of figures, a column for each system; for the terminal and for Markdown."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from triforce_tts.evaluation.figures import meaning, ordered, written
from triforce_tts.evaluation.report import KINDS, MEANINGS, Estimate, Report, Summary

# With fewer sentences, redrawing them says little about how certain a difference is.
_FEWEST = 10


@dataclass(frozen=True)
class Sheet:
    """A table of text."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def sheets(report: Report) -> list[Sheet]:
    """All tables: the figures, those of each list of sentences, the differences, and the similarity of voices."""
    tables = [_figures("Figures of all clips, with 95 % intervals over sentences", report.summaries)]
    tables += [
        _figures(f"Figures of the {g.sentences} sentences of {g.name} alone", g.summaries) for g in report.groups
    ]
    if report.differences:
        tables.append(_differences(report))
    if (alike := report.similarity) is not None:
        levels = [(f"the same reader: {alike.same_from}", alike.same), ("different readers", alike.different)]
        rows = tuple((name, written("similarity", level)) for name, level in levels if level is not None)
        if rows:
            tables.append(Sheet("Similarity of natural voices, with 95 % intervals over readers", ("", "cosine"), rows))
    return tables


def _figures(title: str, systems: Sequence[Summary]) -> Sheet:
    """The table of figures: a row for each figure and a column for each system, because the other way is too wide."""
    names = ordered({name for system in systems for name in system.figures})
    rows = [("clips", *(str(system.clips) for system in systems))]
    for name in names:
        cells = (written(name, system.figures[name]) if name in system.figures else "" for system in systems)
        rows.append((meaning(name).title, *cells))
    return Sheet(title, ("", *(system.title for system in systems)), tuple(rows))


def _differences(report: Report) -> Sheet:
    names = ordered({name for difference in report.differences for name in difference.figures})
    rows = [
        (
            meaning(name).title,
            *(_judged(name, d.figures[name]) if name in d.figures else "" for d in report.differences),
        )
        for name in names
    ]
    titles = report.titles
    head = tuple(f"{titles[d.first]} less {titles[d.second]}" for d in report.differences)
    return Sheet("Differences on the same sentences, with 95 % intervals", ("", *head), tuple(rows))


def _judged(name: str, estimate: Estimate) -> str:
    """The difference, and its direction in words if the interval leaves no doubt and one direction is better."""
    better = meaning(name).better
    if not better or estimate.low <= 0 <= estimate.high or estimate.sentences < _FEWEST:
        return written(name, estimate)
    return f"{written(name, estimate)} {'better' if (estimate.value < 0) == (better == 'less') else 'worse'}"


def ways(report: Report) -> list[tuple[str, str]]:
    """Each kind of clip in the report, with a sentence that explains it."""
    kinds = list(dict.fromkeys(summary.kind for summary in report.summaries))
    return [(KINDS[kind], f"{MEANINGS[kind]}.") for kind in kinds]


def show(report: Report, console: Console) -> None:
    """Print the tables, and below them what was left out."""
    for sheet in sheets(report):
        table = Table(title=sheet.title, title_justify="left")
        for number, head in enumerate(sheet.head):
            table.add_column(head, justify="right" if number else "left", overflow="fold")
        for row in sheet.rows:
            table.add_row(*row)
        console.print(table)
    for name, sentence in ways(report):
        console.print(f"{name}: {sentence}", markup=False, highlight=False)
    for remark in report.missing:
        console.print(remark, markup=False, highlight=False)


def markdown(report: Report) -> str:
    """The tables as Markdown, for a model card."""
    parts = []
    for sheet in sheets(report):
        lines = [f"**{sheet.title}**", "", _row(sheet.head), _row(["---"] * len(sheet.head)), *map(_row, sheet.rows)]
        parts.append("\n".join(lines))
    parts.append("\n".join(f"- {name}: {sentence}" for name, sentence in ways(report)))
    return "\n\n".join([*parts, remarks(report)]) + "\n"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


def remarks(report: Report) -> str:
    """Remarks that a reader needs to understand the figures, in sentences."""
    recogniser = f"Words were recognised by {report.recogniser}." if report.recogniser else "No words were recognised."
    seeds = ", ".join(map(str, report.seeds))
    processes = f"{report.processes} process{'es' if report.processes != 1 else ''}"
    took = f"{report.seconds / 60:.1f} minutes"
    if report.continued:
        took = f"{report.continued} clips judged before the evaluation was stopped, {took} for the others"
    if report.work_seconds:
        took += f"; all clips took {report.work_seconds / 60:.1f} minutes of processor time"
    lines = [f"{len(report.sentences)} sentences, seeds {seeds}, {processes} of one thread each, {took}. {recogniser}"]
    return " ".join([*lines, *(f"{remark.rstrip('.')}." for remark in report.missing)])
