"""Samplers for flow matching, which work with any function that predicts the clean end; and their use in stage 3."""

import math
from collections.abc import Callable
from itertools import pairwise

import torch

from triforce_tts.errors import ConfigError
from triforce_tts.models.source_filter import SourceFilter
from triforce_tts.models.upsampler import Upsampler

Predict = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def uniform_times(steps: int) -> torch.Tensor:
    """Flow times from 0 (noise) to 1 (clean), [steps + 1]."""
    return torch.linspace(0.0, 1.0, steps + 1)


def sample_euler(predict: Predict, noise: torch.Tensor, times: torch.Tensor) -> torch.Tensor:
    """The sample at the end of the flow from ``noise``, by Euler steps between ``times``.

    The velocity of a straight path towards a predicted end x1 is (x1 - x) / (1 - t) (Lipman et al., 2023). With one
    step this is the prediction from noise alone: a regression.

    Args:
        predict: gives the clean end for (x, t); x has the shape of ``noise``, t is [batch].
        noise: [batch, ...] at time 0.
        times: increasing from 0 to 1, [steps + 1].
    """
    x = noise
    for now, after in zip(times[:-1].tolist(), times[1:].tolist(), strict=True):
        clean = predict(x, torch.full((x.shape[0],), now, device=x.device))
        x = clean if after == 1.0 else x + (clean - x) * ((after - now) / (1.0 - now))
    return x


def sway_times(steps: int, sway: float = -1.0) -> torch.Tensor:
    """Flow times [steps + 1] that are denser near the noise for ``sway`` < 0: u + sway (cos(pi u / 2) - 1 + u).

    Chen et al., "F5-TTS", 2024 (sway sampling); ``sway`` in [-1, 2 / (pi - 2)] keeps them increasing.
    """
    if not -1.0 <= sway <= 2.0 / (math.pi - 2.0):
        raise ValueError(f"sway is {sway}, expected -1 to {2.0 / (math.pi - 2.0):.2f}")
    u = torch.linspace(0.0, 1.0, steps + 1, dtype=torch.float64)
    times = (u + sway * (torch.cos(math.pi * u / 2) - 1 + u)).float()
    times[0], times[-1] = 0.0, 1.0
    return times


def sample_midpoint(predict: Predict, noise: torch.Tensor, times: torch.Tensor) -> torch.Tensor:
    """Like ``sample_euler``, but each step uses the velocity at its middle: two predictions a step, second order."""
    x = noise
    for now, after in zip(times[:-1].tolist(), times[1:].tolist(), strict=True):
        middle = (now + after) / 2
        clean = predict(x, torch.full((x.shape[0],), now, device=x.device))
        halfway = x + (clean - x) * ((middle - now) / (1.0 - now))
        clean = predict(halfway, torch.full((x.shape[0],), middle, device=x.device))
        x = x + (clean - halfway) * ((after - now) / (1.0 - middle))
    return x


def sample_multistep(predict: Predict, noise: torch.Tensor, times: torch.Tensor) -> torch.Tensor:
    """Like ``sample_euler``, but each step extrapolates from the last two predictions: one for a step, second order.

    This is DPM-Solver++(2M) (Lu et al., 2022) for the straight path, whose signal-to-noise ratio is (t / (1 - t))^2.
    The first two steps and the last are Euler steps, because the logarithm of that ratio is infinite at their ends.
    """
    x, before, clean_before = noise, 0.0, noise
    for number, (now, after) in enumerate(zip(times[:-1].tolist(), times[1:].tolist(), strict=True)):
        clean = predict(x, torch.full((x.shape[0],), now, device=x.device))
        target = clean
        if number > 1 and after < 1.0:
            width, width_before = _log_snr(after) - _log_snr(now), _log_snr(now) - _log_snr(before)
            target = clean + (clean - clean_before) * (width / (2.0 * width_before))
        x = target if after == 1.0 else x + (target - x) * ((after - now) / (1.0 - now))
        before, clean_before = now, clean
    return x


def _log_snr(t: float) -> float:
    """Half the log of the signal-to-noise ratio at ``t`` in (0, 1)."""
    return math.log(t / (1.0 - t))


