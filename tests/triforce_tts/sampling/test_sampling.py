"""Samplers against known answers, and token decoding against the plain loop."""

import pytest
import torch

from triforce_tts.models.diffusion import wiener_gain
from triforce_tts.models.gpt import GPT, GPTConfig
from triforce_tts.sampling.diffusion import sample_euler, uniform_times, utterance_noise
from triforce_tts.sampling.tokens import TokenSampling, generate, pick, speech_grammar, text_grammar
from triforce_tts.sequences import END, N_SPECIAL, Vocabulary, VocabularyConfig

VOCABULARY = Vocabulary(VocabularyConfig(n_text=7, n_codes=10, groups=2))


@pytest.fixture(scope="module")
def gpt() -> GPT:
    torch.manual_seed(0)
    made = GPT(GPTConfig(layers=2, dim=64, heads=4, hidden=96, max_tokens=96), VOCABULARY.size).eval()
    torch.nn.init.normal_(made.model.embed_tokens.weight, std=0.3)  # sharper choices than a fresh network makes
    return made


@pytest.mark.parametrize("steps", [1, 2, 4, 9])
def test_a_denoiser_that_knows_the_answer_is_followed(steps: int) -> None:
    answer = torch.randn(2, 5, 3)
    made = sample_euler(lambda x, t: answer, torch.randn(2, 5, 3), uniform_times(steps))
    assert torch.allclose(made, answer, atol=1e-5)


def test_a_gaussian_is_sampled_as_a_gaussian() -> None:
    noise = torch.randn(20_000, 1, generator=torch.Generator().manual_seed(0))
    made = sample_euler(lambda x, t: wiener_gain(t)[:, None] * x, noise, uniform_times(64))
    assert float(made.mean()) == pytest.approx(0.0, abs=0.03)
    assert float(made.std()) == pytest.approx(1.0, abs=0.05)


def test_noise_belongs_to_its_utterance() -> None:
    both = utterance_noise([5, 6], [9, 4], 3)
    assert torch.equal(both[:1], utterance_noise([5], [9], 3))
    assert torch.equal(both[1, :4], utterance_noise([6], [4], 3)[0])
    assert (both[1, 4:] == 0).all()


def test_nucleus_by_hand() -> None:
    logits = torch.tensor([[0.1, 0.4, 0.3, 0.2]]).log()
    half = TokenSampling(temperature=1.0, top_p=0.6)  # ids 1 and 2, with 4/7 and 3/7 of the mass
    for uniform, expected in ((0.0, 1), (0.57, 1), (0.58, 2), (0.9999999, 2), (1.0, 2)):
        assert pick(logits, torch.tensor([uniform]), half).tolist() == [expected]
    everything = TokenSampling(temperature=1.0, top_p=1.0)
    drawn = pick(logits.expand(20_000, 4), torch.linspace(0, 0.99999, 20_000), everything)
    assert (torch.bincount(drawn, minlength=4) / 20_000).tolist() == pytest.approx([0.1, 0.4, 0.3, 0.2], abs=1e-3)
    assert pick(logits, torch.tensor([0.9]), TokenSampling(temperature=0.0)).tolist() == [1]


def test_groups_alternate_and_speech_ends_between_frames(gpt: GPT) -> None:
    grammar = speech_grammar(VOCABULARY)
    (ids,) = generate(gpt, [[1, 5, 2, 6, 3]], grammar, [41], [0], TokenSampling(1.0, 1.0))
    for place, token in enumerate(ids):
        first, last = VOCABULARY.group_range(place % 2)
        assert first <= token < last
    assert grammar[0, END]
    assert not grammar[1, END]
    assert not text_grammar(VOCABULARY)[0, VOCABULARY.code_offset :].any()
    assert text_grammar(VOCABULARY)[0, N_SPECIAL : VOCABULARY.code_offset].all()


@torch.inference_mode()
def test_greedy_is_the_plain_uncached_loop(gpt: GPT) -> None:
    grammar = speech_grammar(VOCABULARY)
    prompt = [1, 14, 27, 2, 6, 7, 3]
    ids = list(prompt)
    while len(ids) < len(prompt) + 30:
        allowed = grammar[(len(ids) - len(prompt)) % 2]
        ids.append(int(gpt(torch.tensor([ids]))[0, -1].masked_fill(~allowed, -torch.inf).argmax()))
        if ids[-1] == END:
            break
    expected = [i for i in ids[len(prompt) :] if i != END]
    assert generate(gpt, [prompt], grammar, [30], [0], TokenSampling(0.0)) == [expected]


def test_batched_is_alone(gpt: GPT) -> None:
    grammar, sampling = speech_grammar(VOCABULARY), TokenSampling(0.9, 0.95)
    prompts = [[1, 14, 27, 2, 6, 7, 3], [1, 15, 2, 8, 3], [1, 2, 9, 9, 9, 9, 9, 9, 3]]
    limits, seeds = [30, 12, 21], [4, 5, 6]
    together = generate(gpt, prompts, grammar, limits, seeds, sampling)
    alone = [generate(gpt, [p], grammar, [n], [s], sampling)[0] for p, n, s in zip(prompts, limits, seeds, strict=True)]
    assert together == alone
    assert all(len(ids) <= limit for ids, limit in zip(together, limits, strict=True))
    assert generate(gpt, prompts, grammar, limits, [7, 8, 9], sampling) != together


def test_a_sequence_never_outgrows_the_model(gpt: GPT) -> None:
    grammar = speech_grammar(VOCABULARY)
    grammar[:, END] = False
    (ids,) = generate(gpt, [[3] * 90], grammar, [50], [0], TokenSampling())
    assert len(ids) == 6
