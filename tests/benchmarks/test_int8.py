import pytest
import torch

from benchmarks.int8 import (
    LARGEST,
    Moments,
    decode,
    dynamic,
    engines,
    int8_inputs,
    outliers,
    products,
    rounded,
    speed,
    with_int8_weights,
)
from tests.conftest import next_logits
from triforce_tts.models.gpt import GPT

pytestmark = pytest.mark.usefixtures("one_thread")


def test_rounding_by_hand() -> None:
    # The scale is 2.54 / 127 = 0.02, so 0.019 is rounded to one step and 0.009 to zero.
    found = rounded(torch.tensor([[2.54, -0.019, 0.009, -2.54]]), (-1,))
    assert found.tolist()[0] == pytest.approx([2.54, -0.02, 0.0, -2.54])


def test_the_error_is_at_most_half_a_step_and_rounding_twice_changes_nothing() -> None:
    x = torch.randn(5, 64, generator=torch.Generator().manual_seed(0))
    found = rounded(x, (-1,))
    step = x.abs().amax(-1, keepdim=True) / LARGEST
    assert ((found - x).abs() <= step / 2 + 1e-7).all()
    assert torch.allclose(rounded(found, (-1,)), found, atol=1e-6)
    assert len((found / step).round().unique()) <= 2 * LARGEST + 1


def test_an_outlier_costs_only_those_that_share_its_scale() -> None:
    x = torch.full((1, 2, 4), 0.1)
    x[0, 0, 0] = 100.0
    by_token, by_utterance = rounded(x, (-1,)), rounded(x, (-2, -1))
    assert by_token[0, 1].tolist() == pytest.approx([0.1] * 4)
    assert by_utterance[0, 1].tolist() == [0.0] * 4


def test_weights_are_rounded_by_row_in_a_copy(tiny_gpt: GPT) -> None:
    before = {name: value.clone() for name, value in tiny_gpt.state_dict().items()}
    twin = with_int8_weights(tiny_gpt)
    assert all(torch.equal(value, before[name]) for name, value in tiny_gpt.state_dict().items())
    for old, new in zip(products(tiny_gpt), products(twin), strict=True):
        for row, whole in zip(new.weight, old.weight, strict=True):
            assert torch.allclose(row, rounded(whole, (-1,)))
    assert not torch.equal(twin.model.embed_tokens.weight, tiny_gpt.model.embed_tokens.weight)
    assert torch.equal(twin.model.norm.weight, tiny_gpt.model.norm.weight)


def test_inputs_are_rounded_inside_the_block_alone(tiny_gpt: GPT) -> None:
    ids = torch.tensor([[3, 7, 1, 9]])
    with torch.no_grad():
        exact = next_logits(tiny_gpt, ids)
        with int8_inputs(tiny_gpt, (-2, -1)):
            coarse = next_logits(tiny_gpt, ids)
        with int8_inputs(tiny_gpt, None):
            assert torch.equal(next_logits(tiny_gpt, ids), exact)
        assert torch.equal(next_logits(tiny_gpt, ids), exact)
    difference = (coarse - exact).abs().max()
    assert 0 < difference < 0.5 * exact.abs().max()


def test_moments_over_parts_are_those_of_the_whole() -> None:
    x = torch.randn(4000, generator=torch.Generator().manual_seed(0)).double() + 3
    moments = Moments()
    for part in x.split(700):
        moments.add(part)
    centred = x - x.mean()
    expected = float(centred.pow(4).mean() / centred.square().mean() ** 2)
    assert moments.kurtosis == pytest.approx(expected)
    assert moments.kurtosis == pytest.approx(3.0, abs=0.3)
    assert moments.largest == pytest.approx(float(x.abs().max()))


def test_outliers_are_watched_in_every_product_and_layer(tiny_gpt: GPT) -> None:
    with outliers(tiny_gpt) as found, torch.no_grad():
        next_logits(tiny_gpt, torch.tensor([[3, 7, 1, 9]]))
    assert len(found["inputs of products"]) == 7 * tiny_gpt.config.layers
    assert len(found["residual stream"]) == tiny_gpt.config.layers
    assert all(m.count and m.largest > 0 for part in found.values() for m in part)


def test_decoding_is_timed_with_and_without_int8_products(tiny_gpt: GPT) -> None:
    decode(tiny_gpt, 3)
    assert speed(tiny_gpt, tokens=10, rounds=1) > 0
    if engines():
        twin = dynamic(tiny_gpt)
        assert not any(type(module) is torch.nn.Linear for module in twin.modules())
        decode(twin, 2)
