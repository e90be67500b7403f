"""States of the flow, compared with values by hand and with SciPy's, and independent for each utterance."""

import numpy as np
import pytest
import torch
from scipy.signal import ShortTimeFFT
from scipy.signal.windows import hann

from triforce_tts import schema
from triforce_tts.audio.mel import AudioConfig, envelope, istft, mel_spectrogram, stft
from triforce_tts.errors import ConfigError
from triforce_tts.models.targets import (
    ComplexTarget,
    DiffusionConfig,
    MagnitudeTarget,
    Target,
    from_target,
    make_target,
    noise_shape,
    to_target,
)

pytestmark = pytest.mark.usefixtures("one_thread")

LENGTHS = (30, 17, 6, 1)


@pytest.fixture(params=["magnitude", "complex"])
def target(request: pytest.FixtureRequest, tiny_audio: AudioConfig) -> Target:
    return MagnitudeTarget(tiny_audio) if request.param == "magnitude" else ComplexTarget(tiny_audio, 3, 2)


def test_the_target_by_hand() -> None:
    magnitude, shape = torch.tensor([0.998, 0.098, 0.0]), torch.tensor([0.998, 0.998, 0.998])
    ratio = torch.tensor([0.0, -2.302585, -6.214608])  # ln of 1, 1/10 and 1/500
    assert torch.allclose(to_target(magnitude, shape), (ratio + 0.4) / 0.9, atol=1e-5)


def test_target_and_magnitude_are_each_others_inverse() -> None:
    rng = torch.Generator().manual_seed(0)
    magnitude = torch.exp(3 * torch.randn(4, 9, 50, generator=rng))
    shape = torch.exp(3 * torch.randn(4, 9, 50, generator=rng))
    again = from_target(to_target(magnitude, shape), shape)
    assert torch.allclose(again, magnitude, rtol=1e-4, atol=1e-5)
    target = torch.randn(4, 9, 50, generator=rng) + 2
    found = from_target(target, shape)
    assert torch.allclose(to_target(found, shape)[found > 0], target[found > 0], atol=1e-4)
    assert from_target(torch.full((1,), -50.0), torch.ones(1)) == 0
    assert found.min() >= 0


def test_silence_comes_back_as_silence() -> None:
    nothing = torch.zeros(3, 5)
    assert torch.allclose(from_target(to_target(nothing, nothing), nothing), nothing, atol=1e-8)


def test_the_shape_is_the_envelope_of_the_decode(tiny_audio: AudioConfig) -> None:
    decode = torch.randn(2, 7, tiny_audio.n_mels, generator=torch.Generator().manual_seed(0))
    assert torch.equal(noise_shape(decode, tiny_audio), envelope(decode, tiny_audio))
    assert noise_shape(decode.bfloat16(), tiny_audio).dtype == torch.float32


# --- bands of the spectrum ------------------------------------------------------------------------------------


def scipys(audio: AudioConfig) -> ShortTimeFFT:
    """SciPy's transform with phases that count from the start of each frame, as ours do.

    By default, SciPy counts from the middle of the frame.
    """
    return ShortTimeFFT(hann(audio.n_fft, sym=False), audio.hop_length, audio.sample_rate, phase_shift=None)


def by_hand(sound: torch.Tensor, audio: AudioConfig) -> torch.Tensor:
    """SciPy's spectrum of ``sound``, [frames, n_bins]: frames centred on every hop from the first sample on."""
    found = scipys(audio).stft(sound.double().numpy(), p0=0, p1=audio.frames(len(sound)))
    return torch.from_numpy(found.T)


def test_bands_are_slices_of_scipys_spectrum(tiny_audio: AudioConfig, vowels: torch.Tensor) -> None:
    expected = by_hand(vowels, tiny_audio)
    assert torch.allclose(stft(vowels, tiny_audio).to(torch.complex128), expected, atol=1e-4)
    bands = ComplexTarget(tiny_audio, 4, 3).split(stft(vowels[None], tiny_audio))[0]
    wide = torch.nn.functional.pad(torch.view_as_real(expected).permute(2, 0, 1), (3, 4 * 33 - 129 + 3))
    for band in range(4):  # 129 bins in four bands of 33; each band also has three bins of each neighbour
        real, imaginary = wide[:, :, 33 * band : 33 * band + 39]
        assert torch.allclose(bands[band].double(), torch.cat((real, imaginary), dim=-1), atol=1e-4)


