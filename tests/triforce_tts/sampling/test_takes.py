import torch

from triforce_tts.sampling.takes import end_of_text, make_take, unsaid
from triforce_tts.sequences import Vocabulary, VocabularyConfig
from triforce_tts.text.tokenizer import Piece

READS = Vocabulary(VocabularyConfig(n_text=6, n_codes=8, groups=2, reads=True))
PIECES = [Piece(("a", "b"), True), Piece((" ",), False), Piece(("c",), True)]
TEXT = READS.text_ids([0, 1, 2, 3])


def code(frames: int) -> list[int]:
    return [READS.group_range(0)[0], READS.group_range(1)[0]] * frames


def test_spans_by_hand() -> None:
    """A frame before all, two and one of the first word, none of the space, three of the last."""
    ids = [*code(1), TEXT[0], *code(2), TEXT[1], *code(1), TEXT[2], TEXT[3], *code(3)]
    take = make_take(READS, PIECES, ids, 100)
    assert take.ended
    assert take.codes.shape == (7, 2)
    assert take.spans == ((1, 4), (4, 7))


def test_a_take_that_was_stopped() -> None:
    ids = [TEXT[0], *code(1), TEXT[1], *code(3)]
    take = make_take(READS, PIECES, ids, len(ids))
    assert not take.ended
    assert take.spans == ((0, 4), (4, 4))
    assert unsaid(take, ["ab", "c"], torch.full((400,), 0.5), 100, 1000) == ["c"]


def test_an_empty_take_says_nothing() -> None:
    take = make_take(READS, PIECES, [*TEXT], 100)
    assert take.codes.shape == (0, 2)
    assert unsaid(take, ["ab", "c"], torch.zeros(0), 100, 1000) == ["ab", "c"]


def test_a_word_without_sound() -> None:
    """Sound in the first 200 of 1000 samples: the first word's; the second begins more than a frame behind it."""
    ids = [TEXT[0], *code(2), TEXT[1], *code(2), TEXT[2], TEXT[3], *code(6)]
    samples = torch.zeros(1000)
    samples[:200] = 0.1
    take = make_take(READS, PIECES, ids, 100)
    assert unsaid(take, ["ab", "c"], samples, 100, 1000) == ["c"]
    samples[350:] = 0.1
    assert unsaid(take, ["ab", "c"], samples, 100, 1000) == []
    assert unsaid(take, ["ab", "c"], 0.01 * samples, 100, 1000) == ["ab", "c"]


def test_speech_without_its_text_in_place() -> None:
    plain = Vocabulary(VocabularyConfig(n_text=6, n_codes=8, groups=2))
    take = make_take(plain, PIECES, code(4), 100)
    assert take.spans is None
    assert unsaid(take, ["ab", "c"], torch.full((400,), 0.5), 100, 1000) == []
    assert unsaid(take, ["ab", "c"], torch.zeros(400), 100, 1000) == ["ab", "c"]


def test_the_last_phone_is_that_of_the_last_word_and_not_a_mark() -> None:
    ids = [*code(1), TEXT[0], *code(2), TEXT[1], TEXT[2], *code(1), TEXT[3], *code(3)]
    assert make_take(READS, PIECES, ids, 100).last == 4
    assert make_take(READS, [*PIECES[:2], Piece(("c",), False)], ids, 100).last == 3
    assert make_take(READS, PIECES, ids[:-7], 100).last is None


def sound(*stretches: tuple[float, float]) -> torch.Tensor:
    """Stretches of so many seconds at an amplitude, 1000 samples a second."""
    return torch.cat([torch.full((round(1000 * seconds),), level) for seconds, level in stretches])


def test_what_is_said_after_a_pause_behind_the_last_word_is_not_of_the_text() -> None:
    said = [(0.2, 0.0), (0.3, 0.1), (0.14, 0.0), (0.4, 0.1)]
    assert end_of_text(sound(*said), 200, 220, 1000) == (500, True)
    assert end_of_text(sound(*said[:3], (0.1, 0.1)), 200, 220, 1000) == (500, False)  # the release of a stop
    assert end_of_text(sound(*said[:2], (0.1, 0.0), (0.4, 0.1)), 200, 220, 1000) == (1000, False)  # its closure
    assert end_of_text(sound(*said[:3]), 200, 220, 1000) == (500, False)


def test_a_pause_before_the_last_phone_or_before_the_last_word_ends_no_text() -> None:
    said = sound((0.2, 0.1), (0.2, 0.0), (0.4, 0.1))
    assert end_of_text(said, 0, 400, 1000) == (800, False)
    assert end_of_text(said, 200, 220, 1000) == (800, False)  # the word begins in the pause, and was not heard yet
    assert end_of_text(said, 900, 950, 1000) == (800, False)  # the word is not decoded yet
