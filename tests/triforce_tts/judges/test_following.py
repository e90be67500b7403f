"""A text is followed in real speech; faults are cut into the speech at the times that the forced alignment gives."""

import itertools

import pytest
import torch

from triforce_tts.audio.io import Audio, read_audio
from triforce_tts.judges.align import Aligner
from triforce_tts.judges.following import Reading, follow, transitions
from triforce_tts.named_voices import named_clips

TEXT = "That Longfellow chap most likely had written countless books of poetry."
RATE = 16_000


@pytest.fixture(scope="module")
def aligner() -> Aligner:
    return Aligner()


@pytest.fixture(scope="module")
def parts(aligner: Aligner) -> list[torch.Tensor]:
    """The sound of each word of ``TEXT``, with the silence at both ends."""
    audio = read_audio(named_clips()["kathleen"], RATE)
    words = aligner(audio, TEXT)
    assert words is not None
    edges = [0, *(round((a[-1] + b[0]) / 2 * RATE) for a, b in itertools.pairwise(words)), len(audio.samples)]
    return [audio.samples[a:b] for a, b in itertools.pairwise(edges)]


def read(aligner: Aligner, parts: list[torch.Tensor], order: list[int], text: str = TEXT) -> Reading | None:
    return follow(aligner, Audio(torch.cat([parts[i] for i in order]), RATE), text)


def test_a_text_that_was_read_is_found_word_by_word(aligner: Aligner, parts: list[torch.Tensor]) -> None:
    found = read(aligner, parts, list(range(11)))
    assert found is not None
    assert found.read == found.written
    assert found.written[1] == ("L", "AO", "NG", "F", "EH", "L", "OW")


@pytest.mark.parametrize(
    "order",
    [
        pytest.param([0, 1, 2, 3, 4, 5, 6, 8, 9, 10], id="dropped"),
        pytest.param([0, 1, 2, 3, 4, 5, 6, 7, 7, 8, 9, 10], id="repeated"),
        pytest.param([0, 1, 2, 3, 4, 5, 7, 6, 8, 9, 10], id="swapped"),
        pytest.param([0, 1, 2, 3, 4, 5, 6], id="cut"),
        pytest.param([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 3, 4, 5, 6, 7, 8, 9, 10], id="said again"),
    ],
)
def test_words_that_were_read_wrongly(aligner: Aligner, parts: list[torch.Tensor], order: list[int]) -> None:
    found = read(aligner, parts, order)
    assert found is None or found.read != found.written
    # For long faults, the test only requires that some fault is found.
    if found is not None and 10 <= len(order) <= 12:
        assert [found.written[i] for i in order] == list(found.read)


def test_what_was_found_before_changes_nothing(aligner: Aligner, parts: list[torch.Tensor]) -> None:
    first = read(aligner, parts, list(range(11)))
    read(aligner, parts, [4, 3, 2], "Nobody knew.")
    aligner(Audio(torch.cat(parts), RATE), TEXT)
    assert read(aligner, parts, list(range(11))) == first


@pytest.mark.parametrize("text", ["...", "§"])
def test_a_text_without_words_is_not_followed(aligner: Aligner, parts: list[torch.Tensor], text: str) -> None:
    assert read(aligner, parts, [0, 1], text) is None


def test_a_step_back_is_short() -> None:
    assert [step[1] for step in transitions(list("abcdef")) if step[0] == 6] == [3, 4, 5]


def test_from_every_word_the_reader_goes_on_leaves_out_or_goes_back() -> None:
    assert [(step[0], step[1], step[3:]) for step in transitions(["a", "b"])] == [
        (0, 1, ("a",)), (0, 1, ()), (1, 0, ()), (1, 2, ("b",)), (1, 2, ()), (2, 0, ()), (2, 1, ()),
    ]  # fmt: skip
