"""The page of a build's report: one HTML file that holds its pictures and sounds and loads nothing from the network.

Titles, texts, names and addresses come from strangers. So all of them pass through ``_text``, and the page's policy
forbids every script except its own three lines.
"""

import base64
import hashlib
import html
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np

from triforce_tts.files import atomic_path

from ..common.segments import UNKNOWN, Failure, Recording, Wave
from .distribution import Distribution
from .tally import KEPT, Row, Spread, Step, Tally, seconds

ROWS = 20  # the most rows in the tables of speakers and licences
FAILURES = 1000  # the most failures that the page lists; sources.csv lists all
BINS = 30  # bars in a histogram
COLUMNS = 240  # columns in the picture of a waveform
# A histogram goes from the first of these quantiles to the second, so that one odd value does not flatten it.
EDGES = (0.005, 0.995)


@dataclass
class Example:
    """A segment to look at and to hear; without ``opus`` it cannot be heard."""

    outcome: str
    recording: Recording
    row: Row
    samples: Wave = field(default_factory=lambda: np.zeros(0, np.float32))  # [n]
    opus: bytes = b""
    note: str = ""


def write_page(
    path: Path, tally: Tally, failures: Sequence[Failure], steps: Sequence[Step], examples: Iterable[Example]
) -> None:
    """Write the page; ``examples`` come in the order of their outcomes, one at a time.

    Raises:
        TriforceError: the disk is full.
    """
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8", errors="replace") as file:
        for piece in _page(tally, failures, steps, examples):
            file.write(piece)


