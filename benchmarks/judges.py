"""Judges of sound that need no ear: PESQ-WB against the recording, a recogniser's error, DNSMOS of the sound alone.

``pip install -e '.[bench]'`` brings them. PESQ (ITU-T P.862.2) runs from 1 to 4.64 and compares two waves in time: a
sound that is merely as good as the recording, but another one, scores low. DNSMOS (Reddy et al., ICASSP 2022) is a
network that guesses what listeners would say, 1 to 5; its weights lie in the wheel ``speechmos`` (MIT), which names
none of its own requirements, so its network is run here.
"""

from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import soxr
import torch

from benchmarks.recogniser import character_error, hear

RATE = 16000  # of both judges, Hz
_WINDOW = 144_160  # samples that DNSMOS hears at once, 9.01 s
_OVERALL = (-0.06766283, 1.11546468, 0.04602535)  # its polynomial from raw output to the scale of listeners
_LOWEST_PESQ = 1.0


def require() -> None:
    """Stop with what to install.

    Raises:
        SystemExit: a judge is missing.
    """
    missing = [
        name for name in ("pesq", "onnxruntime", "speechmos", "pocketsphinx", "jiwer") if find_spec(name) is None
    ]
    if missing:
        raise SystemExit(
            f"{', '.join(missing)} missing: pip install -e '.[dev,bench]' (pesq is compiled: it needs gcc)"
        )


def pesq_wb(samples: np.ndarray, recorded: np.ndarray, rate: int) -> float:  # type: ignore[type-arg]
    """PESQ-WB of ``samples`` against ``recorded``, both [n]; sound without any speech in it has the lowest score."""
    from pesq import NoUtterancesError, pesq

    wave, reference = (soxr.resample(x, rate, RATE) if rate != RATE else x for x in (samples, recorded))
    try:
        return float(pesq(RATE, reference, wave, "wb"))
    except NoUtterancesError:
        return _LOWEST_PESQ


@lru_cache(maxsize=1)
def _dnsmos() -> Any:
    import onnxruntime

    origin = find_spec("speechmos")
    assert origin is not None and origin.origin is not None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    file = Path(origin.origin).parent / "dnsmos_models" / "sig_bak_ovr.onnx"
    return onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])


def dnsmos(samples: np.ndarray, rate: int) -> float:  # type: ignore[type-arg]
    """DNSMOS P.835, overall, of ``samples`` [n]; short sounds are repeated, long ones heard a second further each time."""
    wave = np.clip(soxr.resample(samples, rate, RATE) if rate != RATE else samples, -1, 1).astype(np.float32)
    while len(wave) < _WINDOW:
        wave = np.concatenate((wave, wave))
    starts = range(0, (int(len(wave) / RATE - _WINDOW / RATE) + 1) * RATE, RATE)
    windows = [wave[start : start + _WINDOW] for start in starts]
    raw = [_dnsmos().run(None, {"input_1": window[None]})[0][0][2] for window in windows if len(window) == _WINDOW]
    return float(np.mean(np.polyval(_OVERALL, raw)))


@dataclass(frozen=True)
class Clip:
    """What the judges are asked about."""

    samples: torch.Tensor  # [n]
    recorded: torch.Tensor  # [n]
    text: str
    rate: int  # Hz


JUDGES = ("pesq_wb", "character_error", "dnsmos")


def judge(clip: Clip) -> dict[str, float]:
    """What each of JUDGES says."""
    torch.set_num_threads(1)
    samples = clip.samples.numpy()
    return {
        "pesq_wb": pesq_wb(samples, clip.recorded.numpy(), clip.rate),
        "character_error": character_error(clip.text, hear(samples, clip.rate)),
        "dnsmos": dnsmos(samples, clip.rate),
    }


def judge_all(clips: list[Clip], workers: int) -> list[dict[str, float]]:
    """``judge`` of each clip; with one worker in this process."""
    if workers == 1:
        return [judge(clip) for clip in clips]
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        return list(pool.map(judge, clips, chunksize=4))
