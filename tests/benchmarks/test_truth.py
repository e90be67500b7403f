"""The arithmetic of the builder's benchmark, compared with figures computed by hand."""

import numpy as np
import pytest

from benchmarks.truth import RATE, Spoken, Truth, Utterance, book_of, cuts_word, judge, make_recording, word_errors
from triforce_tts.data.common.segments import Segment

TRUTH = Truth(
    20.0,
    [Spoken(1.0, 4.0, "a", "one two three"), Spoken(5.0, 8.0, "a", "four five"), Spoken(10.0, 13.0, "b", "six")],
    [(15.0, 18.0, "music")],
)


def wave() -> np.ndarray:
    samples = np.zeros(20 * RATE, np.float32)
    for spoken in TRUTH.spoken:
        samples[round(spoken.start_s * RATE) : round(spoken.end_s * RATE)] = 0.1
    return samples


def test_figures_by_hand() -> None:
    segments = [
        Segment(0.0, 0.9, "no speech"),
        Segment(0.9, 8.1, speaker="0", text="one two tree four five"),  # both ends are right; it has 6 s of reader a
        Segment(8.1, 9.0, "no speech"),
        # it begins a second too early and holds a second of music; it has 3 s of reader b
        Segment(9.0, 16.0, speaker="0", text="six"),
        Segment(16.0, 20.0, "no speech"),
    ]
    figures = judge(segments, TRUTH, wave())
    assert figures["edge_precision"] == pytest.approx(2 / 4)
    assert figures["edge_recall"] == pytest.approx(2 / 6)
    assert figures["words_cut"] == 0
    assert figures["one_reader"] == 1
    assert figures["purity"] == pytest.approx(6 / 9)
    assert figures["kept"] == pytest.approx(1.0)
    assert figures["false_keeps"] == pytest.approx(1 / 14.2)
    assert word_errors(segments, TRUTH) == (1, 6)


def test_two_readers_and_a_cut_word() -> None:
    segments = [Segment(0.9, 11.0), Segment(11.0, 14.0, "too short")]
    figures = judge(segments, TRUTH, wave())
    assert figures["one_reader"] == 0
    assert figures["words_cut"] == 1  # the cut at 11.0 lies in the middle of the third utterance
    assert cuts_word(11.0, wave(), TRUTH)
    assert not cuts_word(9.0, wave(), TRUTH)
    assert word_errors(segments, TRUTH) == (0, 0)  # if a segment ends inside an utterance, its words are unknown


def test_recordings_are_what_they_say() -> None:
    rng = np.random.default_rng(0)
    clips = [
        Utterance(f"u{n}", (0.1 * rng.standard_normal(2 * RATE)).astype(np.float32), "a", f"text {n}")
        for n in range(40)
    ]
    guest = [Utterance("g", 0.1 * np.ones(RATE, np.float32), "b", "guest")]
    samples, truth = make_recording(clips, guest, 0)
    assert len(samples) / RATE == pytest.approx(truth.duration_s)
    assert [s.text for s in truth.spoken if s.reader == "a"] == [clip.text for clip in clips]
    assert [s.text for s in truth.spoken if s.reader == "b"] == ["guest"]
    assert truth.other
    for before, after in zip(truth.spoken[:-1], truth.spoken[1:], strict=True):
        assert before.end_s < after.start_s
    book = book_of(truth, ["Nobody reads this."], "a", 0)
    assert "guest" not in book
    assert book.count("Nobody reads this.") == 1
    assert book.index("Text 0.") < book.index("Text 39.")
