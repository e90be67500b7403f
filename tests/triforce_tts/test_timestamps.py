"""Times of words and sentences, counted by hand."""

import json
import re
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest
import torch

from triforce_tts.errors import ConfigError
from triforce_tts.speech import Spoken, TimedWord, join_lines
from triforce_tts.timestamps import TimedSentence, require_timestamps, timed_sentences, write_timestamps

RATE = 1000


def spoken(source: str, samples: int, pause_s: float, words: tuple[TimedWord, ...] = (), begins: bool = True) -> Spoken:
    return Spoken(
        source.lower(), torch.zeros(samples), torch.zeros(1, 1), True, 1.0, pause_s, source, words=words, begins=begins
    )


LINES = [
    spoken("A cat\n sat.", 900, 0.35, (TimedWord("a", 0.1, 0.2), TimedWord("cat", 0.2, 0.5), TimedWord("sat", 0.6, 0.9))),
    spoken("Why, then? & so", 500, 0.12, (TimedWord("why", 0.0, 0.5),)),
    spoken("Why, then? & so", 250, 0.7, (TimedWord("then", 0.05, 0.25),), begins=False),
    spoken("No.", 0, 0.1, (TimedWord("no", 0.0, 0.0),)),
    spoken("No.", 3_599_000, 0.1),
]  # fmt: skip


def test_sentences_stand_where_their_samples_are() -> None:
    """0.9 s and a pause of 0.35; 0.5, 0.12 within a sentence, 0.25 and 0.7; nothing and 0.1; then the long one."""
    sentences = timed_sentences(LINES, RATE)
    assert [(s.text, round(s.start_s, 3), round(s.end_s, 3)) for s in sentences] == [
        ("A cat sat.", 0.0, 0.9),
        ("Why, then? & so", 1.25, 2.12),
        ("No.", 2.82, 2.82),
        ("No.", 2.92, 3601.92),
    ]
    assert [(w.text, round(w.start_s, 3), round(w.end_s, 3)) for s in sentences for w in s.words] == [
        ("a", 0.1, 0.2), ("cat", 0.2, 0.5), ("sat", 0.6, 0.9), ("why", 1.25, 1.75), ("then", 1.92, 2.12),
        ("no", 2.82, 2.82),
    ]  # fmt: skip


def test_files(tmp_path: Path) -> None:
    sentences = timed_sentences(LINES, RATE)
    write_timestamps(tmp_path / "a.json", sentences)
    content = json.loads((tmp_path / "a.json").read_text())
    assert content["sentences"][1] == {
        "text": "Why, then? & so", "start": 1.25, "end": 2.12,
        "words": [{"word": "why", "start": 1.25, "end": 1.75}, {"word": "then", "start": 1.92, "end": 2.12}],
    }  # fmt: skip
    assert len(content["sentences"]) == 4
    write_timestamps(tmp_path / "a.srt", sentences)
    assert (tmp_path / "a.srt").read_text() == (
        "1\n00:00:00,000 --> 00:00:00,900\nA cat sat.\n\n"
        "2\n00:00:01,250 --> 00:00:02,120\nWhy, then? & so\n\n"
        "3\n00:00:02,920 --> 01:00:01,920\nNo.\n"
    )
    write_timestamps(tmp_path / "a.VTT", sentences)
    assert (tmp_path / "a.VTT").read_text() == (
        "WEBVTT\n\n1\n00:00:00.000 --> 00:00:00.900\nA <00:00:00.200>cat <00:00:00.600>sat.\n\n"
        "2\n00:00:01.250 --> 00:00:02.120\nWhy, <00:00:01.920>then? &amp; so\n\n"
        "3\n00:00:02.920 --> 01:00:01.920\nNo.\n"
    )


