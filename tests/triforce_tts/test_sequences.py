"""Token layout by hand."""

import torch

from triforce_tts.sequences import END, SPEECH, TEXT, VOICE, Vocabulary, VocabularyConfig

VOCABULARY = Vocabulary(VocabularyConfig(n_text=4, n_codes=10, groups=2))
CODES = torch.tensor([[3, 7], [0, 9]])


def test_ids_by_hand() -> None:
    # 5 special tokens, 4 of text, then 10 ids a group.
    assert VOCABULARY.size == 29
    assert VOCABULARY.code_ids(CODES) == [12, 26, 9, 28]
    assert VOCABULARY.text_ids([0, 3]) == [5, 8]
    assert VOCABULARY.text_tokens([5, 8, 12, END]) == [0, 3]
    assert [VOCABULARY.group_range(group) for group in (0, 1)] == [(9, 19), (19, 29)]


def test_codes_come_back_without_an_unfinished_frame() -> None:
    ids = VOCABULARY.code_ids(CODES)
    assert torch.equal(VOCABULARY.codes(ids), CODES)
    assert torch.equal(VOCABULARY.codes(ids[:3]), CODES[:1])
    assert VOCABULARY.codes([]).shape == (0, 2)


def test_the_four_kinds() -> None:
    voice = torch.tensor([[1, 1]])
    speak = VOCABULARY.speak(voice, [0, 1], CODES, 0.01)
    assert speak.ids == [VOICE, 10, 20, TEXT, 5, 6, SPEECH, 12, 26, 9, 28, END]
    assert speak.weights == [0, 0, 0, 0, 0.01, 0.01, 0, 1, 1, 1, 1, 1]
    listen = VOCABULARY.listen(CODES, [0, 1], 0.2)
    assert listen.ids == [SPEECH, 12, 26, 9, 28, TEXT, 5, 6, END]
    assert listen.weights == [0, 0.2, 0.2, 0.2, 0.2, 0, 1, 1, 1]
    alone = VOCABULARY.speech_alone(CODES)
    assert alone.ids == [SPEECH, 12, 26, 9, 28, END]
    assert alone.weights == [0, 1, 1, 1, 1, 1]
    text = VOCABULARY.text_alone([2])
    assert text.ids == [TEXT, 7, END]
    assert text.weights == [0, 1, 1]
    assert speak.ids[: len(VOCABULARY.speak_prompt(voice, [0, 1]))] == VOCABULARY.speak_prompt(voice, [0, 1])
    assert listen.ids[: len(VOCABULARY.listen_prompt(CODES))] == VOCABULARY.listen_prompt(CODES)
