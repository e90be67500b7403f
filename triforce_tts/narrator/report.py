"""The result of a narration on one page that needs no network: the worst lines first, each with its sound."""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path

from triforce_tts.files import write_text
from triforce_tts.judges.words import letters
from triforce_tts.narrator.book_file import Written
from triforce_tts.narrator.edits import differing_runs
from triforce_tts.narrator.heard import wanted_words
from triforce_tts.narrator.lines import FOLDER, LineRecord
from triforce_tts.narrator.plan import Plan, PlannedLine
from triforce_tts.wording import counted, length

PAGE = "report.html"
MOST_LINES = 2000  # the most lines on the page; plan.json has all of them
_MOST_SKIPPED = 500
_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2em auto; max-width: 70em; padding: 0 1em; color: #222; }
table { border-collapse: collapse; margin: .4em 0 1.4em; font-size: 14px; }
th, td { border-bottom: 1px solid #ddd; padding: .25em .6em; text-align: left; vertical-align: top; }
th { background: #f6f6f6; } audio { width: 14em; height: 2.4em; }
.fault { color: #a00; } .quiet { color: #666; }
"""


def write_report(folder: Path, plan: Plan, records: Mapping[str, LineRecord], files: Sequence[Written]) -> None:
    """Write the page into the narration's ``folder``, where the sounds lie."""
    title = escape(f"Narration of {plan.title or 'a book'}")
    parts = [
        f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>{title}</title>\n<style>{_STYLE}</style>',
        f"<h1>{title}</h1>",
        _summary(plan, records),
        *map(_file, files),
        _lines(plan, records),
        _skipped(plan),
    ]
    write_text(folder / PAGE, "\n".join(parts) + "\n</html>\n")


def flagged(plan: Plan, records: Mapping[str, LineRecord]) -> list[PlannedLine]:
    """The lines in which a check found a fault, in the order of the book."""
    return [line for line in plan.lines if records[line.key].flags]


def _summary(plan: Plan, records: Mapping[str, LineRecord]) -> str:
    seconds = sum(records[line.key].seconds for line in plan.lines)
    rows = [
        ("author", plan.author),
        ("model", plan.model),
        ("voice", plan.voice or "the model's own"),
        ("chapters", f"{len(plan.chosen)} of {len(plan.chapters)}"),
        ("words spoken", str(plan.spoken_words)),
        *([("words of credits", str(plan.credit_words))] if plan.credit_words else []),
        ("speech", length(seconds)),
        ("lines", f"{len(plan.lines)}, of which {len(flagged(plan, records))} are flagged"),
        ("said in other words", str(sum(line.changed for line in plan.lines))),
        *((f"words skipped: {reason}", str(words)) for reason, words in plan.skipped_words.items()),
    ]
    remarks = "".join(f"<p class=quiet>{escape(remark)}</p>" for remark in plan.remarks)
    return _table((), rows) + remarks


def _file(written: Written) -> str:
    loudness = written.loudness
    rows = [
        ("length", length(loudness.seconds), "", ""),
        ("chapters", str(written.chapters), "", ""),
        ("loudness", f"{loudness.lufs:.1f} LUFS, RMS {loudness.rms_db:.1f} dB", "", ""),
        ("true peak", f"{loudness.true_peak_db:.1f} dBTP", "", ""),
        *((r.name, r.value, r.demand, "yes" if r.passed else "NO") for r in written.results),
    ]
    head = ("the finished file, read back", "found", "expected", "kept")
    return f"<h2>{escape(written.path.name)}</h2>\n{_table(head, rows)}"


def _lines(plan: Plan, records: Mapping[str, LineRecord]) -> str:
    worst = sorted(plan.lines, key=lambda line: _goodness(records[line.key]))
    shown = worst[:MOST_LINES]
    rows = "\n".join(_line(line, records[line.key]) for line in shown)
    rest = (
        f"<p class=quiet>{len(worst) - len(shown)} more lines are in plan.json.</p>" if len(worst) > len(shown) else ""
    )
    head = "<tr><th>line</th><th>sound</th><th>text</th><th>heard</th><th>checks</th></tr>"
    return (
        "<h2>Lines, the worst first</h2>\n<p class=quiet>To speak lines anew: <code>--redo 17,42</code>, "
        f"or <code>--redo '17=In other words.'</code></p>\n<table>\n{head}\n{rows}\n</table>\n{rest}"
    )


def _goodness(record: LineRecord) -> tuple[int, float]:
    """The sort key of a line: the smaller, the worse."""
    return -len(record.flags), -sum(record.figures.get(name, 0.0) for name in ("wrong phones", "read wrongly"))


def _heard(text: str, heard: str | None) -> str:
    """The text that a recogniser heard, with marks at the words that differ from ``text``."""
    if heard is None:
        return ""
    words = heard.split()
    spellings = [letters(word) for word in words]
    for _, _, first, end in differing_runs(wanted_words(text, spellings), spellings):
        words[first:end] = [f"<mark>{escape(word)}</mark>" for word in words[first:end]]
    marked = " ".join(word if word.startswith("<mark>") else escape(word) for word in words)
    return marked or "<mark>nothing</mark>"


def _line(line: PlannedLine, record: LineRecord) -> str:
    sound = f'<audio controls preload="none" src="{FOLDER}/{line.key}.flac"></audio>' if record.samples else "no sound"
    speech_note = "" if line.text == line.source else f"<br><span class=quiet>{escape(line.text)}</span>"
    flags = "".join(f"<span class=fault>{escape(flag)}</span><br>" for flag in record.flags)
    figures = ", ".join(f"{name} {value:g}" for name, value in record.figures.items())
    tries = counted(record.tries, "try") if record.tries == 1 else f"{record.tries} tries"
    return (
        f'<tr id="{line.number}"><td>{line.number}</td><td>{sound}</td><td>{escape(line.source)}{speech_note}</td>'
        f"<td>{_heard(line.text, record.heard)}</td><td>{flags}<span class=quiet>{escape(figures)}; {tries}</span></td></tr>"
    )


def _skipped(plan: Plan) -> str:
    parts = sorted(plan.skipped, key=lambda part: part.words == 0)  # signs, which are no words, come last
    rows = [(part.reason, str(part.words), part.where, part.text[:300]) for part in parts[:_MOST_SKIPPED]]
    rows += [
        ("chapter not chosen", str(c.words), f"chapter {c.number}", c.title) for c in plan.chapters if not c.chosen
    ]
    if not rows:
        return "<h2>What is not spoken</h2>\n<p>Nothing.</p>"
    return f"<h2>What is not spoken</h2>\n{_table(('reason', 'words', 'where', 'text'), rows)}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(
        ["<table>", *_rows(head, "th"), *(row for cells in rows for row in _rows(cells, "td")), "</table>"]
    )


def _rows(cells: Sequence[str], kind: str) -> Iterator[str]:
    if cells:
        yield f"<tr>{''.join(f'<{kind}>{escape(cell)}</{kind}>' for cell in cells)}</tr>"