def _page(
    tally: Tally, failures: Sequence[Failure], steps: Sequence[Step], examples: Iterable[Example]
) -> Iterator[str]:
    checksum = base64.b64encode(hashlib.sha256(_SCRIPT.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'unsafe-inline'; media-src data:; script-src 'sha256-{checksum}'"
    yield (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>What became of the recordings</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n"
    )
    yield _totals(tally, failures)
    yield _waterfall(tally)
    yield _histograms(tally)
    yield _speakers(tally)
    yield _licenses(tally)
    yield _steps(steps)
    yield _failures("Sources that failed", "reason", failures)
    yield _failures("Damaged recordings, of which a part was read", "what is missing", tally.damaged)
    yield from _examples(examples)
    yield f"</main>\n<script>{_SCRIPT}</script>\n</body>\n</html>\n"


# --- parts -----------------------------------------------------------------------------------------------------


def _totals(tally: Tally, failures: Sequence[Failure]) -> str:
    heard = sum(speaker != ("", UNKNOWN) and share.kept_s > 0 for speaker, share in tally.speakers.items())
    facts = [
        ("recordings", f"{tally.recordings:,}"),
        ("recorded", clock(tally.recorded_s)),
        ("kept", f"{clock(tally.kept_s)} ({_percent(tally.kept_s, tally.recorded_s)})"),
        ("segments kept", f"{tally.segments[KEPT]:,} of {tally.segments.total():,}"),
        ("speakers kept", f"{heard:,}"),
        ("sources that failed", f"{len(failures):,}"),
    ]
    cards = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in facts)
    return (
        "<h1>What became of the recordings</h1>\n"
        '<p class="quiet">Times are hours:minutes:seconds of sound. The same in tables: '
        "segments.csv has every segment, sources.csv every source.</p>\n"
        f'<dl class="cards">{cards}</dl>\n'
    )


def _waterfall(tally: Tally) -> str:
    """A table with bars: each reason takes its share off the right end, and the kept share remains."""
    rows = [["all", f"{tally.segments.total():,}", clock(tally.recorded_s), _percent(1, 1), _bar(0, 1, "all")]]
    left = 1.0
    whole = tally.recorded_s or 1.0
    for result in [*tally.outcomes()[1:], KEPT]:
        length = tally.outcome_s.get(result, 0.0)
        share = length / whole
        start, kind = (0.0, "kept") if result == KEPT else (left - share, "dropped")
        left -= 0.0 if result == KEPT else share
        rows.append([_text(result), f"{tally.segments[result]:,}", clock(length), _percent(length, whole),
                     _bar(start, share, kind)])  # fmt: skip
    return _table("Where every second went", ("outcome", "segments", "time", "share", "of the whole"), rows)


def _bar(start: float, share: float, kind: str) -> str:
    return (
        '<svg class="bar" viewBox="0 0 1000 20" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect class="{kind}" x="{1000 * start:.1f}" y="2" width="{max(1000 * share, 1):.1f}" height="16"/></svg>'
    )


def _histograms(tally: Tally) -> str:
    spreads = tally.spreads
    shown = [_histogram(name, spreads[name]) for name in sorted(spreads, key=lambda name: (" " not in name, name))]
    key = '<p class="quiet"><span class="key kept"></span> kept <span class="key dropped"></span> dropped, in segments</p>'
    return f'<h2>What was measured</h2>\n{key}\n<div class="grid">{"".join(shown)}</div>\n'


def _histogram(name: str, spread: Spread) -> str:
    """A histogram in which the bars of dropped segments stand on those of kept segments."""
    both = Distribution()
    both.counts = spread.kept.counts + spread.dropped.counts
    if not len(both):
        return ""
    low, high = both.quantiles(EDGES)
    if low == high:
        low, high = low - 0.5, high + 0.5
    kept, dropped = (part.binned(low, high, BINS) for part in (spread.kept, spread.dropped))
    tallest = max(map(sum, zip(kept, dropped, strict=True)))
    width, bars = 300 / BINS, []
    for place, counts in enumerate(zip(kept, dropped, strict=True)):
        top = 100.0
        for kind, count in zip(("kept", "dropped"), counts, strict=True):
            height = 96 * count / tallest
            top -= height
            if count:
                bars.append(f'<rect class="{kind}" x="{place * width:.1f}" y="{top:.2f}" width="{width - 1:.1f}" '
                            f'height="{height:.2f}"/>')  # fmt: skip
    quartiles = [
        f"{kind}: median {_short(median)}, middle half {_short(lower)} to {_short(upper)}"
        for kind, part in (("kept", spread.kept), ("dropped", spread.dropped))
        if len(part)
        for lower, median, upper in [part.quantiles([0.25, 0.5, 0.75])]
    ]
    axis = "".join(
        f'<text x="{x}" y="116" text-anchor="{anchor}">{_short(value)}</text>'
        for x, anchor, value in ((0, "start", low), (150, "middle", (low + high) / 2), (300, "end", high))
    )
    label = _text(f"Histogram of {name}; {'; '.join(quartiles)}")
    return (
        f'<figure><figcaption>{_text(name)}</figcaption><svg viewBox="0 0 300 120" role="img" aria-label="{label}">'
        f'{"".join(bars)}<line class="axis" x1="0" x2="300" y1="100.5" y2="100.5"/>{axis}</svg>'
        f'<p class="quiet">{"<br>".join(quartiles)}</p></figure>\n'
    )


def _speakers(tally: Tally) -> str:
    speakers = {speaker: share for speaker, share in tally.speakers.items() if share.kept_s > 0}
    most = sorted(speakers.items(), key=lambda item: (-item[1].kept_s, item[0]))
    rows = [[_text(f"{recording_id} {name}".strip()), clock(share.kept_s), _percent(share.kept_s, tally.kept_s)]
            for (recording_id, name), share in most[:ROWS]]  # fmt: skip
    return _table("Speakers", ("speaker", "kept", "of all that is kept"), rows, len(most) - ROWS)


def _licenses(tally: Tally) -> str:
    most = sorted(tally.licenses.items(), key=lambda item: (-item[1].kept_s, item[0]))
    rows = [[_text(license_), _text(collection), clock(share.total_s), clock(share.kept_s)]
            for (license_, collection), share in most[:ROWS]]  # fmt: skip
    return _table("Licences", ("licence", "collection", "recorded", "kept"), rows, len(most) - ROWS)


def _steps(steps: Sequence[Step]) -> str:
    rows = []
    for step in steps:
        speed = step.times_real_time
        rows.append([_text(step.name), clock(step.seconds_in), clock(step.seconds_dropped),
                     _percent(step.seconds_dropped, step.seconds_in), clock(step.wall_s),
                     "not measured" if speed is None else f"{speed:,.1f}"])  # fmt: skip
    return _table("Steps", ("step", "sound in", "dropped", "share", "work", "times real time"), rows)


def _failures(title: str, head: str, failures: Sequence[Failure]) -> str:
    rows = [[_text(failure.name), _text(failure.reason)] for failure in failures[:FAILURES]]
    return _table(title, ("source", head), rows, len(failures) - FAILURES)


def _examples(examples: Iterable[Example]) -> Iterator[str]:
    yield "<h2>Examples</h2>\n"
    before = None
    for example in examples:
        if example.outcome != before:
            yield f'{"</div>" if before is not None else ""}<h3>{_text(example.outcome)}</h3>\n<div class="grid">'
            before = example.outcome
        yield _example(example)
    yield "</div>\n" if before is not None else '<p class="quiet">None.</p>\n'


def _example(example: Example) -> str:
    row, recording = example.row, example.recording
    start, end = row["start_s"], row["end_s"]
    name = _text(recording.title or recording.id)
    place = f"{clock(start)} to {clock(end)}"
    parts = [f'<figcaption dir="auto">{_link(recording.url, name)}<br><span class="quiet">{place}</span></figcaption>']
    if len(example.samples):
        parts.append(f'<svg class="wave" viewBox="0 0 {COLUMNS} 60" preserveAspectRatio="none" role="img" '
                     f'aria-label="Waveform, {seconds(row):.1f} s"><path d="{_wave(example.samples)}"/></svg>')  # fmt: skip
    if example.opus:
        sound = base64.b64encode(example.opus).decode()
        parts.append(f'<audio controls preload="none" aria-label="{name}, {place}" '
                     f'src="data:audio/ogg;base64,{sound}"></audio>')  # fmt: skip
    if row["text"]:
        parts.append(f'<blockquote dir="auto">{_text(row["text"])}</blockquote>')
    facts = (
        {"dropped for": f"{row['reason']} ({row['value']})" if row["value"] else row["reason"]} if row["reason"] else {}
    )
    facts |= {"speaker": row["speaker"]} | {name: f"{value:.4g}" for name, value in sorted(row["scores"].items())}
    parts.append("<dl>" + "".join(f"<dt>{_text(k)}</dt><dd>{_text(v)}</dd>" for k, v in facts.items()) + "</dl>")
    if example.note:
        parts.append(f'<p class="quiet">{_text(example.note)}</p>')
    return f"<figure>{''.join(parts)}</figure>\n"


def _wave(samples: Wave) -> str:
    """The outline of a waveform as an SVG path.

    It goes through the highest and the lowest sample of each column, scaled to the peak.
    """
    edges = np.linspace(0, len(samples), min(COLUMNS, len(samples)), endpoint=False).astype(int)
    scale = 29 / max(float(np.abs(samples).max()), 1e-9)
    top = 30 - np.maximum.reduceat(samples, edges) * scale
    bottom = 30 - np.minimum.reduceat(samples, edges) * scale
    x = np.linspace(0, COLUMNS, len(edges))
    points = [*zip(x, top - 0.3, strict=True), *zip(x[::-1], bottom[::-1] + 0.3, strict=True)]
    return "M" + "L".join(f"{a:.0f} {b:.1f}" for a, b in points) + "Z"


# --- pieces ----------------------------------------------------------------------------------------------------


def clock(length_s: float) -> str:
    """Seconds as hours:minutes:seconds with tenths, such as 1:02:03.4."""
    tenths = round(length_s * 10)
    return f"{tenths // 36000}:{tenths // 600 % 60:02d}:{tenths // 10 % 60:02d}.{tenths % 10}"


def _short(value: float) -> str:
    """A number with three significant digits; numbers of common sizes have no exponent."""
    return f"{float(f'{value:.3g}'):g}"


def _percent(part: float, whole: float) -> str:
    return f"{100 * part / whole:.1f} %" if whole > 0 else "0.0 %"


def _text(value: str) -> str:
    """``value`` with HTML's special characters escaped; control characters, which HTML forbids, are replaced."""
    return html.escape("".join("\N{REPLACEMENT CHARACTER}" if c < " " and c not in "\n\t" else c for c in value))


def _link(url: str | None, name: str) -> str:
    """``name``, which must be escaped already, as a link if ``url`` is an address of the web."""
    try:
        is_web = url is not None and urlsplit(url).scheme in ("http", "https")
    except ValueError:
        is_web = False
    return f'<a href="{_text(url or "")}" rel="noopener noreferrer">{name}</a>' if is_web else name


def _table(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]], more: int = 0) -> str:
    """A table of ready HTML cells; the first cell of a row is its head."""
    if not rows:
        return f'<h2>{title}</h2>\n<p class="quiet">None.</p>\n'
    head = "".join(f'<th scope="col">{name}</th>' for name in heads)
    body = "".join(
        f'<tr><th scope="row" dir="auto">{first}</th>{"".join(f"<td>{cell}</td>" for cell in cells)}</tr>\n'
        for first, *cells in rows
    )
    rest = f'<p class="quiet">and {more:,} more</p>\n' if more > 0 else ""
    return (
        f'<h2>{title}</h2>\n<div class="scroll"><table><thead><tr>{head}</tr></thead>\n'
        f"<tbody>{body}</tbody></table></div>\n{rest}"
    )


