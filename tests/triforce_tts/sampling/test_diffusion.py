import math
from collections.abc import Callable

import pytest
import torch

from triforce_tts.models.diffusion import Diffusion
from triforce_tts.sampling.diffusion import (
    SAMPLERS,
    guided,
    invert_euler,
    sample_euler,
    sway_times,
    uniform_times,
    upsample,
    utterance_noise,
)

pytestmark = pytest.mark.usefixtures("one_thread")


def test_times_run_from_noise_to_clean() -> None:
    assert uniform_times(1).tolist() == [0.0, 1.0]
    assert uniform_times(4).tolist() == [0.0, 0.25, 0.5, 0.75, 1.0]
    for steps in range(1, 60):
        times = uniform_times(steps)
        assert len(times) == steps + 1
        assert times[-1] == 1.0
        assert times.diff().min() > 0


@pytest.mark.parametrize("times", [[0.0, 1.0], [0.0, 0.25, 0.5, 0.75, 1.0], [0.0, 0.1, 0.7, 1.0]])
def test_one_who_knows_the_answer_is_followed_along_the_straight_line(times: list[float]) -> None:
    rng = torch.Generator().manual_seed(0)
    noise, clean = torch.randn(2, 3, 5, 4, generator=rng)
    seen: list[float] = []

    def predict(x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        assert t.shape == (3,)
        assert (t == t[0]).all()
        now = float(t[0])
        assert torch.allclose(x, (1 - now) * noise + now * clean, atol=1e-6)
        seen.append(now)
        return clean

    kept = noise.clone()
    assert torch.equal(sample_euler(predict, noise, torch.tensor(times)), clean)
    assert seen == pytest.approx(times[:-1])
    assert torch.equal(noise, kept)


def test_one_step_is_the_regression_from_noise() -> None:
    noise = torch.randn(2, 6, generator=torch.Generator().manual_seed(0))
    found = sample_euler(lambda x, t: 3 * x + 1 + t[:, None], noise, uniform_times(1))
    assert torch.equal(found, 3 * noise + 1)


def test_two_steps_by_hand() -> None:
    """From 8 at time 0 towards 0: 4 at time 1/2; from there the prediction is 4 + 1/2."""
    found = sample_euler(lambda x, t: x * (t > 0) + t, torch.tensor([8.0]), torch.tensor([0.0, 0.5, 1.0]))
    assert found.tolist() == [4.5]


@pytest.mark.parametrize(("mean", "deviation"), [(0.0, 1.0), (2.0, 0.5), (-1.0, 3.0)])
def test_the_best_predictor_of_a_gaussian_samples_that_gaussian(mean: float, deviation: float) -> None:
    """Along x_t = (1 - t) x_0 + t x_1 the exact flow carries x_0 to mean + deviation * x_0."""

    def predict(x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        now = t[:, None]
        gain = now * deviation**2 / ((now * deviation) ** 2 + (1 - now) ** 2)
        return mean + gain * (x - now * mean)

    noise = torch.randn(4, 5000, generator=torch.Generator().manual_seed(0))
    samples = sample_euler(predict, noise, uniform_times(500))
    assert float(samples.mean()) == pytest.approx(mean, abs=0.05)
    assert float(samples.std()) == pytest.approx(deviation, rel=0.03)
    errors = [
        float((sample_euler(predict, noise, uniform_times(steps)) - mean - deviation * noise).abs().mean())
        for steps in (20, 100, 500)
    ]
    assert errors[2] < 0.02 * deviation
    assert errors[2] <= errors[1] <= errors[0]


def test_a_row_of_noise_depends_on_its_seed_alone() -> None:
    together = utterance_noise([7, 8, 7, 9], [20, 35, 20, 1], 5)
    assert together.shape == (4, 35, 5)
    assert torch.equal(together[0], together[2])
    assert not torch.equal(together[0, :20], together[1, :20])
    for row, (seed, frames) in enumerate(((7, 20), (8, 35), (7, 20), (9, 1))):
        assert torch.equal(together[row, :frames], utterance_noise([seed], [frames], 5)[0])
        assert together[row, frames:].abs().sum() == 0
    assert torch.equal(utterance_noise([9, 7], [1, 20], 5)[1], together[0, :20])


def test_noise_is_standard_normal_and_leaves_the_global_generator_alone() -> None:
    state = torch.get_rng_state()
    noise = utterance_noise([1, 2], [400, 400], 100)
    assert torch.equal(torch.get_rng_state(), state)
    assert float(noise.mean()) == pytest.approx(0, abs=0.02)
    assert float(noise.std()) == pytest.approx(1, abs=0.02)
    assert abs(float((noise[0] * noise[1]).mean())) < 0.02


def gaussian(mean: float, deviation: float) -> Callable[[torch.Tensor, torch.Tensor], torch.Tensor]:
    """The best prediction where the target is normal; the exact flow carries x_0 to mean + deviation * x_0."""

    def predict(x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        now = t[:, None]
        gain = now * deviation**2 / ((now * deviation) ** 2 + (1 - now) ** 2)
        return mean + gain * (x - now * mean)

    return predict


@pytest.mark.parametrize(("name", "order"), [("euler", 1), ("midpoint", 2), ("multistep", 2)])
def test_error_falls_with_the_order_of_the_sampler(name: str, order: int) -> None:
    noise = torch.randn(2, 400, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    errors = []
    for steps in (40, 80):
        found = SAMPLERS[name](gaussian(1.0, 0.5), noise, uniform_times(steps).double())
        errors.append(float((found - 1.0 - 0.5 * noise).abs().mean()))
    assert errors[0] / errors[1] > 0.75 * 2**order


@pytest.mark.parametrize("name", SAMPLERS)
def test_every_sampler_follows_one_who_knows_the_answer(name: str) -> None:
    noise, clean = torch.randn(2, 3, 5, generator=torch.Generator().manual_seed(0))
    for steps in (1, 2, 5):
        found = SAMPLERS[name](lambda x, t: clean, noise, uniform_times(steps))
        assert torch.allclose(found, clean, atol=1e-5)


def test_swayed_times_start_slowly_and_increase() -> None:
    assert torch.allclose(sway_times(8, 0.0), uniform_times(8))
    times = sway_times(4)
    assert times.tolist() == pytest.approx([1 - math.cos(math.pi * k / 8) for k in range(5)], abs=1e-6)
    assert sway_times(16).diff().min() > 0
    with pytest.raises(ValueError, match="sway is -2"):
        sway_times(4, -2.0)


def test_inversion_finds_the_noise_again() -> None:
    noise = torch.randn(2, 300, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    clean = 0.2 + 0.5 * noise
    found = invert_euler(gaussian(0.2, 0.5), clean, uniform_times(1000).double())
    assert float((found - noise).abs().mean()) < 0.05


def test_guidance_goes_beyond_the_condition_and_costs_nothing_at_one() -> None:
    asked: list[bool] = []

    def predict(x: torch.Tensor, t: torch.Tensor, drop: bool) -> torch.Tensor:
        asked.append(drop)
        return torch.full_like(x, 1.0 if drop else 3.0)

    x, t = torch.zeros(1, 2), torch.zeros(1)
    assert guided(predict, 1.0)(x, t).tolist() == [[3.0, 3.0]]
    assert asked == [False]
    assert guided(predict, 1.5)(x, t).tolist() == [[4.0, 4.0]]
    assert guided(predict, 0.0)(x, t).tolist() == [[1.0, 1.0]]


@torch.no_grad()
def test_an_utterance_is_upsampled_as_it_is_alone(tiny_diffusion: Diffusion) -> None:
    rng = torch.Generator().manual_seed(0)
    lengths = torch.tensor([20, 9])
    decode = torch.randn(2, 20, tiny_diffusion.audio.n_mels, generator=rng)
    speaker = torch.randn(2, tiny_diffusion.config.reference_channels, generator=rng)
    together = upsample(tiny_diffusion, decode, speaker, lengths, [5, 6], 3)
    for row, length in enumerate((20, 9)):
        one = slice(row, row + 1)
        alone = upsample(tiny_diffusion, decode[one, :length], speaker[one], lengths[one], [5 + row], 3)
        assert torch.allclose(together[row, :length], alone[0], atol=1e-4)
