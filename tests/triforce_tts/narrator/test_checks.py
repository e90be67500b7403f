"""Each check finds the fault that it is for, and lets a good line pass."""

import pytest
import torch

from tests.triforce_tts.narrator.conftest import RATE, tone
from triforce_tts.audio.io import Audio
from triforce_tts.judges.recognisers import Recogniser
from triforce_tts.narrator.checks import Checker, sound_figures, sound_flags, word_flags
from triforce_tts.speech import Spoken

TEXT = "It was the best of times, it was the worst of times."


def spoken(samples: torch.Tensor, **more: object) -> Spoken:
    values: dict[str, object] = {"ended": True, "predicted_s": 3.0, "pause_s": 0.3, **more}
    return Spoken(TEXT, samples, torch.zeros(4, 2), **values)  # type: ignore[arg-type]


def flags_of(samples: torch.Tensor, **more: object) -> tuple[str, ...]:
    return Checker(None, None)(spoken(samples, **more), RATE).flags


def test_a_good_line_passes() -> None:
    checked = Checker(None, None)(spoken(tone(3.0)), RATE)
    assert checked.flags == ()
    assert checked.figures["seconds"] == 3.0
    assert checked.figures["level"] == pytest.approx(-23.0, abs=0.1)  # of a sine at .1: 20 lg(.1 / sqrt 2)
    assert checked.figures["peak"] == pytest.approx(-20.0, abs=0.01)


@pytest.mark.parametrize(
    ("samples", "what"),
    [
        (torch.zeros(0), "there is no sound"),
        (torch.zeros(3 * RATE), "level"),
        (tone(3.0, level=0.005), "its level is -49 dBFS"),
        (tone(3.0, level=0.9), "its level is -4 dBFS"),
        (tone(3.0, level=3.0), "samples in a row are clipped"),
        (tone(1.0), "it lasts 1.0 s, expected about 3.0 s"),
        (tone(6.0), "it lasts 6.0 s"),
        (torch.cat([tone(1.0), torch.zeros(round(1.5 * RATE)), tone(1.0)]), "1.5 s of silence within it"),
    ],
)
def test_faults_of_the_sound_are_found(samples: torch.Tensor, what: str) -> None:
    assert what in " ".join(flags_of(samples))


def test_faults_that_the_engine_sees_come_first() -> None:
    flags = flags_of(tone(3.0), unsaid=("best", "times"), ended=False)
    assert flags == ("2 words without a sound ('best', 'times')", "it did not end by itself")


def test_short_lines_may_be_off_by_a_part_of_a_second() -> None:
    assert sound_flags(sound_figures(tone(0.9).numpy(), RATE), 0.25) == []


def test_words_that_the_aligner_cannot_find() -> None:
    lost = Checker(lambda audio, text: None, None)(spoken(tone(3.0)), RATE)
    assert lost.flags == ("the words cannot be found in the sound",)

    def stuck(audio: Audio, text: str) -> list[list[float]]:
        return [[0.0, 0.1, 0.3], [0.3, 2.5]]

    assert Checker(stuck, None)(spoken(tone(3.0)), RATE).flags == ("a word lasts 2.2 s, expected at most 1.6 s",)


@pytest.mark.parametrize(
    ("heard", "run", "is_flagged"),
    [
        (TEXT, 0, False),
        ("it was a best of time it was the worse of times", 1, False),  # a recogniser's own errors
        ("It was the worst of times.", 6, True),  # dropped
        (TEXT + " It was the age.", 4, True),  # invented
        ("It was the best of times, it was the best of times, it was the worst of times.", 6, True),  # repeated
        ("", 12, True),
        ("...", 12, True),
    ],
)
def test_a_recogniser_is_judged_by_the_longest_wrong_run(heard: str, run: int, is_flagged: bool) -> None:
    figures: dict[str, float] = {}
    assert bool(word_flags(TEXT, heard, figures)) == is_flagged
    assert figures["wrong run"] == run


def test_a_recogniser_that_is_there_is_asked_and_named() -> None:
    checker = Checker(None, Recogniser("deaf", lambda wave: ""))
    checked = checker(spoken(tone(3.0)), RATE)
    assert checker.names == ("engine", "sound", "recogniser deaf")
    assert checked.heard == ""
    assert "12 wrong words, 12 in a row" in checked.flags[0]


def test_the_better_take_ranks_first() -> None:
    good, silent = Checker(None, None)(spoken(tone(3.0)), RATE), Checker(None, None)(spoken(torch.zeros(0)), RATE)
    long = Checker(None, None)(spoken(tone(7.0)), RATE)
    cut = Checker(None, None)(spoken(tone(3.0), unsaid=("times",)), RATE)
    assert sorted([silent, cut, long, good], key=lambda checked: checked.rank)[0] is good
    assert long.rank < cut.rank
