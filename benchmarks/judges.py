"""The judges of ``triforce-tts evaluate``, asked about clips in memory, and one that needs the recording: PESQ-WB.

``pip install -e '.[bench]'`` brings PESQ. It (ITU-T P.862.2) runs from 1 to 4.64 and compares two waves in time: a sound
that is merely as good as the recording, but another one, scores low. Character errors are those of the recogniser that
``triforce-tts evaluate`` takes: Whisper tiny.en, else pocketsphinx. No recogniser hears natural speech without errors, so
every figure stands beside natural speech.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TypeVar

import torch

from triforce_tts import pool
from triforce_tts.audio.resample import ANALYSIS_RATE, Wave, resample
from triforce_tts.judges.dnsmos import dnsmos
from triforce_tts.judges.recognisers import choose, open_recogniser
from triforce_tts.judges.words import character_edits

_LOWEST_PESQ = 1.0
JUDGES = ("pesq_wb", "character_error", "dnsmos")
OpinionT = TypeVar("OpinionT")


@dataclass(frozen=True, eq=False)
class Clip:
    """The input of the judges."""

    samples: torch.Tensor  # [n]
    recorded: torch.Tensor | None  # [n]; None if only the words are judged
    text: str
    rate: int  # Hz


def require() -> None:
    """Stop if a judge is missing, and print what to install.

    Raises:
        SystemExit: a judge is missing.
    """
    missing = [name for name in ("pesq", "onnxruntime", "speechmos", "jiwer") if find_spec(name) is None]
    if missing:
        raise SystemExit(
            f"{', '.join(missing)} missing: pip install -e '.[dev,bench]' (pesq is compiled: it needs gcc)"
        )


def chosen() -> str:
    """The recogniser that is installed here, in the form for ``open_recogniser``.

    Raises:
        SystemExit: there is no recogniser.
    """
    choice = choose()
    if choice.recogniser is None:
        raise SystemExit(choice.remark)
    return choice.recogniser


def recogniser_name() -> str:
    """The name of the recogniser, which a report of character errors gives."""
    return open_recogniser(chosen()).name


def pesq_wb(samples: Wave, recorded: Wave, rate: int) -> float:
    """PESQ-WB of ``samples`` against ``recorded``, both [n]; sound without any speech in it has the lowest score."""
    from pesq import NoUtterancesError, pesq

    wave, reference = (resample(x, rate, ANALYSIS_RATE) for x in (samples, recorded))
    try:
        return float(pesq(ANALYSIS_RATE, reference, wave, "wb"))
    except NoUtterancesError:
        return _LOWEST_PESQ


def transcript(clip: Clip) -> str:
    """What the recogniser hears in a clip."""
    return open_recogniser(chosen()).hear(resample(clip.samples.numpy(), clip.rate, ANALYSIS_RATE))


def character_error(clip: Clip) -> float:
    """The number of edits divided by the number of characters of the reference."""
    return character_edits(clip.text, transcript(clip)).error


def judge(clip: Clip) -> dict[str, float]:
    """The figure of each of JUDGES."""
    assert clip.recorded is not None
    samples = clip.samples.numpy()
    return {
        "pesq_wb": pesq_wb(samples, clip.recorded.numpy(), clip.rate),
        "character_error": character_error(clip),
        "dnsmos": dnsmos(samples, clip.rate)["ovrl"],
    }


def judge_all(clips: Sequence[Clip], workers: int) -> list[dict[str, float]]:
    """The figures of ``judge`` for each clip; a single worker runs in this process."""
    return _of_each(judge, clips, workers)


def character_errors(clips: Sequence[torch.Tensor], rate: int, texts: Sequence[str], workers: int = 2) -> list[float]:
    """The error of each clip [n] against its text."""
    targets = [Clip(clip, None, text, rate) for clip, text in zip(clips, texts, strict=True)]
    return _of_each(character_error, targets, workers)


def transcripts(clips: Sequence[torch.Tensor], rate: int, workers: int = 2) -> list[str]:
    """What the recogniser hears in each clip [n]."""
    return _of_each(transcript, [Clip(clip, None, "", rate) for clip in clips], workers)


def _of_each(ask: Callable[[Clip], OpinionT], clips: Sequence[Clip], workers: int) -> list[OpinionT]:
    answers = dict(pool.run(ask, clips, workers))
    opinions = [answers[clip] for clip in clips]
    if None in opinions:
        raise SystemExit(f"the process that judged clip {opinions.index(None)} was killed; is the memory enough?")
    return [opinion for opinion in opinions if opinion is not None]