@pytest.mark.parametrize(
    ("text", "spoken", "cue"),
    [
        ("a<b c&", ["a<b", "c&"], "a&lt;b <00:00:00.100>c&amp;"),
        ('x, y. "Hi," he said; bye!', ["x", "y", "hi", "he", "said", "bye"],
         'x, <00:00:00.100>y. <00:00:00.200>"Hi," <00:00:00.300>he <00:00:00.400>said; <00:00:00.500>bye!'),
        ("He paid $5, didn’t he?", ["he", "paid", "five", "dollars", "didn't", "he"],
         "He <00:00:00.100>paid $5, <00:00:00.400>didn’t <00:00:00.500>he?"),
        ("The the - the end", ["the", "the", "the", "end"],
         "The <00:00:00.100>the - <00:00:00.200>the <00:00:00.300>end"),
        ("12 15", ["twelve", "fifteen"], "12 15"),
        ("A well-worn path", ["a", "well", "worn", "path"], "A <00:00:00.100>well-worn <00:00:00.300>path"),
    ],
)  # fmt: skip
def test_a_cue_keeps_its_text_and_marks_the_words_that_are_spoken_as_written(
    text: str, spoken: list[str], cue: str, tmp_path: Path
) -> None:
    words = tuple(TimedWord(word, number / 10, number / 10 + 0.1) for number, word in enumerate(spoken))
    assert shown(text, words, tmp_path / "a.vtt") == cue


def shown(text: str, words: tuple[TimedWord, ...], path: Path) -> str:
    write_timestamps(path, [TimedSentence(text, 0.0, 1.0, words)])
    return path.read_text().split("\n", 4 if path.suffix == ".vtt" else 2)[-1].strip()


@pytest.mark.parametrize(
    "text", ["<b>fat</b> & <i>", "a --> b", "{\\an8}up", "{b}c{/b}", "&lt;&#60;&amp;", "<!-- -->", "<?xml?>"]
)
def test_what_looks_like_a_mark_is_shown_as_it_is(text: str, tmp_path: Path) -> None:
    srt, vtt = (shown(text, (), tmp_path / f"a.{suffix}") for suffix in ("srt", "vtt"))
    assert srt.replace("\u200b", "") == text != srt
    assert not re.search(r"</?[a-z!?]|\{[\\a-z/]|&#?\w+;|-->", srt)
    assert unescape(vtt) == text
    assert "<" not in vtt and "-->" not in vtt
    assert shown("a < b & c > d {1}", (), tmp_path / "a.srt") == "a < b & c > d {1}"


def test_phones_are_shown_in_letters_and_json_keeps_them(tmp_path: Path) -> None:
    text, word = "A {T AH0 M EY1 T OW0}.", TimedWord("{T AH0 M EY1 T OW0}", 0.5, 1.0)
    assert shown(text, (), tmp_path / "a.srt") == "A tuh-may-toh."
    assert shown(text, (word,), tmp_path / "a.vtt") == "A <00:00:00.500>tuh-may-toh."
    write_timestamps(tmp_path / "a.json", [TimedSentence(text, 0.0, 1.0, (word,))])
    assert word.text in (tmp_path / "a.json").read_text()


def test_other_suffixes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"a.txt: cannot write '.txt' timestamps; choose one of .json, .srt, .vtt"):
        require_timestamps(tmp_path / "a.txt")


def test_pauses_at_the_ends_of_a_text_are_kept_where_it_asks_for_them() -> None:
    """1 s before, 2 s after; the pause between the two lines is as it was."""
    first, last = (
        replace(spoken("A.", 500, 0.25, (TimedWord("a", 0.1, 0.2),)), lead_s=lead_s) for lead_s in (1.0, 0.0)
    )
    for holds_pause, length in ((False, 2250), (True, 4250)):
        lines = [first, replace(last, pause_s=2.0, holds_pause=holds_pause)]
        assert len(join_lines(lines, RATE)) == length
        starts = [sentence.start_s for sentence in timed_sentences(lines, RATE)]
        assert starts == [1.0, 1.75]
        assert timed_sentences(lines, RATE)[0].words[0].start_s == pytest.approx(1.1)
