"""DNSMOS P.835: a network that guesses what listeners would say of a sound alone, 1 to 5.

Reddy et al., "DNSMOS P.835", ICASSP 2022. Its network lies in the wheel ``speechmos`` (MIT), which does not declare what it
needs itself, so it is run here. Good close speech scores 3.0 to 3.5 overall: read it as an order, not as a grade.
"""

import numpy as np

from .common.segments import ANALYSIS_RATE, Wave, resample
from .networks import session

_FILE = "dnsmos_models/sig_bak_ovr.onnx"
_SHA256 = "269fbebdb513aa23cddfbb593542ecc540284a91849ac50516870e1ac78f6edd"
_WINDOW = 144_160  # samples heard at once, 9.01 s
# speechmos' polynomials from raw output to the scale of listeners, in the order of the network's outputs.
_SCALES = {
    "sig": (-0.08397278, 1.22083953, 0.0052439),
    "bak": (-0.13166888, 1.60915514, -0.39604546),
    "ovrl": (-0.06766283, 1.11546468, 0.04602535),
}


def dnsmos(samples: Wave, sample_rate: int) -> dict[str, float]:
    """Scores of the speech (``sig``), the background (``bak``) and overall (``ovrl``) of ``samples`` [n], n > 0.

    Short sounds are repeated; of long ones each window of 9.01 s counts, a second further each time.

    Raises:
        TriforceError: the network is missing or another one.
    """
    network = session("speechmos", _FILE, _SHA256)
    wave = np.clip(resample(samples, sample_rate, ANALYSIS_RATE), -1, 1).astype(np.float32)
    while len(wave) < _WINDOW:
        wave = np.concatenate((wave, wave))
    starts = range(0, (int(len(wave) / ANALYSIS_RATE - _WINDOW / ANALYSIS_RATE) + 1) * ANALYSIS_RATE, ANALYSIS_RATE)
    windows = [wave[start : start + _WINDOW] for start in starts]
    # One at a time: a batch is slower on a processor.
    raw = np.array([network.run(None, {"input_1": w[None]})[0][0] for w in windows if len(w) == _WINDOW])
    return {name: float(np.mean(np.polyval(scale, raw[:, i]))) for i, (name, scale) in enumerate(_SCALES.items())}