def invert_euler(predict: Predict, clean: torch.Tensor, times: torch.Tensor) -> torch.Tensor:
    """The noise that the flow carries to ``clean``; the equation of the flow is solved from the end to the start.

    At time 1, and only there, the velocity is not defined. The first step back therefore goes to the mean of the path,
    (1 - t) * 0 + t * clean.

    Args:
        predict: gives the clean end for (x, t).
        clean: [batch, ...] at time 1.
        times: increasing from 0 to 1, [steps + 1].
    """
    backwards: list[float] = times.flip(0).tolist()
    x = clean * backwards[1]
    for now, after in pairwise(backwards[1:]):
        predicted = predict(x, torch.full((x.shape[0],), now, device=x.device))
        x = x + (predicted - x) * ((after - now) / (1.0 - now))
    return x


SAMPLERS: dict[str, Callable[[Predict, torch.Tensor, torch.Tensor], torch.Tensor]] = {
    "euler": sample_euler,
    "midpoint": sample_midpoint,
    "multistep": sample_multistep,
}


def predictions(sampler: str, steps: int) -> int:
    """The number of predictions by ``sampler`` in ``steps`` steps, each after the result of the previous one."""
    return 2 * steps if sampler == "midpoint" else steps


def guided(predict: Callable[[torch.Tensor, torch.Tensor, bool], torch.Tensor], scale: float) -> Predict:
    """A prediction with classifier-free guidance (Ho and Salimans, 2022): away from the one without conditions.

    ``predict`` takes (x, t, whether conditions are dropped). ``scale`` 1 means no guidance, and costs nothing.
    """
    if scale == 1.0:
        return lambda x, t: predict(x, t, False)

    def both(x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        free = predict(x, t, True)
        return free + scale * (predict(x, t, False) - free)

    return both


def utterance_noise(seeds: list[int], frames: list[int], channels: int) -> torch.Tensor:
    """Standard normal noise [batch, max(frames), channels], each utterance from its own seed; zero past its end.

    The noise of a frame belongs to its seed and its place: an utterance that is longer has the same noise before. Only
    its last 16 numbers depend on its length too, unless their count is a multiple of 16: torch fills blocks of 16.
    """
    noise = torch.zeros(len(seeds), max(frames), channels)
    for row, (seed, length) in enumerate(zip(seeds, frames, strict=True)):
        noise[row, :length] = torch.randn(length, channels, generator=torch.Generator().manual_seed(seed))
    return noise


def upsampler(
    network: Upsampler, decode: torch.Tensor, speaker: torch.Tensor, lengths: torch.Tensor, guidance: float = 1.0
) -> Predict:
    """The clean state that ``network`` predicts of (x, t), given a decode and a reference.

    Args:
        network: stage 3.
        decode: standardised mel, [batch, frames, n_mels].
        speaker: of ``network.reference``, [batch, reference_channels].
        lengths: frames of each utterance, [batch].
        guidance: its scale; any other than 1 needs a network that was trained with dropped conditions.
    """

    def predict(x: torch.Tensor, t: torch.Tensor, drop: bool) -> torch.Tensor:
        dropped = torch.ones(len(x), dtype=torch.bool, device=x.device) if drop else None
        clean: torch.Tensor = network(x, t, decode, speaker, lengths, dropped)
        return clean

    return guided(predict, guidance)


def upsample(
    network: Upsampler,
    decode: torch.Tensor,
    speaker: torch.Tensor,
    lengths: torch.Tensor,
    seeds: list[int],
    steps: int,
    sampler: str = "euler",
    guidance: float = 1.0,
) -> torch.Tensor:
    """The clean state [batch, frames, width] of each decode, from noise of its own seed; see ``upsampler``."""
    white = utterance_noise(seeds, lengths.tolist(), network.target.width).to(decode.device)
    return upsample_from(white, network, decode, speaker, lengths, steps, sampler, guidance)


def upsample_from(
    white: torch.Tensor,
    network: Upsampler,
    decode: torch.Tensor,
    speaker: torch.Tensor,
    lengths: torch.Tensor,
    steps: int,
    sampler: str = "euler",
    guidance: float = 1.0,
) -> torch.Tensor:
    """Like ``upsample``, but from given standard normal noise ``white`` [batch, frames, width].

    Raises:
        ConfigError: more than one prediction is asked of a network that makes one.
    """
    if isinstance(network, SourceFilter) and predictions(sampler, steps) != 1:
        raise ConfigError(
            f"{steps} steps of stage 3: a network with target 'source' predicts in one step (sampler here: {sampler}); use 1, "
            "or 0 to leave it out, and sampler euler"
        )
    noise = network.target.noise(white, decode, lengths)
    predict = upsampler(network, decode, speaker, lengths, guidance)
    return SAMPLERS[sampler](predict, noise, uniform_times(steps))