@pytest.mark.parametrize(("bands", "overlap"), [(1, 0), (3, 0), (4, 3), (8, 20), (129, 1)])
def test_bands_put_side_by_side_are_the_spectrum(tiny_audio: AudioConfig, bands: int, overlap: int) -> None:
    rng = torch.Generator().manual_seed(0)
    spectrum = torch.complex(*torch.randn(2, 2, 5, tiny_audio.n_bins, generator=rng))
    target = ComplexTarget(tiny_audio, bands, overlap)
    cut = target.split(spectrum)
    assert cut.shape == (2, bands, 5, target.inputs)
    own = cut.unflatten(-1, (2, -1))[..., overlap : overlap + target.band_bins].flatten(3)
    assert torch.equal(target.merge(own), spectrum)


def test_the_inverse_is_scipys_and_gives_the_sound_back_to_its_ends(
    tiny_audio: AudioConfig, vowels: torch.Tensor
) -> None:
    sound = vowels[: 100 * tiny_audio.hop_length]
    again = istft(stft(sound[None], tiny_audio), tiny_audio)[0]
    assert torch.allclose(again, sound, atol=1e-6)
    # Not every spectrum belongs to a wave; the expected one is that of the nearest wave, by SciPy, where all frames
    # overlap.
    rng = torch.Generator().manual_seed(0)
    spectrum = torch.complex(*torch.randn(2, 1, 60, tiny_audio.n_bins, generator=rng))
    spectrum[..., [0, -1]] = spectrum[..., [0, -1]].real + 0j
    theirs = scipys(tiny_audio)
    columns = np.pad(
        spectrum[0].numpy().astype(np.complex128).T, ((0, 0), (-theirs.p_min, 4))
    )  # frames before and after the sound
    expected = theirs.istft(columns, k1=60 * tiny_audio.hop_length)
    inner = slice(tiny_audio.n_fft, -tiny_audio.n_fft)
    assert np.allclose(istft(spectrum, tiny_audio)[0].numpy()[inner], expected[inner], atol=1e-5)


def test_the_inverse_of_a_padded_batch_is_each_clips_own(tiny_audio: AudioConfig, vowels: torch.Tensor) -> None:
    lengths = torch.tensor(LENGTHS)
    sounds = [vowels[: length * tiny_audio.hop_length] for length in LENGTHS]
    spectra = torch.nn.utils.rnn.pad_sequence([stft(s, tiny_audio) for s in sounds], batch_first=True)
    found = istft(spectra, tiny_audio, lengths)
    for row, sound in enumerate(sounds):
        assert torch.allclose(found[row, : len(sound)], sound, atol=1e-6)
        assert found[row, len(sound) :].abs().sum() == 0


# --- states ---------------------------------------------------------------------------------------------------


def test_speech_survives_its_state(target: Target, tiny_audio: AudioConfig, vowels: torch.Tensor) -> None:
    mel = mel_spectrogram(vowels[None], tiny_audio)
    lengths = torch.tensor([mel.shape[1]])
    state = target.clean(vowels[None], mel, lengths)
    assert state.shape == (1, mel.shape[1], target.width)
    recorded = stft(vowels[None], tiny_audio).abs()
    assert torch.allclose(target.magnitude(state, mel), recorded, rtol=1e-3, atol=1e-3)
    sound = target.samples(state, mel, 32)[0, : len(vowels)]
    close = stft(sound, tiny_audio).abs()
    assert (close - recorded[0]).norm() < 0.15 * recorded.norm()
    if isinstance(target, ComplexTarget):
        assert torch.equal(sound, vowels)


def test_whitened_noise_is_white_and_noise_has_the_decodes_shape(target: Target, tiny_audio: AudioConfig) -> None:
    rng = torch.Generator().manual_seed(0)
    decode = torch.zeros(1, 400, tiny_audio.n_mels)
    decode[:, 200:] = 2.0
    lengths = torch.tensor([400])
    noise = target.noise(torch.randn(1, 400, target.width, generator=rng), decode, lengths)
    white = target.whiten(noise, decode, lengths)[0, :, 1:-1]  # no mel covers the outermost bins
    for steady in (white[5:190], white[210:395]):
        assert float(steady.abs().square().mean()) == pytest.approx(1.0, abs=0.1)
    if isinstance(target, ComplexTarget):
        ratio = noise[:, 205:395].std() / noise[:, 5:195].std()
        assert float(ratio.log()) == pytest.approx(2.0 * tiny_audio.mel_std, abs=0.1)


