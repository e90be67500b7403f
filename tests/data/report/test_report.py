import base64
import csv
import io
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile as sf

from triforce_tts.data.common.segments import Failure, Recording, Segment, Wave, as_row
from triforce_tts.data.report.page import clock
from triforce_tts.data.report.report import ReportConfig, write_report
from triforce_tts.data.report.tally import RecordingRows, Step, check_cover
from triforce_tts.errors import AudioError, TriforceError

RATE = 16000
EVIL = '<script>alert("&")</script>'


def segment(start_s: float, end_s: float, reason: str = "", text: str = "", **scores: float) -> Segment:
    return Segment(start_s, end_s, reason, "3.1" if reason else "", "0", text, scores)


def recording(*segments: Segment, name: str = "a", **about: Any) -> RecordingRows:
    known = {"path": f"/in/{name}.mp3", "collection": "talks", "license": "CC0-1.0", **about}
    return RecordingRows(Recording(name, **known), segments[-1].end_s, [as_row(s) for s in segments])


def simple() -> list[RecordingRows]:
    return [
        recording(segment(0, 4, text="hello there", snr_db=30.0), segment(4, 5, "no speech")),
        recording(segment(0, 2, "noisy", snr_db=5.0, dnsmos=2.0), segment(2, 3, text="ah"), name="b", license="other"),
    ]


def read(source_id: str, stretches: Sequence[tuple[float, float]]) -> tuple[list[Wave], int]:
    return [np.sin(np.arange(round((end - start) * RATE)) * 0.1).astype(np.float32) for start, end in stretches], RATE


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


