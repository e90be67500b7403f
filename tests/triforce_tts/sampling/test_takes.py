import torch

from triforce_tts.sampling.takes import make_take, unsaid
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
