"""Flow-matching samplers: functions of any callable that predicts the clean target."""

from collections.abc import Callable

import torch

Predict = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def uniform_times(steps: int) -> torch.Tensor:
    """Flow times from 0 (noise) to 1 (clean), [steps + 1]."""
    return torch.linspace(0.0, 1.0, steps + 1)


def sample_euler(predict: Predict, noise: torch.Tensor, times: torch.Tensor) -> torch.Tensor:
    """The sample at the end of the flow from ``noise``, by Euler steps between ``times``.

    The velocity of a straight path towards a predicted end x1 is (x1 - x) / (1 - t) (Lipman et al., 2023). With one
    step this is the prediction from noise alone: a regression.

    Args:
        predict: clean target of (x, t), x like ``noise``, t [batch].
        noise: [batch, ...] at time 0.
        times: increasing from 0 to 1, [steps + 1].
    """
    x = noise
    for now, after in zip(times[:-1].tolist(), times[1:].tolist(), strict=True):
        clean = predict(x, torch.full((x.shape[0],), now, device=x.device))
        x = clean if after == 1.0 else x + (clean - x) * ((after - now) / (1.0 - now))
    return x


def utterance_noise(seeds: list[int], frames: list[int], channels: int) -> torch.Tensor:
    """Standard normal noise [batch, max(frames), channels], each utterance from its own seed; zero past its end."""
    noise = torch.zeros(len(seeds), max(frames), channels)
    for row, (seed, length) in enumerate(zip(seeds, frames, strict=True)):
        noise[row, :length] = torch.randn(length, channels, generator=torch.Generator().manual_seed(seed))
    return noise