# When one sound starts to play, the script pauses the others.
_SCRIPT = (
    "document.addEventListener('play',e=>{"
    "for(const a of document.querySelectorAll('audio'))if(a!==e.target)a.pause()},true)"
)

_STYLE = """
:root{color-scheme:light dark;--back:#fbfbf9;--card:#fff;--ink:#22262b;--quiet:#61686f;--line:#dfe1e0;--kept:#2f7d6d;
--dropped:#c9925b;--all:#8b939b}
@media(prefers-color-scheme:dark){:root{--back:#16191c;--card:#1e2226;--ink:#e4e6e7;--quiet:#9aa2a9;--line:#343a40;
--kept:#5cb5a0;--dropped:#c58f5c;--all:#767e86}}
*{box-sizing:border-box}
body{margin:0;background:var(--back);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
main{max-width:66rem;margin:0 auto;padding:2rem 1.25rem 4rem}
h1{font-size:1.7rem;margin:0 0 .25rem}h2{font-size:1.2rem;margin:2.75rem 0 .75rem}h3{font-size:1rem;margin:1.5rem 0 .5rem}
a{color:inherit}.quiet{color:var(--quiet);font-size:.85rem;margin:.25rem 0}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(9.5rem,1fr));gap:.75rem;margin:1.5rem 0 0}
.cards div,figure{background:var(--card);border:1px solid var(--line);border-radius:.5rem;padding:.75rem .9rem;margin:0}
.cards dt{color:var(--quiet);font-size:.85rem}.cards dd{margin:0;font-size:1.1rem;font-variant-numeric:tabular-nums}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{padding:.4rem .75rem .4rem 0;border-bottom:1px solid var(--line);text-align:start;vertical-align:top}
thead th{color:var(--quiet);font-size:.85rem;font-weight:500}
tbody th{font-weight:400;overflow-wrap:anywhere;min-width:9rem}td{white-space:nowrap}td:last-child{white-space:normal;overflow-wrap:anywhere}
.grid{display:grid;grid-template-columns:repeat(auto-fill,minmax(18rem,1fr));gap:.75rem;align-items:start}
svg{display:block;width:100%}.bar{height:1.2rem;min-width:12rem}.wave{height:3.75rem;margin:.5rem 0}
rect.kept,.wave path{fill:var(--kept)}rect.dropped{fill:var(--dropped)}rect.all{fill:var(--all)}
.axis{stroke:var(--line)}svg text{fill:var(--quiet);font-size:11px}
.key{display:inline-block;width:.8em;height:.8em;border-radius:.15em}.key.kept{background:var(--kept)}
.key.dropped{background:var(--dropped);margin-inline-start:.75em}
figcaption{overflow-wrap:anywhere;font-size:.95rem}audio{width:100%;height:2.2rem}
blockquote{margin:.5rem 0;overflow-wrap:anywhere}
figure dl{display:grid;grid-template-columns:auto 1fr;gap:0 .75rem;margin:.5rem 0 0;font-size:.85rem}
figure dt{color:var(--quiet)}figure dd{margin:0;overflow-wrap:anywhere}
"""
