import math

import pytest
import torch

from tests.conftest import next_logits
from triforce_tts.models.gpt import GPT
from triforce_tts.sampling.score import Score, heard, log_probabilities, score_tokens
from triforce_tts.sequences import END, SPEECH, TEXT, VOICE, Vocabulary

pytestmark = pytest.mark.usefixtures("one_thread")


def test_probabilities_are_the_softmax_of_the_logits_before(tiny_gpt: GPT) -> None:
    ids = [3, 7, 1, 9]
    with torch.no_grad():
        logits = next_logits(tiny_gpt, torch.tensor([ids]))[0]
    (found,) = log_probabilities(tiny_gpt, [ids])
    for place, token in enumerate(ids[1:]):
        row = logits[place].tolist()
        expected = row[token] - math.log(sum(math.exp(value) for value in row))
        assert float(found[place]) == pytest.approx(expected, abs=1e-5)


def test_batched_is_alone(tiny_gpt: GPT) -> None:
    sequences = [[3, 7, 1, 9], [4, 2], list(range(5, 20))]
    together = log_probabilities(tiny_gpt, sequences)
    for sequence, found in zip(sequences, together, strict=True):
        assert torch.allclose(found, log_probabilities(tiny_gpt, [sequence])[0], atol=1e-5)


def test_a_sequence_that_does_not_fit_is_refused(tiny_gpt: GPT) -> None:
    with pytest.raises(ValueError, match="65 steps, at most 64"):
        log_probabilities(tiny_gpt, [[1] * 65])


def test_each_direction_counts_its_own_tokens_and_the_end(tiny_gpt: GPT, tiny_vocabulary: Vocabulary) -> None:
    voice, codes = torch.tensor([[1, 2]]), torch.tensor([[3, 4], [5, 6], [7, 0]])
    text, letters = [0, 1, 2, 3], [2, 4]
    said, heard, alone = score_tokens(tiny_gpt, tiny_vocabulary, voice, text, letters, codes)
    v = tiny_vocabulary
    speak = [VOICE, *v.code_ids(voice), TEXT, *v.text_ids(text), SPEECH, *v.code_ids(codes), END]
    listen = [SPEECH, *v.code_ids(codes), TEXT, *v.text_ids(letters), END]
    prior = [TEXT, *v.text_ids(letters), END]
    for found, sequence, count in ((said, speak, 7), (heard, listen, 3), (alone, prior, 3)):
        assert torch.allclose(found, log_probabilities(tiny_gpt, [sequence])[0][-count:], atol=1e-5)


def test_the_flip_is_what_speech_adds_to_the_text() -> None:
    score = Score(torch.tensor([-2.0, -4.0]), torch.tensor([-1.0, -2.0]), torch.tensor([-3.0, -3.0]), "a")
    assert score.flip == pytest.approx(1.5)
    assert score.nats_per_code == pytest.approx(3.0)


def test_candidates_are_ranked_as_the_flip_ranks_them(tiny_gpt: GPT, tiny_vocabulary: Vocabulary) -> None:
    letters, voice = [2, 4, 1], torch.tensor([[1, 2]])
    candidates = [torch.tensor([[3, 4], [5, 6]]), torch.tensor([[7, 0]]), torch.zeros(40, 2, dtype=torch.long)]
    found = heard(tiny_gpt, tiny_vocabulary, letters, candidates)
    for codes, score in zip(candidates[:2], found, strict=False):
        _, given, _ = score_tokens(tiny_gpt, tiny_vocabulary, voice, [0], letters, codes)
        assert score == pytest.approx(float(given.mean()), abs=1e-5)
    assert found[2] == float("-inf")  # 80 codes leave no room in 64 tokens
