import resource
from pathlib import Path

import pytest
import torch

from tests.conftest import next_logits, scrambled
from triforce_tts import checkpoint
from triforce_tts.errors import ConfigError
from triforce_tts.models.gpt import GPT, GPTConfig, KVCache, _causal_attention, _rotate, rotary
from triforce_tts.models.layers import count_parameters
from triforce_tts.models.load import load_gpt
from triforce_tts.schema import parse
from triforce_tts.sequences import Vocabulary

pytestmark = pytest.mark.usefixtures("one_thread")

SIZES = [
    GPTConfig(layers=2, dim=32, heads=4, hidden=48, max_tokens=64),
    GPTConfig(layers=3, dim=48, heads=2, hidden=40, max_tokens=80, rope_theta=200.0, norm_eps=0.1),
]


def random_ids(network: GPT, *shape: int) -> torch.Tensor:
    return torch.randint(0, network.vocabulary_size, shape, generator=torch.Generator().manual_seed(1))


def save(network: GPT, vocabulary: Vocabulary, folder: Path) -> None:
    config = {
        "stage": "gpt",
        **network.config.huggingface(vocabulary.size),
        "model": network.config.model_dump(mode="json"),
        "vocabulary": vocabulary.config.model_dump(mode="json"),
    }
    checkpoint.save(folder, network.state_dict(), config, {})


@pytest.mark.parametrize("config", SIZES, ids=["usual", "unusual"])
def test_a_checkpoint_is_a_hugging_face_folder(config: GPTConfig, tiny_vocabulary: Vocabulary, tmp_path: Path) -> None:
    """transformers' Llama gives our logits, with padding and without."""
    from transformers import AutoModelForCausalLM, LlamaForCausalLM

    ours = scrambled(GPT(config, tiny_vocabulary.size))
    assert isinstance(ours, GPT)
    save(ours, tiny_vocabulary, tmp_path)
    theirs = AutoModelForCausalLM.from_pretrained(tmp_path, dtype=torch.float32).eval()
    assert isinstance(theirs, LlamaForCausalLM)
    assert count_parameters(theirs) == count_parameters(ours)
    ids = random_ids(ours, 3, 50)
    with torch.no_grad():
        found, expected = next_logits(ours, ids), theirs(ids).logits
        lengths = torch.tensor([50, 31, 7])
        mask = torch.arange(50) < lengths[:, None]
        padded = theirs(ids, attention_mask=mask.long()).logits
    assert expected.std() > 0.5
    assert torch.allclose(found, expected, atol=1e-4)
    assert torch.allclose(found[mask], padded[mask], atol=1e-4)


@torch.no_grad()
def test_a_checkpoint_comes_back(tiny_gpt: GPT, tiny_vocabulary: Vocabulary, tmp_path: Path) -> None:
    save(tiny_gpt, tiny_vocabulary, tmp_path)
    loaded, vocabulary = load_gpt(tmp_path)
    assert vocabulary.config == tiny_vocabulary.config
    assert loaded.config == tiny_gpt.config
    assert not loaded.training
    ids = random_ids(tiny_gpt, 2, 20)
    assert torch.equal(next_logits(loaded, ids), next_logits(tiny_gpt, ids))


@torch.no_grad()
def test_one_token_at_a_time_from_the_cache(tiny_gpt: GPT) -> None:
    ids = random_ids(tiny_gpt, 3, 40)
    expected = next_logits(tiny_gpt, ids)
    cache = KVCache(tiny_gpt.config, 3, 40, tiny_gpt.model.norm.weight)
    for at in range(40):
        hidden = tiny_gpt.hidden(ids[:, at : at + 1], torch.full((3, 1), at), cache)
        assert torch.allclose(tiny_gpt.logits(hidden)[:, 0], expected[:, at], atol=1e-4), at


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs /proc")
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_cache_takes_memory_only_for_the_positions_that_are_written(tiny_gpt: GPT, dtype: torch.dtype) -> None:
    def resident() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()

    before = resident()
    cache = KVCache(tiny_gpt.config, 4, 1 << 16, torch.zeros(1, dtype=dtype))
    cache.values[:, :, :, :8] = 1.0
    size = sum(part.numel() * part.element_size() for part in (cache.keys, cache.values))
    assert size > 16 << 20 and resident() - before < size / 8
    assert cache.keys.dtype == dtype and float(cache.values[:, :, :, 8:64].abs().max()) == 0.0


@torch.no_grad()
@pytest.mark.parametrize("pieces", [(40,), (1, 39), (17, 1, 22)])
def test_pieces_through_the_cache(tiny_gpt: GPT, pieces: tuple[int, ...]) -> None:
    ids = random_ids(tiny_gpt, 2, 40)
    cache = KVCache(tiny_gpt.config, 2, 50, tiny_gpt.model.norm.weight)
    found, start = [], 0
    for piece in pieces:
        positions = torch.arange(start, start + piece).expand(2, -1)
        found.append(tiny_gpt.logits(tiny_gpt.hidden(ids[:, start : start + piece], positions, cache)))
        start += piece
    assert torch.allclose(torch.cat(found, 1), next_logits(tiny_gpt, ids), atol=1e-4)


