"""The report as one page, ``index.html``, that needs no network: tables, pictures, and a player for each clip."""

import re
from html import escape
from pathlib import Path

from triforce_tts.evaluation.figures import CHARACTER_ERROR, OVERALL, P808, SIMILARITY, WORD_ERROR, meaning
from triforce_tts.evaluation.order import Shown, worst_first
from triforce_tts.evaluation.pictures import Drawn
from triforce_tts.evaluation.report import AUDIO, PICTURES, SAMPLED, Clip, Report, Summary
from triforce_tts.evaluation.table import Sheet, remarks, sheets, ways
from triforce_tts.files import write_text

PAGE = "index.html"
# These figures stand beside each clip; report.json holds all of them.
_BESIDE = (WORD_ERROR, CHARACTER_ERROR, OVERALL, P808, SIMILARITY, "f0_hz", "rate")
_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2em auto; max-width: 80em; padding: 0 1em; color: #222; }
table { border-collapse: collapse; margin: .4em 0 1.4em; display: block; overflow-x: auto; font-size: 14px; }
th, td { border-bottom: 1px solid #ddd; padding: .25em .6em; text-align: left; vertical-align: top; }
th { font-weight: 600; background: #f6f6f6; }
td + td { font-variant-numeric: tabular-nums; }
.figures td + td, small { white-space: nowrap; } small { display: block; color: #666; }
.figures td:first-child, .figures th:first-child { position: sticky; left: 0; background: #fff; min-width: 12em; }
.clips { font-size: 13px; } .clips td:first-child { min-width: 10em; } .clips td:nth-child(3) { min-width: 16em; }
section { border-top: 2px solid #bbb; margin-top: 1.6em; }
h2 { font-size: 1.1em; margin: .8em 0 .3em; }
dt { font-weight: 600; } dd { margin: 0 0 .3em 1.5em; }
img { max-width: 100%; }
audio { width: 14em; height: 2.4em; }
.fault { color: #a00; } .quiet { color: #666; font-weight: normal; }
"""


def write(folder: Path, report: Report, drawn: Drawn) -> None:
    """Write the page into the report's ``folder``, where the clips and the pictures lie."""
    title = escape(f"Evaluation of {' and '.join(model.label for model in report.models)}")
    names = "\n".join(f"<dt>{escape(name)}</dt><dd>{escape(sentence)}</dd>" for name, sentence in ways(report))
    parts = [
        f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>{title}</title>\n<style>{_STYLE}</style>',
        f"<h1>{title}</h1>\n<p>{escape(remarks(report))}</p>\n<dl>{names}</dl>",
        *map(_table, sheets(report)),
    ]
    if drawn.matrix:
        parts.append(
            "<h2>Which spoken voice (row) is like which clip (column)</h2>\n"
            f'<img src="{PICTURES}/{drawn.matrix}" alt="similarity of voices">'
        )
    parts.append("<h1>Sentences, the worst first</h1>")
    systems = {summary.system: summary for summary in report.summaries}
    parts += [_section(shown, drawn, systems) for shown in worst_first(report)]
    write_text(folder / PAGE, "\n".join(parts) + "\n</html>\n")


def _table(sheet: Sheet) -> str:
    head = "".join(f"<th>{escape(cell)}</th>" for cell in sheet.head)
    rows = "\n".join(f"<tr>{''.join(f'<td>{_figure(cell)}</td>' for cell in row)}</tr>" for row in sheet.rows)
    return f"<h2>{escape(sheet.title)}</h2>\n<table class=figures>\n<tr>{head}</tr>\n{rows}\n</table>"


def _figure(cell: str) -> str:
    """The text of a cell; an interval stands below its value, so that tables are not wide."""
    parts = re.fullmatch(r"(\S+) \((\S+ to \S+)\)( \w+)?", cell)
    if parts is None:
        return escape(cell)
    return f"{parts[1]}{parts[3] or ''}<small>{parts[2]}</small>"


def _section(shown: Shown, drawn: Drawn, systems: dict[str, Summary]) -> str:
    names = [name for name in _BESIDE if any(name in clip.figures for clip in shown.clips)]
    head = "".join(f"<th>{escape(meaning(name).title)}</th>" for name in names)
    rows = "\n".join(_clip(clip, names, systems[clip.system]) for clip in shown.clips)
    parts = [
        f'<section id="{escape(shown.sentence)}">\n<h2>{_heading(shown)}</h2>',
        f"<table class=clips>\n<tr><th>clip</th><th></th><th>heard</th>{head}</tr>\n{rows}\n</table>",
    ]
    if shown.sentence in drawn.mels:
        parts.append(f'<img loading="lazy" src="{PICTURES}/{drawn.mels[shown.sentence]}" alt="mel spectrograms">')
    return "\n".join([*parts, "</section>"])


def _heading(shown: Shown) -> str:
    """The text that is said; for the clip of a voice, the name of the speaker."""
    if shown.text:
        return escape(shown.text)
    voice = shown.clips[0].voice if shown.clips else shown.sentence
    return (
        f"The clip of the voice: {escape(voice)} <span class=quiet>(no text is given, so no words are counted)</span>"
    )


def _clip(clip: Clip, names: list[str], system: Summary) -> str:
    player = f'<audio controls preload="none" src="{AUDIO}/{escape(clip.audio)}"></audio>' if clip.audio else "no sound"
    faults = "".join(f"<br><span class=fault>{escape(fault)}</span>" for fault in clip.faults)
    voice = f"{clip.voice}, seed {clip.seed}" if system.kind in SAMPLED else clip.voice
    who = f"{escape(system.title)}<br><span class=quiet>{escape(voice)}</span>{faults}"
    cells = "".join(f"<td>{_value(clip, name)}</td>" for name in names)
    return f"<tr><td>{who}</td><td>{player}</td><td>{escape(clip.heard)}</td>{cells}</tr>"


def _value(clip: Clip, name: str) -> str:
    value = clip.figures[name].value if name in clip.figures else None
    return "" if value is None else f"{value:.{meaning(name).decimals}f}"
