"""Character error of clips by the recogniser that ``triforce-tts evaluate`` takes: Whisper tiny.en, else pocketsphinx.

No recogniser hears natural speech without errors, so every figure stands beside natural speech.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from triforce_tts import pool
from triforce_tts.audio.resample import ANALYSIS_RATE, resample
from triforce_tts.judges.recognisers import choose, open_recogniser
from triforce_tts.judges.words import character_edits


@dataclass(frozen=True)
class Job:
    """A clip [n] and the text that it should say."""

    number: int
    samples: torch.Tensor
    rate: int
    text: str


def chosen() -> str:
    """The recogniser that is installed here, as ``open_recogniser`` takes it.

    Raises:
        SystemExit: no recogniser is installed.
    """
    choice = choose()
    if choice.recogniser is None:
        raise SystemExit(choice.remark)
    return choice.recogniser


def recogniser_name() -> str:
    """The name of the recogniser, which every report of character errors gives."""
    return open_recogniser(chosen()).name


def error_of(job: Job) -> float:
    """The number of edits divided by the number of characters in the reference."""
    wave = resample(job.samples.numpy(), job.rate, ANALYSIS_RATE)
    return character_edits(job.text, open_recogniser(chosen()).hear(wave)).error


def character_errors(clips: Sequence[torch.Tensor], rate: int, texts: Sequence[str], workers: int = 2) -> list[float]:
    """The error of each clip [n] compared with its text."""
    jobs = [Job(number, clip, rate, text) for number, (clip, text) in enumerate(zip(clips, texts, strict=True))]
    errors = {job.number: error for job, error in pool.run(error_of, jobs, workers)}
    lost = [number for number, error in errors.items() if error is None]
    if lost:
        raise SystemExit(f"the process that recognised clip {lost[0]} was killed; is the memory enough?")
    return [errors[job.number] or 0.0 for job in jobs]
