"""DNSMOS: networks that estimate, from the sound alone, how listeners would grade it on a scale from 1 to 5.

``dnsmos`` is P.835 (Reddy et al., ICASSP 2022): the speech, the background, and both together. ``p808`` is P.808 (Reddy
et al., ICASSP 2021): one grade for the whole. The networks lie in the wheel ``speechmos`` (MIT), which does not declare
what it needs itself, so they are run here. Good close speech scores 3.0 to 3.5 overall and about 4 by P.808: read the
figures as an order, not as grades.
"""

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import torch

from triforce_tts.audio.resample import ANALYSIS_RATE, Wave, resample
from triforce_tts.judges.networks import session

PACKAGE = "speechmos"
_P835 = ("dnsmos_models/sig_bak_ovr.onnx", "269fbebdb513aa23cddfbb593542ecc540284a91849ac50516870e1ac78f6edd")
_P808 = ("dnsmos_models/model_v8.onnx", "9246480c58567bc6affd4200938e77eef49468c8bc7ed3776d109c07456f6e91")
_WINDOW = 144_160  # samples heard at once, 9.01 s
# The polynomials of speechmos from the raw output to the scale of listeners, in the order of the network's outputs.
_SCALES = {
    "sig": (-0.08397278, 1.22083953, 0.0052439),
    "bak": (-0.13166888, 1.60915514, -0.39604546),
    "ovrl": (-0.06766283, 1.11546468, 0.04602535),
}
_N_FFT, _HOP, _N_MELS = 321, 160, 120  # the sizes of the mel spectrogram that the network of P.808 hears
_LEFT_OUT = 160  # speechmos leaves out so many samples at the end of a window
# Levels from 80 dB below the loudest place up to that place are mapped to -1 to 1.
_HALF_RANGE_DB = 40.0
_FAINTEST = 1e-10  # the least power in librosa


def dnsmos(samples: Wave, sample_rate: int, most: int | None = None) -> dict[str, float]:
    """Scores of the speech (``sig``), the background (``bak``) and overall (``ovrl``) of ``samples`` [n], n > 0.

    Short sounds are repeated; of long ones each window of 9.01 s counts, a second further each time. Of ``most`` windows
    at most, spread over the sound, the score is nearly the same: the windows overlap.

    Raises:
        TriforceError: the network is missing, or its file is not the known one.
    """
    network = session(PACKAGE, *_P835)
    # The windows are judged one at a time, because a batch is slower on a CPU.
    raw = np.array([network.run(None, {"input_1": w[None]})[0][0] for w in _windows(samples, sample_rate, most)])
    return {name: float(np.mean(np.polyval(scale, raw[:, i]))) for i, (name, scale) in enumerate(_SCALES.items())}


def p808(samples: Wave, sample_rate: int, most: int | None = None) -> float:
    """The grade of ``samples`` [n], n > 0, by P.808; windows as in ``dnsmos``.

    Raises:
        TriforceError: the network is missing, or its file is not the known one.
    """
    network = session(PACKAGE, *_P808)
    grades = [
        float(network.run(None, {"input_1": _mel_levels(window[:-_LEFT_OUT])[None]})[0][0, 0])
        for window in _windows(samples, sample_rate, most)
    ]
    return float(np.mean(grades))


def _windows(samples: Wave, sample_rate: int, most: int | None) -> Iterator[Wave]:
    """The stretches of ``_WINDOW`` samples at 16 kHz that the networks hear one after another, at most ``most``."""
    wave = np.clip(resample(samples, sample_rate, ANALYSIS_RATE), -1, 1).astype(np.float32)
    while len(wave) < _WINDOW:
        wave = np.concatenate((wave, wave))
    starts = range(0, (int(len(wave) / ANALYSIS_RATE - _WINDOW / ANALYSIS_RATE) + 1) * ANALYSIS_RATE, ANALYSIS_RATE)
    whole = [start for start in starts if start + _WINDOW <= len(wave)]
    if most is not None and len(whole) > most:
        whole = [whole[round(place)] for place in np.linspace(0, len(whole) - 1, most)]
    return (wave[start : start + _WINDOW] for start in whole)


@lru_cache(maxsize=1)
def _filters() -> npt.NDArray[np.float64]:
    """Slaney's mel filters [161, 120], as librosa makes them by default.

    torchaudio's cannot be used: they put the highest bin of an odd transform at half the sample rate.
    """
    edges = _slaney_hertz(np.linspace(0.0, _slaney_mels(ANALYSIS_RATE / 2), _N_MELS + 2))
    hertz = np.arange(_N_FFT // 2 + 1) * ANALYSIS_RATE / _N_FFT
    distance = edges[None, :] - hertz[:, None]  # [bins, edges]
    width = np.diff(edges)
    rising, falling = -distance[:, :-2] / width[:-1], distance[:, 2:] / width[1:]
    triangles = np.maximum(0.0, np.minimum(rising, falling))
    filters: npt.NDArray[np.float64] = triangles * 2.0 / (edges[2:] - edges[:-2])
    return filters


# Slaney's scale: 200/3 Hz a mel up to 1000 Hz, above that 27 mels for each factor of 6.4.
_KNEE_HZ, _HZ_A_MEL, _LOG_STEP = 1000.0, 200.0 / 3, np.log(6.4) / 27


def _slaney_mels(hertz: float) -> float:
    """The mels of a frequency above the scale's knee."""
    return float(_KNEE_HZ / _HZ_A_MEL + np.log(hertz / _KNEE_HZ) / _LOG_STEP)


def _slaney_hertz(mels: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    knee = _KNEE_HZ / _HZ_A_MEL
    return np.where(mels < knee, mels * _HZ_A_MEL, _KNEE_HZ * np.exp(_LOG_STEP * (np.maximum(mels, knee) - knee)))


def _mel_levels(wave: Wave) -> npt.NDArray[np.float32]:
    """The input of P.808's network for ``wave`` [n]: [frames, 120], 1 at the loudest place, -1 at 80 dB below it."""
    spectrum = torch.stft(
        torch.from_numpy(wave), _N_FFT, _HOP, window=torch.hann_window(_N_FFT), pad_mode="constant", return_complex=True
    )
    power = spectrum.abs().square().numpy().T @ _filters()
    levels = 10 * np.log10(np.maximum(power, _FAINTEST) / max(float(power.max()), _FAINTEST))
    scaled = (np.maximum(levels, -2 * _HALF_RANGE_DB) + _HALF_RANGE_DB) / _HALF_RANGE_DB
    return np.asarray(scaled, np.float32)