class Page(HTMLParser):
    """The elements of a page and its visible text; every element that is opened must be closed."""

    VOID = ("meta", "br", "hr", "img", "input", "link")

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text, self.open = "", list[str]()
        self.source = path.read_text(encoding="utf-8")
        self.feed(self.source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def count(self, tag: str) -> int:
        return sum(name == tag for name, _ in self.elements)


def test_tables_have_a_row_for_each_segment_and_source(tmp_path: Path) -> None:
    write_report(tmp_path, simple(), [Failure("c.mp3", "damaged")])
    rows = table(tmp_path / "segments.csv")
    assert [list(row.values()) for row in rows] == [
        # source, start, end, seconds, speaker, outcome, value, dnsmos, snr_db, text
        ["a", "0.0000", "4.0000", "4.0000", "0", "kept", "", "", "30", "hello there"],
        ["a", "4.0000", "5.0000", "1.0000", "0", "no speech", "3.1", "", "", ""],
        ["b", "0.0000", "2.0000", "2.0000", "0", "noisy", "3.1", "2", "5", ""],
        ["b", "2.0000", "3.0000", "1.0000", "0", "kept", "", "", "", "ah"],
    ]
    assert list(rows[0])[-3:] == ["dnsmos", "snr_db", "text"]
    sources = table(tmp_path / "sources.csv")
    assert [(row["source"], row["outcome"], row["seconds"], row["kept_s"]) for row in sources] == [
        ("a", "read", "5.0", "4.0"),
        ("b", "read", "3.0", "1.0"),
        ("c.mp3", "damaged", "0", "0"),
    ]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["index.html", "segments.csv", "sources.csv"]


def test_what_could_not_be_decoded_is_in_the_table_and_on_the_page(tmp_path: Path) -> None:
    whole = recording(segment(0, 4))
    write_report(tmp_path, [replace(whole, faults=["2 places", "1.50 s are missing"])], [Failure("c.mp3", "empty")])
    assert [row["faults"] for row in table(tmp_path / "sources.csv")] == ["2 places; 1.50 s are missing", ""]
    assert "2 places; 1.50 s are missing" in Page(tmp_path / "index.html").text


def test_a_text_with_commas_lines_and_bad_unicode_comes_back(tmp_path: Path) -> None:
    text = 'one, "two"\nthree; Ça \udcff'
    write_report(tmp_path, [recording(segment(0, 1, text=text, snr_db=20.0), segment(1, 2, snr_db=math.nan))])
    rows = table(tmp_path / "segments.csv")
    assert rows[0]["text"] == text.replace("\udcff", "\\udcff")
    assert rows[1]["snr_db"] == ""


@pytest.mark.parametrize(
    "text",
    ["=1+1", '=HYPERLINK("http://x.org","a, b")', "+1-2", "-1*2", "- No.", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1+1", "＋1",
     "－1", "＠A1", "-5%", "-1 dB+A1", "-٣"],
)  # fmt: skip
def test_a_text_is_no_formula_in_a_spreadsheet(tmp_path: Path, text: str) -> None:
    bad = segment(0, 1, text, text)
    bad.value = bad.speaker = text
    about = {"path": text, "collection": text, "license": text, "title": text, "url": text}
    write_report(tmp_path, [recording(bad, name=text, **about)], [Failure(text, text)])
    (row,) = table(tmp_path / "segments.csv")
    assert {row[name] for name in ("source", "speaker", "outcome", "value", "text")} == {f"'{text}"}
    source, failure = table(tmp_path / "sources.csv")
    assert {source[name] for name in ("source", *about)} == {f"'{text}"}
    assert {failure["source"], failure["outcome"]} == {f"'{text}"}
    assert f"'{text}" not in Page(tmp_path / "index.html").text  # a browser does not run formulas


@pytest.mark.parametrize("text", ["", "-35.2 dB", "-3", "+0.5", "a=b", "1-2", "'=", "“=”", " =1"])
def test_other_text_stays_as_it_is(tmp_path: Path, text: str) -> None:
    item = segment(0, 1, "noise", text, level_dbfs=-23.456, change=-1e-7)
    item.value = text
    write_report(tmp_path, [recording(item, title=text)])
    (row,) = table(tmp_path / "segments.csv")
    assert (row["value"], row["text"]) == (text, text)
    assert (row["level_dbfs"], row["change"]) == ("-23.456", "-1e-07")
    assert table(tmp_path / "sources.csv")[0]["title"] == text


def test_every_second_is_accounted_for(tmp_path: Path) -> None:
    tally = write_report(tmp_path, simple())
    assert tally.recorded_s == 8.0
    assert dict(tally.outcome_s) == {"kept": 5.0, "no speech": 1.0, "noisy": 2.0}
    assert tally.outcomes() == ["kept", "noisy", "no speech"]
    assert math.fsum(tally.outcome_s.values()) == tally.recorded_s
    assert {key: (s.total_s, s.kept_s) for key, s in tally.licenses.items()} == {
        ("CC0-1.0", "talks"): (5.0, 4.0),
        ("other", "talks"): (3.0, 1.0),
    }
    pace = tally.spreads["characters a second"].kept.counts
    assert dict(pace) == {2.75: 1, 2.0: 1}


@pytest.mark.parametrize(
    ("segments", "match"),
    [
        ([segment(0, 1), segment(1.002, 3)], r"a: 1.000 to 1.002 s of 3.000 s are nowhere"),
        ([segment(0, 1), segment(0.5, 3)], r"a: 0.500 to 1.000 s of 3.000 s are in two segments"),
        ([segment(0.1, 3)], r"a: 0.000 to 0.100 s of 3.000 s are nowhere"),
        ([segment(0, 2.99)], r"a: 2.990 to 3.000 s of 3.000 s are nowhere"),
        ([segment(0, 3.1)], r"a: 3.000 to 3.100 s of 3.000 s are past the end of the recording"),
        ([segment(0, 2), segment(2, 1.5)], r"a segment from 2 to 1.5 s"),
        ([segment(0, math.nan)], r"a segment from 0 to nan s"),
        ([], r"a: 0.000 to 3.000 s of 3.000 s are nowhere"),
        # The seconds that are there twice are as many as those that are missing, so the sum alone would not show the
        # fault.
        ([segment(0, 1.5), segment(1, 2.5)], r"a: 1.000 to 1.500 s of 3.000 s are in two segments"),
    ],
)
def test_a_second_lost_or_counted_twice_stops_the_report(tmp_path: Path, segments: list[Segment], match: str) -> None:
    item = RecordingRows(recording(segment(0, 3)).recording, 3.0, [as_row(s) for s in segments])
    with pytest.raises(TriforceError, match=match):
        write_report(tmp_path, [item])
    assert not list(tmp_path.iterdir())


def test_order_and_a_millisecond_do_not_matter() -> None:
    check_cover(recording(segment(1.0009, 3.0), segment(0.0, 1.0), segment(3.0, 4.0)))


def test_the_page_is_whole_and_asks_for_nothing(tmp_path: Path) -> None:
    write_report(tmp_path, simple(), [Failure("c.mp3", "damaged")], [Step("cut", 8, 1, 2)], read)
    page = Page(tmp_path / "index.html")
    assert page.open == []
    assert page.count("script") == 1
    for tag, attributes in page.elements:
        for name in ("src", "href", "action", "data"):
            assert (attributes.get(name) or "data:").startswith("data:"), tag
        assert not any(name.startswith("on") for name in attributes), tag
    assert "url(" not in page.source and "@import" not in page.source
    for words in ("0:00:08.0", "0:00:05.0 (62.5 %)", "damaged", "4.0", "no speech"):
        assert words in page.text
    # The part of the waterfall that each outcome takes, in thousandths.
    bars = [(a["class"], a["x"], a["width"]) for t, a in page.elements if t == "rect" and a.get("y") == "2"]
    assert bars == [("all", "0.0", "1000.0"), ("dropped", "750.0", "250.0"), ("dropped", "625.0", "125.0"),
                    ("kept", "0.0", "625.0")]  # fmt: skip


def test_the_script_may_run_and_no_other(tmp_path: Path) -> None:
    import hashlib

    write_report(tmp_path, simple())
    source = (tmp_path / "index.html").read_text()
    script = re.findall(r"<script>(.*?)</script>", source, re.DOTALL)
    allowed = re.findall(r"script-src 'sha256-([^']+)'", source)
    assert allowed == [base64.b64encode(hashlib.sha256(script[0].encode()).digest()).decode()]


@pytest.mark.parametrize("url", ["javascript:alert(1)", f"data:text/html,{EVIL}", "http://[broken", None])
def test_what_comes_from_outside_is_harmless(tmp_path: Path, url: str | None) -> None:
    bad = segment(0, 2, EVIL, f"{EVIL}\x00\x1b\udcff", **{EVIL: 1.0})
    bad.value, bad.speaker = EVIL, EVIL
    kept = segment(2, 4, text=EVIL)
    kept.speaker = EVIL
    item = recording(bad, kept, title=EVIL, url=url, collection=EVIL, license=EVIL, name=EVIL)
    write_report(tmp_path, [item], [Failure(EVIL, EVIL)], [Step(EVIL, 1, 1, 1)], read)
    page = Page(tmp_path / "index.html")
    assert page.count("script") == 1
    assert page.count("a") == 0
    assert page.open == []
    assert page.text.count(EVIL) > 12
    assert "\x00" not in page.source and "\x1b" not in page.source
    if url:
        assert url not in page.source


def test_a_web_address_is_a_link(tmp_path: Path) -> None:
    url = 'https://example.org/?a=1&b="'
    write_report(tmp_path, [recording(segment(0, 1), url=url, title="T")])
    links = [attributes for tag, attributes in Page(tmp_path / "index.html").elements if tag == "a"]
    assert links == [{"href": url, "rel": "noopener noreferrer"}]


def sounds(path: Path) -> list[bytes]:
    source = [a["src"] or "" for tag, a in Page(path).elements if tag == "audio"]
    return [base64.b64decode(s.removeprefix("data:audio/ogg;base64,")) for s in source]


def test_examples_can_be_heard_and_seen(tmp_path: Path) -> None:
    items = [recording(segment(0, 2, text="short"), segment(2, 22, "too long"))]
    write_report(tmp_path, items, read=read, config=ReportConfig(max_example_s=3))
    heard = [sf.read(io.BytesIO(data)) for data in sounds(tmp_path / "index.html")]
    assert [(rate, round(len(samples) / rate, 3)) for samples, rate in heard] == [(RATE, 2.0), (RATE, 3.0)]
    (tone,), _ = read("a", [(0, 2)])
    middle = slice(RATE // 2, RATE)
    assert np.corrcoef(heard[0][0][middle], tone[middle])[0, 1] > 0.99
    page = Page(tmp_path / "index.html")
    paths = [attributes["d"] or "" for tag, attributes in page.elements if tag == "path"]
    assert len(paths) == 2
    heights = [float(y) for y in re.findall(r"[ML]\d+ ([-\d.]+)", paths[0])]
    assert min(heights) == pytest.approx(0.7, abs=0.1) and max(heights) == pytest.approx(59.3, abs=0.1)
    assert "the first 3 s of 20.0 s" in page.text


def test_examples_are_few_fair_and_always_the_same(tmp_path: Path) -> None:
    def many() -> Iterator[RecordingRows]:
        for number in range(20):
            parts = [segment(k, k + 1, "" if k % 2 else "noisy", text=f"say {number} {k}") for k in range(10)]
            yield recording(*parts, name=f"s{number:02d}")

    write_report(tmp_path / "one", many(), config=ReportConfig(examples=8))
    write_report(tmp_path / "two", many(), config=ReportConfig(examples=8))
    page = Page(tmp_path / "one" / "index.html")
    assert page.source == (tmp_path / "two" / "index.html").read_text()
    assert page.count("blockquote") == 16
    chosen = re.findall(r"<blockquote[^>]*>say (\d+) (\d)<", page.source)
    # the examples come from many of the 20 recordings and not only from the first ones
    assert len({number for number, _ in chosen}) > 6
    assert {int(k) % 2 for _, k in chosen[:8]} == {1}
    # One more recording changes few of the examples.
    write_report(tmp_path / "more", [*many(), recording(segment(0, 1, text="say 9 9"), name="z")],
                 config=ReportConfig(examples=8))  # fmt: skip
    again = re.findall(r"<blockquote[^>]*>say (\d+) (\d)<", Page(tmp_path / "more" / "index.html").source)
    assert len(set(again) & set(chosen)) >= 15
    write_report(tmp_path / "none", many(), read=read, config=ReportConfig(examples=0))
    assert Page(tmp_path / "none" / "index.html").count("blockquote") == 0


def test_sound_that_cannot_be_read_is_said_so(tmp_path: Path) -> None:
    def broken(source_id: str, stretches: Sequence[tuple[float, float]]) -> tuple[list[Wave], int]:
        if source_id == "a":
            raise AudioError("a.mp3: the audio is damaged")
        raise FileNotFoundError("gone")

    write_report(tmp_path, simple(), read=broken)
    page = Page(tmp_path / "index.html")
    assert page.count("audio") == 0
    assert page.text.count("its sound cannot be read: a.mp3: the audio is damaged") == 2
    assert page.text.count("its sound cannot be read: gone") == 2


def test_the_page_stays_small(tmp_path: Path) -> None:
    items = [recording(*(segment(k, k + 1) for k in range(20)))]
    config = ReportConfig(examples=20, max_sound_mb=0.02)
    write_report(tmp_path, items, read=read, config=config)
    found = sounds(tmp_path / "index.html")
    assert 0 < len(found) < 20
    assert sum(map(len, found)) <= 20_000
    assert "its sound is left out" in Page(tmp_path / "index.html").text


def test_the_sound_of_an_example_is_small_and_repeatable(tmp_path: Path) -> None:
    noise = 0.1 * np.random.default_rng(0).standard_normal(22050 * 4).astype(np.float32)
    made = []
    for name in ("one", "two"):
        write_report(tmp_path / name, [recording(segment(0, 4))], read=lambda *_: ([noise], 22050))
        made += sounds(tmp_path / name / "index.html")
    data, again = made
    assert data == again
    assert 0 < len(data) < 4 * 32000 / 8 * 1.3
    samples, rate = sf.read(io.BytesIO(data))
    assert (rate, len(samples)) == (24000, 4 * 24000)


def test_a_stretch_without_samples_has_no_sound(tmp_path: Path) -> None:
    write_report(tmp_path, [recording(segment(0, 0, "too short", "ah"), segment(0, 2))], read=read)
    assert Page(tmp_path / "index.html").count("blockquote") == 1
    assert len(sounds(tmp_path / "index.html")) == 1  # the sound of the other example


def test_nothing_at_all_is_a_page_too(tmp_path: Path) -> None:
    tally = write_report(tmp_path, [], read=read)
    assert tally.recorded_s == 0
    assert Page(tmp_path / "index.html").open == []


def test_speeds() -> None:
    assert Step("cut", 100, 5, 4).times_real_time == 25
    assert Step("cut", 100, 5, 0).times_real_time is None


@pytest.mark.parametrize(
    ("length_s", "expected"), [(0, "0:00:00.0"), (59.96, "0:01:00.0"), (3723.4, "1:02:03.4"), (360000, "100:00:00.0")]
)
def test_clock(length_s: float, expected: str) -> None:
    assert clock(length_s) == expected
