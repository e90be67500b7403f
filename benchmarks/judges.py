"""Judges of sound that need no ear: PESQ-WB against the recording, a recogniser's error, DNSMOS of the sound alone.

``pip install -e '.[bench]'`` brings them. PESQ (ITU-T P.862.2) runs from 1 to 4.64 and compares two waves in time: a
sound that is merely as good as the recording, but another one, scores low. DNSMOS (Reddy et al., ICASSP 2022) is a
network that guesses what listeners would say, 1 to 5 (``triforce_tts.judges.dnsmos``).
"""

from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np
import torch

from benchmarks.recogniser import Job, error_of
from triforce_tts import pool
from triforce_tts.audio.resample import resample
from triforce_tts.judges import dnsmos as network

RATE = 16000  # Hz; the sample rate of both judges
_LOWEST_PESQ = 1.0


def require() -> None:
    """Stop and say what to install.

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
    """The PESQ-WB of ``samples`` compared with ``recorded``, both [n]; sound without speech has the lowest score."""
    from pesq import NoUtterancesError, pesq

    wave, reference = (resample(x, rate, RATE) for x in (samples, recorded))
    try:
        return float(pesq(RATE, reference, wave, "wb"))
    except NoUtterancesError:
        return _LOWEST_PESQ


def dnsmos(samples: np.ndarray, rate: int) -> float:  # type: ignore[type-arg]
    """DNSMOS P.835, overall, of ``samples`` [n]."""
    return network.dnsmos(samples, rate)["ovrl"]


@dataclass(frozen=True, eq=False)
class Clip:
    """A clip for the judges, with its recording and its text."""

    samples: torch.Tensor  # [n]
    recorded: torch.Tensor  # [n]
    text: str
    rate: int  # Hz


JUDGES = ("pesq_wb", "character_error", "dnsmos")


def judge(clip: Clip) -> dict[str, float]:
    """The figure of each of JUDGES for a clip."""
    samples = clip.samples.numpy()
    return {
        "pesq_wb": pesq_wb(samples, clip.recorded.numpy(), clip.rate),
        "character_error": error_of(Job(0, clip.samples, clip.rate, clip.text)),
        "dnsmos": dnsmos(samples, clip.rate),
    }


def judge_all(clips: list[Clip], workers: int) -> list[dict[str, float]]:
    """The figures of ``judge`` for each clip; with one worker they are computed in this process."""
    said = dict(pool.run(judge, clips, workers))
    figures = [said[clip] for clip in clips]
    if None in figures:
        raise SystemExit("a process of the judges was killed; is the memory enough?")
    return [row for row in figures if row is not None]