@torch.no_grad()
def test_rows_of_unequal_length_share_a_cache(tiny_gpt: GPT) -> None:
    """Each row goes on at its own end: what a padded prompt left in the cache there is never read."""
    lengths, steps = torch.tensor([20, 3, 11, 1]), 25
    ids = random_ids(tiny_gpt, 4, 50)
    cache = KVCache(tiny_gpt.config, 4, 45, tiny_gpt.model.norm.weight)
    expected = [next_logits(tiny_gpt, ids[row : row + 1, : n + steps])[0] for row, n in enumerate(lengths.tolist())]
    prompt = torch.where(torch.arange(20) < lengths[:, None], ids[:, :20], 0)
    logits = tiny_gpt.logits(tiny_gpt.hidden(prompt, torch.arange(20).expand(4, -1), cache))
    for row, length in enumerate(lengths.tolist()):
        assert torch.allclose(logits[row, :length], expected[row][:length], atol=1e-4)
    for step in range(steps):
        at = (lengths + step)[:, None]
        logits = tiny_gpt.logits(tiny_gpt.hidden(ids.gather(1, at), at, cache))[:, 0]
        for row in range(4):
            assert torch.allclose(logits[row], expected[row][int(at[row])], atol=1e-4), (row, step)


@torch.no_grad()
def test_the_future_changes_no_past_logit(tiny_gpt: GPT) -> None:
    ids = random_ids(tiny_gpt, 2, 30)
    before = next_logits(tiny_gpt, ids)
    for at in (1, 13, 29):
        other = ids.clone()
        other[:, at:] = (ids[:, at:] + 5) % tiny_gpt.vocabulary_size
        after = next_logits(tiny_gpt, other)
        assert torch.allclose(after[:, :at], before[:, :at], atol=1e-5)
        assert not torch.allclose(after[:, at:], before[:, at:], atol=0.1)


@torch.no_grad()
def test_padding_at_the_end_changes_nothing(tiny_gpt: GPT) -> None:
    ids = random_ids(tiny_gpt, 3, 40)
    lengths = (40, 17, 1)
    batch = ids.clone()
    for row, length in enumerate(lengths):
        batch[row, length:] = 0
    logits = next_logits(tiny_gpt, batch)
    for row, length in enumerate(lengths):
        assert torch.allclose(logits[row, :length], next_logits(tiny_gpt, ids[row : row + 1, :length])[0], atol=1e-4)


@torch.no_grad()
def test_wanted_surprises_are_those_of_the_softmax_over_the_whole(tiny_gpt: GPT) -> None:
    ids = random_ids(tiny_gpt, 3, 20, 1)
    wanted = torch.rand(3, 20, 1, generator=torch.Generator().manual_seed(0)) < 0.4
    wanted[:, 0] = False
    nats = -next_logits(tiny_gpt, ids).log_softmax(-1)[:, :-1].gather(-1, ids[:, 1:])
    assert torch.allclose(tiny_gpt(ids, wanted), nats[wanted[:, 1:]], atol=1e-5)
    assert tiny_gpt(ids, torch.zeros_like(wanted)).shape == (0,)


@torch.no_grad()
def test_only_distances_between_positions_count(tiny_gpt: GPT) -> None:
    """Rotary positions: a sequence that starts at 20 has the logits of one that starts at 0."""
    ids = random_ids(tiny_gpt, 2, 15)
    shifted = tiny_gpt.logits(tiny_gpt.hidden(ids, torch.arange(20, 35).expand(2, -1)))
    assert torch.allclose(shifted, next_logits(tiny_gpt, ids), atol=1e-4)
    stretched = tiny_gpt.logits(tiny_gpt.hidden(ids, 2 * torch.arange(15).expand(2, -1)))
    assert not torch.allclose(stretched, next_logits(tiny_gpt, ids), atol=0.05)


@torch.no_grad()
def test_a_probe_sees_the_scores_of_the_first_head(tiny_gpt: GPT) -> None:
    """By transformers' own attention weights: masked and softmaxed, the probe's scores are head 0's."""
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(**tiny_gpt.config.huggingface(tiny_gpt.vocabulary_size), attn_implementation="eager")
    theirs = LlamaForCausalLM(config).eval()
    theirs.load_state_dict(tiny_gpt.state_dict(), strict=False)
    ids = random_ids(tiny_gpt, 2, 12)
    probe = dict.fromkeys((0, 1), torch.empty(0))
    assert torch.equal(next_logits(tiny_gpt, ids, probe=probe), next_logits(tiny_gpt, ids))
    weights = theirs(ids, output_attentions=True).attentions
    future = torch.ones(12, 12, dtype=torch.bool).triu(1)
    for layer, scores in probe.items():
        found = scores.masked_fill(future, float("-inf")).softmax(-1)
        assert torch.allclose(found, weights[layer][:, 0], atol=1e-4)


