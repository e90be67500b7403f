import pytest
import torch

from triforce_tts.sampling.diffusion import sample_euler, uniform_times, utterance_noise

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