def test_an_utterance_is_what_it_is_alone(target: Target, tiny_audio: AudioConfig) -> None:
    rng = torch.Generator().manual_seed(0)
    lengths = torch.tensor(LENGTHS)
    white = torch.randn(4, 33, target.width, generator=rng)
    decode = torch.randn(4, 33, tiny_audio.n_mels, generator=rng)
    out = torch.randn(4, target.bands, 33, target.outputs, generator=rng)
    noise = target.noise(white, decode, lengths)
    other = target.noise(white.flip(1), decode, lengths)
    together = {
        "noise": noise,
        "white": target.whiten(noise, decode, lengths),
        "seen": target.seen(noise, decode, lengths).transpose(1, 2),
        "answer": target.answer(out, decode, lengths),
        "error": target.error(noise, other, decode, lengths),
    }
    for row, length in enumerate(LENGTHS):
        cut, own = (slice(row, row + 1), slice(length)), lengths[row : row + 1]
        alone = {
            "noise": target.noise(white[cut], decode[cut], own),
            "white": target.whiten(noise[cut], decode[cut], own),
            "seen": target.seen(noise[cut], decode[cut], own).transpose(1, 2),
            "answer": target.answer(out[row : row + 1, :, :length], decode[cut], own),
            "error": target.error(noise[cut], other[cut], decode[cut], own),
        }
        for name, expected in alone.items():
            assert torch.allclose(together[name][row, :length], expected[0], atol=1e-4, rtol=1e-4), name
        assert together["error"][row, length:].abs().sum() == 0


def test_an_error_is_none_of_a_state_with_itself_and_grows_by_the_square(
    target: Target, tiny_audio: AudioConfig, vowels: torch.Tensor
) -> None:
    mel = mel_spectrogram(vowels[None], tiny_audio)
    lengths = torch.tensor([mel.shape[1]])
    state = target.clean(vowels[None], mel, lengths)
    away = target.noise(torch.randn(state.shape, generator=torch.Generator().manual_seed(0)), mel, lengths)
    assert target.error(state, state, mel, lengths).sum() == 0
    near, far = (float(target.error(state + step * away, state, mel, lengths).sum()) for step in (1.0, 2.0))
    assert near > 1
    assert far == pytest.approx(4 * near, rel=1e-3)


def test_an_offset_of_the_recording_is_no_error(tiny_audio: AudioConfig, vowels: torch.Tensor) -> None:
    """No mel covers the lowest bin, so no network can know it.

    Divided by its envelope, it would outweigh all other bins.
    """
    target = ComplexTarget(tiny_audio, 3, 2)
    mel = mel_spectrogram(vowels[None], tiny_audio)
    lengths = torch.tensor([mel.shape[1]])
    clean, moved = (target.clean(sound[None], mel, lengths) for sound in (vowels, vowels + 0.05))
    # Bin 1 lies under a filter and gets half the weight of bin 0.
    inner = slice(5, -5)
    difference = target.whiten(moved - clean, mel, lengths)[0, inner]
    assert difference[:, 0].abs().max() == 0
    assert difference[:, 3:].abs().max() < 1e-2


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"target": "phase"}, "target"),
        ({"bands": 4}, "belong to target 'complex'"),
        ({"band_overlap": 4}, "belong to target 'complex'"),
        ({"target": "complex", "bands": 0}, "bands"),
        ({"target": "complex", "band_overlap": -1}, "band_overlap"),
        ({"kernel_size": 4}, "kernel_size must be odd"),
    ],
)
def test_a_bad_configuration_is_refused_in_one_line(changes: dict[str, object], told: str) -> None:
    sizes = {"channels": 8, "hidden": 8, "blocks": 1, "kernel_size": 3, "reference_channels": 4}
    with pytest.raises(ConfigError, match=told) as caught:
        schema.parse(DiffusionConfig, {"target": "magnitude", **sizes, **changes}, "here")
    assert "\n" not in str(caught.value)


def test_more_bands_than_bins_are_refused(tiny_audio: AudioConfig) -> None:
    config = DiffusionConfig(
        target="complex", channels=8, hidden=8, blocks=1, kernel_size=3, reference_channels=4, bands=130
    )
    with pytest.raises(ConfigError, match="bands is 130, more than the 129 bins"):
        make_target(config, tiny_audio)
