"""The GPT against transformers, and its cache against itself."""

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from triforce_tts.models.gpt import GPT, GPTConfig, KVCache

CONFIG = GPTConfig(layers=3, dim=64, heads=4, hidden=96, max_tokens=128)
SIZE = 120


@pytest.fixture(scope="module")
def gpt() -> GPT:
    torch.manual_seed(0)
    return GPT(CONFIG, SIZE).eval()


@pytest.fixture(scope="module")
def ids() -> torch.Tensor:
    return torch.randint(0, SIZE, (3, 40), generator=torch.Generator().manual_seed(1))


@torch.inference_mode()
def test_logits_are_transformers(gpt: GPT, ids: torch.Tensor) -> None:
    theirs = LlamaForCausalLM(LlamaConfig(**CONFIG.huggingface(SIZE))).eval()
    missing, unexpected = theirs.load_state_dict(gpt.state_dict(), strict=False)
    assert missing == ["lm_head.weight"]  # tied to the input table
    assert unexpected == []
    assert torch.allclose(gpt(ids), theirs(ids).logits, atol=1e-4)


@torch.inference_mode()
def test_cached_is_uncached(gpt: GPT, ids: torch.Tensor) -> None:
    expected = gpt(ids)
    cache = KVCache(CONFIG, 3, 50, expected)
    positions = torch.arange(40).expand(3, 40)
    hidden = [gpt.hidden(ids[:, :25], positions[:, :25], cache)]
    hidden += [gpt.hidden(ids[:, t : t + 1], positions[:, t : t + 1], cache) for t in range(25, 40)]
    assert torch.allclose(gpt.logits(torch.cat(hidden, 1)), expected, atol=1e-4)


@torch.inference_mode()
def test_rows_of_unequal_length_are_as_alone(gpt: GPT, ids: torch.Tensor) -> None:
    lengths, steps = torch.tensor([20, 11, 5]), 10
    cache = KVCache(CONFIG, 3, 40, gpt.model.norm.weight)
    gpt.hidden(ids[:, :20], torch.arange(20).expand(3, 20), cache)
    for step in range(steps):
        at = lengths + step
        logits = gpt.logits(gpt.hidden(ids.gather(1, at[:, None]), at[:, None], cache))[:, 0]
        for row in range(3):
            alone = gpt(ids[row : row + 1, : int(at[row]) + 1])[0, -1]
            assert torch.allclose(logits[row], alone, atol=1e-4)


@torch.inference_mode()
def test_the_future_changes_no_past_logit(gpt: GPT, ids: torch.Tensor) -> None:
    changed = ids.clone()
    changed[:, 20:] = (changed[:, 20:] + 1) % SIZE
    assert torch.allclose(gpt(ids)[:, :20], gpt(changed)[:, :20], atol=1e-6)
    assert not torch.allclose(gpt(ids)[:, 20:], gpt(changed)[:, 20:], atol=1e-3)


@torch.inference_mode()
def test_chosen_logits_are_those_of_all(gpt: GPT, ids: torch.Tensor) -> None:
    chosen = torch.rand(ids.shape, generator=torch.Generator().manual_seed(0)) < 0.4
    assert torch.allclose(gpt(ids, chosen), gpt(ids)[chosen], atol=1e-6)


@torch.inference_mode()
def test_probed_attention_is_the_first_heads(gpt: GPT, ids: torch.Tensor) -> None:
    probe = {1: torch.empty(0)}
    assert torch.equal(gpt(ids, probe=probe), gpt(ids))
    assert probe[1].shape == (3, 40, 40)
    x = gpt.model.embed_tokens(ids)
    assert not torch.equal(probe[1][0], probe[1][1])
    assert x.shape == (3, 40, 64)
