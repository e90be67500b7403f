"""Pulses, noise and their filters, compared with sums of cosines by hand and with SciPy."""

import math

import numpy as np
import pytest
import torch
from scipy import signal

from triforce_tts.audio.source import Grid, filtered, held, minimum_phase, pulses, sound_of, spectra, turns_of

pytestmark = pytest.mark.usefixtures("one_thread")

GRID = Grid(16_000, 128)
FRAMES = 120


def train(hertz: torch.Tensor, voiced: torch.Tensor | None = None) -> torch.Tensor:
    return pulses(hertz, torch.ones_like(hertz) if voiced is None else voiced, turns_of(hertz, GRID), GRID)


def glide() -> torch.Tensor:
    return 180 * 2 ** (0.4 * torch.sin(torch.linspace(0, 9, FRAMES)))[None]


def white(seed: int, frames: int = FRAMES) -> torch.Tensor:
    return torch.randn(1, frames * GRID.hop, generator=torch.Generator().manual_seed(seed))


def test_sizes() -> None:
    assert (GRID.window, GRID.n_fft, GRID.n_bins) == (512, 1024, 513)
    assert (Grid(24_000, 96).window, Grid(24_000, 96).n_fft) == (384, 1024)
    assert Grid(8000, 16).n_fft == 256


def test_pulses_are_the_sum_of_all_cosines() -> None:
    """At 300 Hz there are 26 below 8000 Hz, and two thirds of the next."""
    wave = train(torch.full((1, 20), 300.0))[0].double()
    phase = 2 * math.pi * 300 * torch.arange(20 * GRID.hop, dtype=torch.float64) / GRID.sample_rate
    cosines = sum(torch.cos(n * phase) for n in range(1, 27)) + (8000 / 300 - 26) * torch.cos(27 * phase)
    assert torch.allclose(wave, cosines * math.sqrt(2 * 300 / 8000), atol=1e-3)


def test_pulses_follow_a_glide() -> None:
    hertz = glide()
    wave = train(hertz)[0].double().numpy()
    at_samples = np.exp(np.interp(np.arange(len(wave)) / GRID.hop, np.arange(FRAMES), np.log(hertz[0].numpy())))
    phase = 2 * np.pi * np.concatenate(([0.0], np.cumsum(at_samples / GRID.sample_rate)[:-1]))
    lowest = signal.sosfiltfilt(signal.butter(6, 330, fs=GRID.sample_rate, output="sos"), wave)
    expected = signal.sosfiltfilt(
        signal.butter(6, 330, fs=GRID.sample_rate, output="sos"),
        sum(np.cos(n * phase) for n in range(1, 5)) * np.sqrt(2 * at_samples / 8000),
    )
    assert np.abs(lowest - expected)[1000:-1000].max() < 0.01 * np.abs(expected).max()


def test_pulses_have_the_power_of_white_noise_in_every_band() -> None:
    powers = [signal.welch(wave[0].numpy(), 16_000, nperseg=2048)[1] for wave in (train(glide()), white(0))]
    bands = [power[64:960].reshape(8, -1).mean(1) for power in powers]  # 500 to 7500 Hz
    assert np.abs(10 * np.log10(bands[0] / bands[1])).max() < 1.0


def test_unvoiced_frames_are_silent_and_the_pitch_is_held_beside_them() -> None:
    voiced = torch.tensor([[0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 0.0, 0.0]])
    hertz = torch.tensor([[0.0, 77.0, 100.0, 110.0, 0.0, 440.0, 0.0, 9.0]])
    expected = [150.0, 100.0, 100.0, 110.0, math.sqrt(110 * 440), 440.0, 440.0, 150.0]
    assert torch.allclose(held(hertz, voiced), torch.tensor([expected]), rtol=1e-5)
    wave = train(held(hertz, voiced), voiced)[0].view(8, GRID.hop)
    assert (wave[0] == 0).all()
    assert (wave[6:] == 0).all()
    assert wave[[2, 4]].abs().amax(1).min() > 1.0


def test_turns_go_on_from_part_to_part() -> None:
    hertz = glide()
    whole = turns_of(hertz, GRID)
    later = (turns_of(hertz[:, 50:], GRID) + whole[:, 50:51]).remainder(1.0)
    apart = (later - whole[:, 50:] + 0.5).remainder(1.0) - 0.5
    assert apart.abs().max() < 1e-5
    voiced = torch.ones_like(hertz)
    parts = [
        pulses(hertz[:, :60], voiced[:, :60], whole[:, :60], GRID),
        pulses(hertz[:, 50:], voiced[:, 50:], later, GRID),
    ]
    wave = torch.cat((parts[0][:, : 50 * GRID.hop], parts[1]), 1)
    assert torch.allclose(wave, train(hertz), atol=1e-2)


