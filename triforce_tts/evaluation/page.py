"""The report as one page, ``index.html``, that needs no network: tables, pictures, and a player for each clip."""

from html import escape
from pathlib import Path

from triforce_tts.evaluation.figures import FIGURES, meaning, ordered
from triforce_tts.evaluation.order import Shown, worst_first
from triforce_tts.evaluation.pictures import Drawn
from triforce_tts.evaluation.report import AUDIO, PICTURES, Clip, Report
from triforce_tts.evaluation.table import Sheet, remarks, sheets
from triforce_tts.files import write_text

PAGE = "index.html"
_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2em auto; max-width: 72em; padding: 0 1em; color: #222; }
table { border-collapse: collapse; margin: .6em 0 1.4em; display: block; overflow-x: auto; }
th, td { border-bottom: 1px solid #ddd; padding: .25em .7em; text-align: left; vertical-align: top; }
td + td, th + th { font-variant-numeric: tabular-nums; }
section { border-top: 2px solid #bbb; margin-top: 1.6em; }
h2 { font-size: 1.1em; margin: .8em 0 .3em; }
img { max-width: 100%; }
audio { width: 15em; height: 2.2em; }
.fault { color: #a00; } .quiet { color: #666; }
"""


def write(folder: Path, report: Report, drawn: Drawn) -> None:
    """Write the page into the report's ``folder``, where the clips and the pictures lie."""
    title = escape(f"Evaluation of {' and '.join(model.label for model in report.models)}")
    parts = [
        f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>{title}</title>\n<style>{_STYLE}</style>',
        f"<h1>{title}</h1>\n<p>{escape(remarks(report))}</p>",
        *map(_table, sheets(report)),
    ]
    if drawn.matrix:
        parts.append(f'<p>Who sounds like whom:</p>\n<img src="{PICTURES}/{drawn.matrix}" alt="similarity of voices">')
    parts.append("<h1>Sentences, the worst first</h1>")
    parts += [_section(shown, drawn) for shown in worst_first(report)]
    write_text(folder / PAGE, "\n".join(parts) + "\n</html>\n")


def _table(sheet: Sheet) -> str:
    head = "".join(f"<th>{escape(cell)}</th>" for cell in sheet.head)
    rows = "\n".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in sheet.rows)
    return f"<h2>{escape(sheet.title)}</h2>\n<table>\n<tr>{head}</tr>\n{rows}\n</table>"


def _section(shown: Shown, drawn: Drawn) -> str:
    text = escape(shown.text) or f"{escape(shown.sentence)} <span class=quiet>(its text is not known)</span>"
    names = ordered({name for clip in shown.clips for name in clip.figures if name in FIGURES})
    head = "".join(f"<th>{escape(meaning(name).title)}</th>" for name in names)
    rows = "\n".join(_clip(clip, names) for clip in shown.clips)
    parts = [
        f'<section id="{escape(shown.sentence)}">\n<h2>{text}</h2>',
        f"<table>\n<tr><th>clip</th><th></th><th>heard</th>{head}</tr>\n{rows}\n</table>",
    ]
    if shown.sentence in drawn.mels:
        parts.append(f'<img loading="lazy" src="{PICTURES}/{drawn.mels[shown.sentence]}" alt="mel spectrograms">')
    return "\n".join([*parts, "</section>"])


def _clip(clip: Clip, names: list[str]) -> str:
    player = f'<audio controls preload="none" src="{AUDIO}/{escape(clip.audio)}"></audio>' if clip.audio else "no sound"
    faults = "".join(f"<br><span class=fault>{escape(fault)}</span>" for fault in clip.faults)
    who = f"{escape(clip.system)}<br><span class=quiet>{escape(clip.voice)}, seed {clip.seed}</span>{faults}"
    cells = "".join(f"<td>{_value(clip, name)}</td>" for name in names)
    return f"<tr><td>{who}</td><td>{player}</td><td>{escape(clip.heard)}</td>{cells}</tr>"


def _value(clip: Clip, name: str) -> str:
    value = clip.figures[name].value if name in clip.figures else None
    return "" if value is None else f"{value:.{meaning(name).decimals}f}"
