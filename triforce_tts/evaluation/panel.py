"""The judges of an evaluation, and which of them are missing here.

A judge is a small value that can be sent to another process; the networks behind it are loaded there, once.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import torch

from triforce_tts.audio.edit import active_level_db, trim_silence
from triforce_tts.audio.resample import ANALYSIS_RATE, Wave, resample
from triforce_tts.evaluation.figures import CHARACTER_ERROR, P808, WORD_ERROR
from triforce_tts.evaluation.report import Figure
from triforce_tts.judges import dnsmos, embedding, pitch, recognisers, words
from triforce_tts.judges.networks import absent

INSTALL = recognisers.INSTALL
_END_S = 0.05  # the last seconds of a clip that count as its ending
# DNSMOS hears so many windows of a clip: that is half the work, and the means differ by less than 0.01.
_WINDOWS = 3
_SILENT_DB = -100.0  # the level that stands for digital silence


@dataclass(frozen=True)
class ClipToJudge:
    """The input of a judge: samples [n] at ``rate`` Hz, n > 0, and the text that they should say (empty: not known)."""

    samples: Wave
    rate: int
    text: str


@dataclass(frozen=True)
class Opinion:
    """The result of a judge."""

    figures: dict[str, Figure] = field(default_factory=dict)
    heard: str = ""


class Judge(Protocol):
    """Something that judges a clip; it can be pickled."""

    def __call__(self, clip: ClipToJudge) -> Opinion:
        """The figures of ``clip``."""
        ...


@dataclass(frozen=True)
class Panel:
    """The judges, whether speaker vectors are made, and remarks on missing judges."""

    judges: tuple[Judge, ...]
    embed: Callable[[Wave, int], list[float]] | None
    recogniser: str | None
    missing: tuple[str, ...] = ()


@dataclass(frozen=True)
class Words:
    """Wrong words and characters, by a recogniser."""

    recogniser: str

    def __call__(self, clip: ClipToJudge) -> Opinion:
        """The text that was heard, and the share of it that is wrong."""
        heard = recognisers.open_recogniser(self.recogniser).hear(resample(clip.samples, clip.rate, ANALYSIS_RATE))
        return Opinion(errors(clip.text, heard) if clip.text else {}, heard)


def errors(text: str, heard: str) -> dict[str, Figure]:
    """The figures of wrong words and characters."""
    counts = {WORD_ERROR: words.word_edits(text, heard), CHARACTER_ERROR: words.character_edits(text, heard)}
    return {name: Figure(amount=edits.wrong, weight=edits.total) for name, edits in counts.items()}


@dataclass(frozen=True)
class Dnsmos:
    """The grades that listeners would give to the sound, by DNSMOS."""

    def __call__(self, clip: ClipToJudge) -> Opinion:
        """P.835's three grades and P.808's."""
        scores = dnsmos.dnsmos(clip.samples, clip.rate, _WINDOWS)
        grades = {f"dnsmos_{name}": value for name, value in scores.items()}
        grades[P808] = dnsmos.p808(clip.samples, clip.rate, _WINDOWS)
        return Opinion({name: Figure(amount=value) for name, value in grades.items()})


@dataclass(frozen=True)
class Melody:
    """The median and the range of the pitch."""

    def __call__(self, clip: ClipToJudge) -> Opinion:
        """The figures; none if hardly anything is voiced."""
        tone = pitch.pitch(clip.samples, clip.rate)
        if tone is None:
            return Opinion()
        return Opinion({"f0_hz": Figure(amount=tone.median_hz), "f0_range": Figure(amount=tone.range_semitones)})


@dataclass(frozen=True)
class Delivery:
    """The rate, level and ending, which need no package."""

    def __call__(self, clip: ClipToJudge) -> Opinion:
        """The rate counts letters and digits from the first sound to the last."""
        samples = torch.from_numpy(clip.samples)
        level = max(active_level_db(samples, clip.rate), _SILENT_DB)
        end = float(samples[-max(1, round(_END_S * clip.rate)) :].square().mean())
        ending = 10 * math.log10(end) - level if end > 0 else _SILENT_DB
        figures = {"level_db": Figure(amount=level), "ending_db": Figure(amount=max(ending, _SILENT_DB))}
        seconds = len(trim_silence(samples, clip.rate, keep_s=0.0)) / clip.rate
        if clip.text and seconds:
            figures["rate"] = Figure(amount=sum(c.isalnum() for c in clip.text), weight=seconds)
        return Opinion(figures)


def embed(samples: Wave, rate: int) -> list[float]:
    """The vector of the speaker in ``samples`` [n]."""
    return [float(value) for value in embedding.embed(torch.from_numpy(samples), rate)]


def assemble(recogniser: str = recognisers.AUTO) -> Panel:
    """All judges whose packages are installed, and a remark for each that is not.

    Raises:
        TriforceError: the recogniser that was asked for cannot be used.
    """
    judges: list[Judge] = [Delivery()]
    missing: list[str] = []
    choice = recognisers.choose(recogniser)
    if choice.remark:
        missing.append(choice.remark)
    name = None
    if lacks := absent(*words.PACKAGES):
        missing.append(_left_out("words wrong", lacks))
    elif choice.recogniser is not None:
        name = recognisers.open_recogniser(choice.recogniser).name
        judges.append(Words(choice.recogniser))
    optional: list[tuple[str, Judge, tuple[str, ...]]] = [
        ("DNSMOS", Dnsmos(), (dnsmos.PACKAGE, "onnxruntime")),
        ("pitch", Melody(), pitch.PACKAGES),
    ]
    for title, judge, packages in optional:
        if lacks := absent(*packages):
            missing.append(_left_out(title, lacks))
        else:
            judges.append(judge)
    speaker = embed
    if lacks := absent(embedding.PACKAGE):
        missing.append(_left_out("similarity of voices", lacks, embedding.INSTALL))
    return Panel(tuple(judges), None if lacks else speaker, name, tuple(missing))


def _left_out(title: str, packages: list[str], install: str = INSTALL) -> str:
    return f"{title}: left out, because {' and '.join(packages)} cannot be found; {install}"
