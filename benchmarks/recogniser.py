"""Character error by a small recogniser (pocketsphinx, its US English model lies in its wheel).

It is a yardstick, not a judge: natural speech scores far from zero, so every figure stands beside natural speech.
"""

import re
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import torch

from triforce_tts.audio.resample import ANALYSIS_RATE, resample
from triforce_tts.judges.recognisers import pocketsphinx
from triforce_tts.text.normalize import normalize


def hear(samples: np.ndarray, sample_rate: int) -> str:  # type: ignore[type-arg]
    """Words that the recogniser finds in ``samples`` [n] float32."""
    return pocketsphinx()(resample(samples, sample_rate, ANALYSIS_RATE))


def letters(text: str) -> str:
    """Lower-case letters and single spaces; apostrophes go, numbers are spelled."""
    return re.sub(r"[^a-z]+", " ", normalize(text).lower().replace("'", "")).strip()


def character_error(reference: str, heard: str) -> float:
    """Edits a reference character."""
    from jiwer import cer

    return float(cer(letters(reference), letters(heard) if heard.strip() else ""))


def _job(job: tuple[np.ndarray, int, str]) -> float:  # type: ignore[type-arg]
    samples, rate, text = job
    return character_error(text, hear(samples, rate))


def character_errors(clips: list[torch.Tensor], rate: int, texts: list[str], workers: int = 2) -> list[float]:
    """The error of each clip [n] against its text."""
    jobs = [(clip.numpy(), rate, text) for clip, text in zip(clips, texts, strict=True)]
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        return list(pool.map(_job, jobs, chunksize=4))


def interval(values: list[float], draws: int = 2000) -> tuple[float, float, float]:
    """Mean of ``values`` and its bootstrap 95 % interval."""
    rng = np.random.default_rng(0)
    array = np.asarray(values, dtype=np.float64)
    means = array[rng.integers(len(array), size=(draws, len(array)))].mean(axis=1)
    low, high = np.quantile(means, (0.025, 0.975))
    return float(array.mean()), float(low), float(high)