@torch.no_grad()
def test_a_new_network_guesses_evenly(tiny_vocabulary: Vocabulary) -> None:
    """ln(vocabulary) is the first loss that training expects."""
    torch.manual_seed(0)
    network = GPT(SIZES[0], tiny_vocabulary.size)
    ids = random_ids(network, 4, 40)
    loss = torch.nn.functional.cross_entropy(next_logits(network, ids)[:, :-1].flatten(0, 1), ids[:, 1:].flatten())
    assert float(loss) == pytest.approx(torch.tensor(tiny_vocabulary.size).log().item(), abs=0.05)


def test_dropout_acts_in_training_alone(tiny_vocabulary: Vocabulary) -> None:
    config = SIZES[0].model_copy(update={"dropout": 0.5})
    network = scrambled(GPT(config, tiny_vocabulary.size))
    plain = scrambled(GPT(SIZES[0], tiny_vocabulary.size))
    assert isinstance(network, GPT)
    ids = random_ids(network, 1, 20)
    assert torch.equal(next_logits(network, ids), next_logits(plain, ids))
    assert not torch.allclose(next_logits(network.train(), ids), next_logits(plain.train(), ids), atol=0.01)


def test_heads_must_divide_the_width() -> None:
    with pytest.raises(ConfigError, match=r"dim \(32\) must be a multiple of 2 \* heads \(6\)"):
        parse(GPTConfig, {**SIZES[0].model_dump(), "heads": 3}, "here")


def test_a_sink_lets_attention_look_nowhere(tiny_vocabulary: Vocabulary) -> None:
    """softmax1 written out: the weights are exp(s) / (1 + sum exp(s)), over what is seen."""
    config = GPTConfig(layers=1, dim=32, heads=4, hidden=48, max_tokens=64, sink=True)
    attention = scrambled(GPT(config, tiny_vocabulary.size)).model.layers[0].self_attn
    x = torch.randn(2, 7, 32, generator=torch.Generator().manual_seed(0))
    positions = torch.arange(7).expand(2, 7)
    cos, sin = rotary(positions, 8, config.rope_theta)
    with torch.no_grad():
        query, key, value = (
            p(x).unflatten(-1, (4, 8)).transpose(1, 2) for p in (attention.q_proj, attention.k_proj, attention.v_proj)
        )
        scores = _rotate(query, cos, sin) @ _rotate(key, cos, sin).transpose(-1, -2) / 8**0.5
        weights = scores.exp().tril()
        weights = weights / (1 + weights.sum(-1, keepdim=True))
        expected = attention.o_proj((weights @ value).transpose(1, 2).flatten(-2))
        found = attention(x, cos, sin, positions, 0, None, None)
    assert torch.allclose(found, expected, atol=1e-5)


def test_cached_is_uncached_with_a_sink(tiny_vocabulary: Vocabulary) -> None:
    network = scrambled(
        GPT(GPTConfig(layers=2, dim=32, heads=4, hidden=48, max_tokens=64, sink=True), tiny_vocabulary.size)
    )
    ids = random_ids(network, 2, 20)
    cache = KVCache(network.config, 2, 64, network.model.norm.weight)
    with torch.no_grad():
        whole = next_logits(network, ids)
        first = network.logits(network.hidden(ids[:, :12], torch.arange(12).expand(2, 12), cache))
        rest = [network.logits(network.hidden(ids[:, i : i + 1], torch.full((2, 1), i), cache)) for i in range(12, 20)]
    assert torch.allclose(torch.cat([first, *rest], dim=1), whole, atol=1e-4)


def test_a_sink_is_no_llama(tiny_vocabulary: Vocabulary) -> None:
    config = GPTConfig(layers=1, dim=32, heads=4, hidden=48, max_tokens=64, sink=True)
    assert "llama" not in str(config.huggingface(tiny_vocabulary.size)).lower()


def test_attention_while_training_is_attention(tiny_gpt: GPT) -> None:
    """On a CPU training takes another path than evaluation; both are the fused kernel's result."""
    shape = (2, 3, 9, 8)
    inputs = [torch.randn(shape, generator=torch.Generator().manual_seed(i)).requires_grad_() for i in range(3)]
    found = _causal_attention(*inputs)
    expected = torch.nn.functional.scaled_dot_product_attention(*inputs, is_causal=True)
    assert torch.allclose(found, expected, atol=1e-6)
    gradients = [torch.autograd.grad(out.square().sum(), inputs) for out in (found, expected)]
    for ours, theirs in zip(*gradients, strict=True):
        assert torch.allclose(ours, theirs, atol=1e-5)
    ids = random_ids(tiny_gpt, 2, 20)
    with torch.no_grad():
        evaluated = next_logits(tiny_gpt, ids)
    assert torch.allclose(next_logits(tiny_gpt, ids), evaluated, atol=1e-4)
