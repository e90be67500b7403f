"""What is read in a recording, from the subtitles that lie beside it."""

from pathlib import Path

import pytest

from triforce_tts.books.book import read_book
from triforce_tts.books.subtitles import has_stops, spoken

SRT = """1
00:00:00,000 --> 00:00:03,200
<i>ANNA:</i> It was late, and

2
00:00:03,000 --> 00:00:05,000
{\\an8}nobody came. [door slams]

3
00:00:05,000 --> 00:00:06,000

4
00:00:06,000 --> 00:00:09,500
♪ la la la ♪
- Ben: Who was it?
- Carla: I &amp; Tom don&#39;t know.
5
00:00:09,500 --> 00:00:11,000
(laughter)
Note: this is text.

6
00:00:11,000 --> 00:00:12,000
Ben: In 1999.

7
00:00:12,000 --> 00:00:13,000
Carla: No.

8
00:00:13,000 --> 00:00:14,000
No.
"""
READ = (
    "It was late, and\nnobody came.\nWho was it? I & Tom don't know.\nNote: this is text.\nIn 1999.\nNo.\nNo."
)  # fmt: skip
VTT = """WEBVTT Kind: captions
Language: en

STYLE
::cue { color: red }

NOTE nobody reads this

intro
00:00.000 --> 00:02.000 align:start position:0%
<v Anna>One two three<00:00:01.200><c> four.</c></v>

00:01:02.000 --> 00:01:04.000
One two three four.
Five six.

00:01:04.000 --> 00:01:06.000
Five six.
Seven.
"""


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_times_names_marks_and_notes_are_left_out(end: str) -> None:
    assert spoken(SRT.replace("\n", end)) == READ


def test_captions_that_roll_are_read_once() -> None:
    assert spoken(VTT) == "One two three four.\nFive six.\nFive six. Seven."


@pytest.mark.parametrize(
    ("cues", "words"),
    [
        (
            ["I have a dream today.", "I have a dream today.", "Go on."],
            "I have a dream today.\nI have a dream today.\nGo on.",
        ),
        (["(sighs\nloudly)", "[door\nopens] Come in."], "Come in."),
        (["He (my\nuncle) left.", "-5 degrees.", "- Cold."], "He (my uncle) left.\n-5 degrees.\nCold."),
    ],
)
def test_what_is_said_stays_and_what_is_not_said_goes(cues: list[str], words: str) -> None:
    blocks = [f"{n}\n00:00:0{n},000 --> 00:00:0{n + 1},000\n{cue}\n" for n, cue in enumerate(cues, 1)]
    assert spoken("\n".join(blocks)) == words


def test_an_empty_line_ends_a_cue_of_webvtt_and_none_of_subrip() -> None:
    cues = (
        "1\n{0}00:01,000 --> {0}00:02,000\nIt was\n\nvery late.\n\n\n2\n\n{0}00:03,000 --> {0}00:04,000\nYes.\n\n12\n"
    )
    assert spoken(cues.format("00:")) == "It was very late.\nYes. 12"
    assert spoken("WEBVTT\n\n" + cues.replace(",", ".").format("")) == "It was\nYes."


def test_the_next_cue_may_stand_below_the_end_of_one_with_an_empty_line() -> None:
    assert (
        spoken("1\n00:00:01,000 --> 00:00:02,000\nOne\n\nmore\n2\n00:00:03,000 --> 00:00:04,000\nTwo")
        == "One more\nTwo"
    )
    hidden = "00:01.000 --> 00:02.000\nOne\n\nNOTE hidden\n\nSTYLE\n::cue {a: b}\n\nname\n00:03.000 --> 00:04.000\nTwo"
    assert spoken(hidden) == "One\nTwo"


def test_a_book_may_be_subtitles(tmp_path: Path) -> None:
    path = tmp_path / "x.srt"
    path.write_bytes(SRT.encode("utf-16"))
    book = read_book(path)
    assert book.words[:5] == ["it", "was", "late", "and", "nobody"]
    assert "anna" not in book.words


def test_captions_without_stops_are_told_from_a_transcript() -> None:
    assert has_stops(READ)
    assert not has_stops("so this is what a machine hears " * 30)
