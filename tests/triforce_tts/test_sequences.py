import pytest
import torch

from triforce_tts.sequences import END, PAD, SPEECH, TEXT, VOICE, TokenSequence, Vocabulary, VocabularyConfig

VOCABULARY = Vocabulary(VocabularyConfig(n_text=10, n_codes=100, groups=2))
VOICE_CODES = torch.tensor([[7, 8]])
CODES = torch.tensor([[0, 99], [42, 3]])
# Text starts at 5, the first group at 15, the second at 115.
VOICE_IDS, CODE_IDS, TEXT_IDS = [22, 123], [15, 214, 57, 118], [5, 14, 8]
LETTERS = (0, 9, 3)


def test_the_layout_by_hand() -> None:
    assert [PAD, VOICE, TEXT, SPEECH, END] == [0, 1, 2, 3, 4]
    assert VOCABULARY.size == 5 + 10 + 200
    assert [VOCABULARY.group_range(group) for group in range(2)] == [(15, 115), (115, 215)]
    assert VOCABULARY.text_ids(LETTERS) == TEXT_IDS
    assert VOCABULARY.code_ids(CODES) == CODE_IDS
    assert VOCABULARY.speak_prompt(VOICE_CODES, LETTERS) == [VOICE, 22, 123, TEXT, 5, 14, 8, SPEECH]
    assert VOCABULARY.listen_prompt(CODES) == [SPEECH, 15, 214, 57, 118, TEXT]


@pytest.mark.parametrize(
    ("sequence", "ids", "weights"),
    [
        (
            VOCABULARY.speak(VOICE_CODES, LETTERS, CODES, text_weight=0.25),
            [VOICE, *VOICE_IDS, TEXT, *TEXT_IDS, SPEECH, *CODE_IDS, END],
            [0, 0, 0, 0, 0.25, 0.25, 0.25, 0, 1, 1, 1, 1, 1],
        ),
        (
            VOCABULARY.listen(CODES, LETTERS, speech_weight=0.5),
            [SPEECH, *CODE_IDS, TEXT, *TEXT_IDS, END],
            [0, 0.5, 0.5, 0.5, 0.5, 0, 1, 1, 1, 1],
        ),
        (VOCABULARY.speech_alone(CODES), [SPEECH, *CODE_IDS, END], [0, 1, 1, 1, 1, 1]),
        (VOCABULARY.text_alone(LETTERS), [TEXT, *TEXT_IDS, END], [0, 1, 1, 1, 1]),
    ],
    ids=["speak", "listen", "speech", "text"],
)
def test_the_four_kinds_by_hand(sequence: TokenSequence, ids: list[int], weights: list[float]) -> None:
    assert sequence.ids == ids
    assert sequence.weights == weights


@pytest.mark.parametrize("groups", [1, 2, 3])
@pytest.mark.parametrize("frames", [0, 1, 7])
def test_weights_stand_beside_their_ids(groups: int, frames: int) -> None:
    """Marks are never targets, but for the end; every other id has its part's weight."""
    vocabulary = Vocabulary(VocabularyConfig(n_text=4, n_codes=9, groups=groups))
    rng = torch.Generator().manual_seed(frames)
    codes = torch.randint(0, 9, (frames, groups), generator=rng)
    voice = torch.randint(0, 9, (frames + 2, groups), generator=rng)
    text = torch.randint(0, 4, (2 * frames,), generator=rng).tolist()
    cases = [
        (vocabulary.speak(voice, text, codes, 0.5), 0.5, 1.0),
        (vocabulary.listen(codes, text, 0.3), 1.0, 0.3),
        (vocabulary.speech_alone(codes), 0.0, 1.0),
        (vocabulary.text_alone(text), 1.0, 0.0),
    ]
    for sequence, text_weight, code_weight in cases:
        part = -1
        for token, weight in zip(sequence.ids, sequence.weights, strict=True):
            part = token if token < 5 else part
            if token == END:
                assert weight == 1.0
            elif token < 5 or part == VOICE:
                assert weight == 0.0
            else:
                assert weight == (text_weight if token < vocabulary.code_offset else code_weight)
        assert sequence.ids[-1] == END


READS = Vocabulary(VocabularyConfig(n_text=10, n_codes=100, groups=2, reads=True))


def test_read_speech_by_hand() -> None:
    """Two symbols before the first frame, none before the second, the third after all."""
    assert (READS.read, READS.size) == (215, 216)
    sequence = READS.read_aloud(VOICE_CODES, LETTERS, [0, 0, 2], CODES, text_weight=0.25)
    assert sequence.ids == [VOICE, *VOICE_IDS, TEXT, *TEXT_IDS, 215, 5, 14, 15, 214, 57, 118, 8, END]
    assert sequence.weights == [0, 0, 0, 0, 0.25, 0.25, 0.25, 0, 1, 1, 1, 1, 1, 1, 1, 1]
    late = READS.read_aloud(VOICE_CODES, LETTERS, [1, 1, 1], CODES, text_weight=0.25)
    assert late.ids[8:] == [15, 214, 5, 14, 8, 57, 118, END]
    for found in (sequence, late):
        prompt = READS.read_prompt(VOICE_CODES, LETTERS)
        assert found.ids[: len(prompt)] == prompt
        assert torch.equal(READS.codes(found.ids[len(prompt) : -1]), CODES)


def test_prompts_open_their_sequences() -> None:
    for prompt, sequence in (
        (VOCABULARY.speak_prompt(VOICE_CODES, LETTERS), VOCABULARY.speak(VOICE_CODES, LETTERS, CODES, 0.1)),
        (VOCABULARY.listen_prompt(CODES), VOCABULARY.listen(CODES, LETTERS, 0.1)),
    ):
        assert sequence.ids[: len(prompt)] == prompt


@pytest.mark.parametrize("groups", [1, 2, 4])
def test_codes_come_back_from_their_ids(groups: int) -> None:
    vocabulary = Vocabulary(VocabularyConfig(n_text=10, n_codes=60, groups=groups))
    codes = torch.randint(0, 60, (33, groups), generator=torch.Generator().manual_seed(0))
    ids = vocabulary.code_ids(codes)
    assert torch.equal(vocabulary.codes(ids), codes)
    assert torch.equal(vocabulary.codes(vocabulary.code_ids(codes.to(torch.int16))), codes)
    for place, token in enumerate(ids):
        first, last = vocabulary.group_range(place % groups)
        assert first <= token < last
    every = [vocabulary.group_range(group) for group in range(groups)]
    assert [i for first, last in every for i in range(first, last)] == list(range(15, vocabulary.size))


def test_an_unfinished_frame_is_dropped() -> None:
    assert VOCABULARY.codes(CODE_IDS[:3]).tolist() == [[0, 99]]
    assert VOCABULARY.codes(CODE_IDS[:1]).shape == (0, 2)
    assert VOCABULARY.codes([]).shape == (0, 2)


def test_text_tokens_come_back_without_the_rest() -> None:
    ids = VOCABULARY.speak(VOICE_CODES, LETTERS, CODES, 0.1).ids
    assert VOCABULARY.text_tokens(ids) == list(LETTERS)
    assert VOCABULARY.text_tokens([4, 15]) == []
