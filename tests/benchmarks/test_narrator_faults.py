"""Each fault of the bench is what its name says; codes that count up show which frames are where."""

import numpy as np
import pytest

from benchmarks.narrator_faults import Cached, Codes, faulty_codes, faulty_sounds

RATE = 1000


def line(number: int, text: str) -> Cached:
    """A line of which each word has five frames; its codes hold the number of the line and of the frame."""
    spans = tuple((5 * i, 5 * i + 5) for i in range(len(text.split())))
    frames = np.arange(spans[-1][1])
    codes = np.stack([np.full_like(frames, number), frames], axis=1)
    wave = (0.1 * np.sin(np.arange(3 * RATE) + number)).astype(np.float32)
    return Cached(number, text, codes, spans, wave, 0, True, (), 3.0)


LINE, OTHER = line(1, "the table stood under seven windows"), line(2, "nobody ever listens")


def words(codes: Codes) -> list[int]:
    """The number of the word that each five frames come from; -1 for one of the other line."""
    assert len(codes) % 5 == 0
    return [int(frame) // 5 if number == 1 else -1 for number, frame in codes[::5]]


@pytest.mark.parametrize("seed", range(5))
def test_faults_in_the_codes(seed: int) -> None:
    faults = faulty_codes(LINE, [OTHER], np.random.default_rng(seed))
    whole = list(range(6))
    dropped = words(faults["a word dropped"])
    assert len(dropped) == 5
    assert set(whole) - set(dropped) <= {1, 2, 3, 4, 5}  # the word 'the' is never dropped
    twice = words(faults["a word said twice"])
    assert len(twice) == 7
    assert sorted(set(twice)) == whole
    swapped = words(faults["two words swapped"])
    assert sorted(swapped) == whole
    assert swapped != whole
    again = words(faults["all from a word on said twice"])
    assert again[:6] == whole
    assert again[6:] == whole[again[6] :]
    invented = words(faults["an invented word"])
    assert [word for word in invented if word >= 0] == whole
    assert invented.count(-1) == 1
    assert words(faults["half of the words cut out"]) == [0, 2, 4]
    assert len(faults["the last 30 % cut off"]) == 21
    assert len(faults["a word garbled"]) == 30


def test_faults_in_the_sound() -> None:
    sounds = faulty_sounds(LINE, [OTHER], [line(3, OTHER.text), line(4, LINE.text)], RATE, np.random.default_rng(0))
    assert len(sounds["the last 0.3 s cut off"]) == 2650
    assert len(sounds["1.5 s of silence put in"]) == 4500
    assert np.array_equal(sounds["the sound of another line"], OTHER.samples)
    assert np.array_equal(sounds["another voice"], line(4, LINE.text).samples)
    assert np.abs(sounds["clipped"]).max() == 1.0
    assert np.allclose(sounds["20 dB too quiet"], LINE.samples / 10)
    assert len(sounds["0.4 s of noise"]) == 3000


def test_a_line_without_long_words_has_fewer_faults() -> None:
    faults = faulty_codes(line(1, "I am it"), [OTHER], np.random.default_rng(0))
    assert set(faults) == {"an invented word", "the last 30 % cut off", "half of the words cut out"}
