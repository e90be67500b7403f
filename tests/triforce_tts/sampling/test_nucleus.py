"""One id drawn from a few probabilities, by hand."""

import pytest
import torch

from tests.triforce_tts.sampling.test_tokens import GREEDY
from triforce_tts.sampling.nucleus import TokenSampling, pick

pytestmark = pytest.mark.usefixtures("one_thread")


FOUR = torch.tensor([0.1, 0.4, 0.2, 0.3]).log()


def picks(uniforms: list[float], sampling: TokenSampling, logits: torch.Tensor = FOUR) -> list[int]:
    found: list[int] = pick(logits.expand(len(uniforms), -1), torch.tensor(uniforms), sampling).tolist()
    return found


def test_the_nucleus_by_hand() -> None:
    """Of 0.4, 0.3, 0.2, 0.1 the first two hold 0.6: the likeliest takes the uniforms below 4/7."""
    nucleus = TokenSampling(temperature=1.0, top_p=0.6)
    assert picks([0.0, 0.3, 0.57, 0.575, 0.9, 1 - 2**-24, 1.0], nucleus) == [1, 1, 1, 3, 3, 3, 3]


def test_the_whole_distribution_by_hand() -> None:
    whole = TokenSampling(temperature=1.0, top_p=1.0)
    uniforms = [0.0, 0.39, 0.41, 0.69, 0.71, 0.89, 0.91, 1 - 2**-24]
    assert picks(uniforms, whole) == [1, 1, 3, 3, 2, 2, 0, 0]


def test_temperature_by_hand() -> None:
    """At one half the shares are squared: 16, 9, 4 and 1 of 30."""
    cold = TokenSampling(temperature=0.5, top_p=1.0)
    assert picks([0.53, 0.54, 0.83, 0.84, 0.96, 0.97], cold) == [1, 3, 3, 2, 2, 0]


def test_the_likeliest_alone() -> None:
    uniforms = [0.0, 0.5, 1 - 2**-24]
    assert picks(uniforms, GREEDY) == [1, 1, 1]
    assert picks(uniforms, TokenSampling(temperature=1.0, top_p=1e-6)) == [1, 1, 1]


def test_frequencies_are_the_probabilities() -> None:
    uniforms = (torch.arange(10_000) + 0.5) / 10_000
    counts = torch.bincount(pick(FOUR.expand(10_000, -1), uniforms, TokenSampling(1.0, 1.0)), minlength=4)
    assert torch.allclose(counts / 10_000, FOUR.exp(), atol=2e-4)


@pytest.mark.parametrize("top_p", [0.3, 0.9, 1.0])
def test_no_uniform_leads_to_a_forbidden_id(top_p: float) -> None:
    rng = torch.Generator().manual_seed(0)
    logits = 3 * torch.randn(2000, 50, generator=rng)
    allowed = torch.rand(2000, 50, generator=rng) < 0.2
    allowed[:, 7] = True
    uniforms = torch.rand(2000, generator=rng)
    uniforms[:500], uniforms[500:1000] = 1.0, 0.0
    ids = pick(logits.masked_fill(~allowed, float("-inf")), uniforms, TokenSampling(1.0, top_p))
    assert allowed.gather(1, ids[:, None]).all()