def test_filters_of_0_db_change_nothing() -> None:
    wave, noise = train(glide()), white(0)
    assert torch.allclose(sound_of(spectra(wave, GRID), GRID)[0, 256:-256], wave[0, 256:-256], atol=1e-5)
    flat, shut = torch.zeros(1, FRAMES, GRID.n_bins), torch.full((1, FRAMES, GRID.n_bins), -30.0)
    inside = slice(GRID.window, -GRID.window)
    assert torch.allclose(filtered(wave, noise, flat, shut, GRID)[0, inside], wave[0, inside], atol=1e-4)
    assert torch.allclose(filtered(wave, noise, shut, flat, GRID)[0, inside], noise[0, inside], atol=1e-4)
    assert torch.allclose(filtered(wave, noise, flat, flat, GRID)[0, inside], (wave + noise)[0, inside], atol=1e-4)


def test_the_phase_of_a_filter_with_poles_and_zeros_inside_the_circle() -> None:
    """Such a filter has minimum phase, so its magnitudes say everything."""
    poles = [0.8 * np.exp(1j * 0.6), 0.9 * np.exp(1j * 2.0)]
    zeros = [0.7 * np.exp(1j * 1.2)]
    b, a = (np.real(np.poly([*roots, *np.conj(roots)])) for roots in (zeros, poles))
    _, response = signal.freqz(b, a, np.linspace(0, np.pi, 513))
    found = minimum_phase(torch.from_numpy(np.log(np.abs(response))), 1024).numpy()
    assert np.abs(found - response).max() < 1e-4 * np.abs(response).max()


def test_pulses_through_a_filter_are_what_scipy_makes_of_them() -> None:
    b, a = [1.0], np.real(np.poly([0.9 * np.exp(1j * 0.4), 0.9 * np.exp(-1j * 0.4)]))
    _, response = signal.freqz(b, a, np.linspace(0, np.pi, GRID.n_bins))
    shape = torch.from_numpy(np.log(np.abs(response))).float().expand(1, FRAMES, -1)
    wave = train(torch.full((1, FRAMES), 140.0))
    shut = torch.full((1, FRAMES, GRID.n_bins), -30.0)
    found = filtered(wave, torch.zeros_like(wave), shape, shut, GRID)[0].numpy()
    expected = signal.lfilter(b, a, wave[0].numpy())
    assert np.abs(found - expected)[600:-600].max() < 2e-3 * np.abs(expected).max()


def test_noise_through_a_filter_has_its_spectrum() -> None:
    slope = torch.linspace(0.0, -4.0, GRID.n_bins).expand(1, 900, -1)
    shut = torch.full((1, 900, GRID.n_bins), -30.0)
    noise = white(1, 900)
    found = signal.welch(filtered(torch.zeros_like(noise), noise, shut, slope, GRID)[0].numpy(), 1.0, nperseg=1024)[1]
    expected = 2 * np.exp(2 * slope[0, 0].numpy())
    assert np.abs(np.log(found[20:-20].reshape(-1, 43).mean(1) / expected[20:-20].reshape(-1, 43).mean(1))).max() < 0.15


def test_a_frame_reaches_as_far_as_it_says() -> None:
    wave, noise = train(glide()), white(2)
    shape = 0.3 * torch.randn(1, FRAMES, GRID.n_bins, generator=torch.Generator().manual_seed(3))
    before = filtered(wave, noise, shape, shape, GRID)
    other = shape.clone()
    other[0, 60] += 1.0
    later = wave.clone()
    later[0, 60 * GRID.hop : 61 * GRID.hop] += 1.0
    for made, least in (
        (filtered(wave, noise, other, other, GRID), 3),
        (filtered(later, noise, shape, shape, GRID), 1),
    ):
        changed = (made != before)[0].view(FRAMES, -1).any(1).nonzero().flatten()
        assert int(changed.min()) >= 60 - GRID.reach
        assert 60 + GRID.reach - least <= int(changed.max()) <= 60 + GRID.reach


def test_everything_can_be_learnt_from() -> None:
    hertz = glide()
    shapes = [torch.zeros(1, FRAMES, GRID.n_bins, requires_grad=True) for _ in range(2)]
    filtered(train(hertz), white(0), shapes[0], shapes[1], GRID).square().mean().backward()
    for shape in shapes:
        assert shape.grad is not None
        assert torch.isfinite(shape.grad).all()
        assert shape.grad.abs().amax(-1).min() > 0
