"""Each check finds the fault that it is for, and lets a good line pass."""

from importlib.util import find_spec

import pytest
import torch

from tests.triforce_tts.narrator.conftest import RATE, tone
from triforce_tts.audio.io import Audio, read_audio
from triforce_tts.audio.mel import AudioConfig
from triforce_tts.judges.following import Reading
from triforce_tts.judges.recognisers import Recogniser
from triforce_tts.named_voices import named_clips
from triforce_tts.narrator.checks import (
    LEAST_LIKENESS,
    Checked,
    Checker,
    doubt_flags,
    sound_figures,
    sound_flags,
    with_voice,
    word_flags,
)
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
    # the level of a sine with amplitude 0.1 is 20 lg(0.1 / sqrt 2)
    assert checked.figures["level"] == pytest.approx(-23.0, abs=0.1)
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


def test_a_stretch_of_noise_is_found() -> None:
    noise = 0.07 * torch.randn(round(0.4 * RATE), generator=torch.Generator().manual_seed(0))
    flags = flags_of(torch.cat([tone(1.5), noise, tone(1.1)]))
    assert flags == ("0.4 s of noise within it",)


@pytest.mark.parametrize(
    ("read", "flag"),
    [
        (("AH", "K AE T", "S AE T"), None),
        (("K AE T", "S AE T"), None),  # one phone: a short word that the decoder may miss
        (("AH", "S AE T", "S AE T"), None),
        (("AH",), "words are missing, said twice or out of order"),
        (("AH", "K AE T", "S AE T", "K AE T", "S AE T"), "words are missing, said twice or out of order"),
    ],
)
def test_a_line_is_judged_by_how_it_was_read(read: tuple[str, ...], flag: str | None) -> None:
    def words(names: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
        return tuple(tuple(name.split()) for name in names)

    reading = Reading(words(("AH", "K AE T", "S AE T")), words(read))
    checked = Checker(None, None, lambda audio, text: reading)(spoken(tone(3.0)), RATE)
    assert [one.startswith(flag or "") for one in checked.flags] == [True] * (flag is not None)


def test_a_line_that_cannot_be_followed_is_flagged() -> None:
    checker = Checker(None, None, lambda audio, text: None)
    assert checker.names == ("engine", "sound", "reading")
    assert checker(spoken(tone(3.0)), RATE).flags == ("the words cannot be followed in the sound",)


def test_another_voice_is_flagged_and_the_more_alike_take_ranks_first() -> None:
    def alike(likeness: float) -> Checked:
        return Checker(None, None, likeness=lambda audio: likeness)(spoken(tone(3.0)), RATE)

    own, other = alike(0.9), alike(0.3)
    assert own.flags == ()
    assert other.flags[0].startswith("it is like the voice by 0.30 only")
    assert own.rank < alike(0.8).rank < other.rank
    assert Checker(None, None, likeness=lambda audio: 0.3)(spoken(tone(1.0), predicted_s=1.0), RATE).flags == ()


def test_the_likeness_is_that_to_the_clip_of_the_voice(one_thread: None) -> None:
    pytest.importorskip("torchaudio")
    if find_spec("resemblyzer") is None:
        pytest.skip("resemblyzer is not installed")
    clips, rate = named_clips(), 24_000
    checker = with_voice(
        Checker(None, None), clips["kathleen"], AudioConfig(sample_rate=rate, n_fft=1024, hop_length=256, n_mels=80)
    )
    assert checker.likeness is not None
    same, other = (
        checker.likeness(read_audio(clips[name], rate, first_seconds=3)) for name in ("kathleen", "am_michael")
    )
    assert same > 0.8
    assert other < LEAST_LIKENESS


def test_words_that_sound_alike_are_not_wrong() -> None:
    assert word_flags("Their two sails passed by the sea.", "There too sales past by the C.", {}) == []
    assert word_flags("I shall have to controvert it.", "I shall have two control vert it.", {}) == []


@pytest.mark.parametrize(
    ("text", "heard", "wrong", "run"),
    [
        ("The {K IY1} was here.", "The key was here.", 0, 0),
        ("The {K IY1}'s end.", "The keys end.", 0, 0),
        ("{T AH0 M EY1 T OW0}", "Tomato.", 0, 0),
        ("So {S EY1 N T JH AA1 N} came.", "So saint John came.", 0, 0),
        ("The {T AH0 M EY1 T OW0} was here.", "The cat was here.", 1, 1),
        ("The {T AH0 M EY1 T OW0} was here.", "The was here.", 1, 1),
        ("The {T AH0 M EY1 T OW0} {K IY1} was here.", "The was here.", 2, 2),
    ],
)
def test_phones_in_braces_are_one_word(text: str, heard: str, wrong: int, run: int) -> None:
    figures: dict[str, float] = {}
    word_flags(text, heard, figures)
    assert (figures["wrong words"], figures["wrong run"]) == (wrong, run)


def test_a_recognisers_spelling_of_a_short_line_is_not_wrong() -> None:
    assert word_flags('"There I object," said Filby.', "Their eye objects have filled me.", {}) == []
    assert word_flags('"There I object," said Filby.', "Here we come.", {}) != []


def test_alignment_may_fail_where_every_word_was_followed() -> None:
    whole, part = Reading((("AH",), ("K", "AE", "T")), (("AH",), ("K", "AE", "T"))), Reading((("AH",),), ())
    lost = "the words cannot be found in the sound"
    for reading, flags in ((whole, ()), (part, (lost,)), (None, (lost, "the words cannot be followed in the sound"))):
        checker = Checker(lambda audio, text: None, None, lambda audio, text, it=reading: it)  # type: ignore[misc]
        assert checker(spoken(tone(3.0)), RATE).flags == flags


@pytest.mark.parametrize(("read", "heard", "is_flagged"), [(3, 3, True), (3, 2, False), (0, 9, False), (9, 0, False)])
def test_two_doubts_add_up(read: float, heard: float, is_flagged: bool) -> None:
    assert bool(doubt_flags({"read wrongly": read, "wrong phones": heard})) == is_flagged
    assert doubt_flags({}) == []
