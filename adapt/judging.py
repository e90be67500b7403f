"""A comparison of the adapted model with the model that it came from: wrong words, and the likeness of the voice.

The model before clones the voice clip; the adapted model speaks with it as its default voice. Both read texts that the
adapted model was not trained on, with equal seeds. A voice is compared with the mean vector of the held-out recordings.
"""

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from triforce_tts.audio.io import decode_audio
from triforce_tts.audio.resample import ANALYSIS_RATE, Wave, resample
from triforce_tts.errors import TriforceError
from triforce_tts.evaluation.figures import WORD_ERROR
from triforce_tts.evaluation.panel import errors
from triforce_tts.evaluation.report import Figure
from triforce_tts.evaluation.sources import read_sentences
from triforce_tts.evaluation.statistics import difference, ratio
from triforce_tts.files import file_sha256
from triforce_tts.judges import embedding, recognisers, words
from triforce_tts.manifest import read_manifest
from triforce_tts.progress import track
from triforce_tts.shards import ShardSet
from triforce_tts.synthesis.synthesizer import Synthesizer

from .recordings import is_installed

BEFORE, AFTER, RECORDED = "before", "after", "recorded"
WORDS, ALIKE = "words", "alike"
# One clip: system, made_by, text, words (the number of wrong words and of all words, or null), alike (or null).
Row = dict[str, Any]


@dataclass(frozen=True)
class Job:
    """One clip to judge."""

    system: str
    # The ids of the model and the voice clip. Results of another model or clip do not count.
    made_by: str
    text: str
    make: Callable[[], tuple[Wave, int]]  # gives the samples and their rate

    @property
    def key(self) -> tuple[str, str, str]:
        """The key that tells this job from others."""
        return self.system, self.made_by, self.text


def judge(
    before: Path, after: Path, voice: Path, heldout: Path, sentences: int, seed: int, ledger: Path, console: Console
) -> dict[str, Any]:
    """The figures of both models, and of the held-out recordings themselves if there are any.

    Each result is written to ``ledger``, so that a stopped judgement can go on.

    Raises:
        TriforceError: a model cannot be used.
    """
    shards = ShardSet.open([heldout], "heldout", "audio")
    plan = _plan(before, after, voice, shards, sentences, seed)
    judges = Judges.installed(shards)
    rows = {(row["system"], row["made_by"], row["text"]): row for row in _read(ledger)}
    left = [job for job in plan if job.key not in rows]
    for job in track(left, "judge", len(left), console):
        row = {"system": job.system, "made_by": job.made_by, "text": job.text, **judges(*job.make(), job.text)}
        rows[job.key] = row
        with ledger.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
    return {**summarise([rows[job.key] for job in plan]), "remarks": judges.remarks}


def _plan(before: Path, after: Path, voice: Path, shards: ShardSet, sentences: int, seed: int) -> list[Job]:
    texts = list(dict.fromkeys(str(shards.meta(number)["text"]) for number in range(len(shards))))[:sentences]
    recorded = [
        Job(RECORDED, shards.keys[number], str(shards.meta(number)["text"]), partial(_recorded, shards, number))
        for number in range(min(sentences, len(shards)))
    ]
    texts += [sentence.text for sentence in read_sentences(None) if sentence.text not in texts][
        : sentences - len(texts)
    ]
    clip = file_sha256(voice)[:12]
    loaded: dict[Path, Synthesizer] = {}

    def spoken(model: Path, own: Path | None, text: str) -> tuple[Wave, int]:
        if model not in loaded:
            loaded.clear()  # Only one model at a time is in memory.
            loaded[model] = Synthesizer.load(model)
        speech = loaded[model].speak(text, own, seed)
        return speech.samples.numpy(), speech.sample_rate

    jobs = recorded
    for system, model, own in ((BEFORE, before, voice), (AFTER, after, None)):
        made_by = f"{read_manifest(model).id} {clip} {seed}"
        jobs += [Job(system, made_by, text, partial(spoken, model, own, text)) for text in texts]
    return jobs


def _recorded(shards: ShardSet, number: int) -> tuple[Wave, int]:
    sound = decode_audio(shards.payload(number), shards.keys[number])
    return sound.samples.numpy(), sound.sample_rate


def _read(ledger: Path) -> list[Row]:
    """The rows of an earlier start; a last line that a kill cut short is dropped from the file."""
    if not ledger.exists():
        return []
    lines = ledger.read_bytes().split(b"\n")
    whole = b"".join(line + b"\n" for line in lines[:-1])
    if lines[-1]:
        os.truncate(ledger, len(whole))
    return [json.loads(line) for line in whole.splitlines()]


class Judges:
    """The judges that are installed: a recogniser, and the network that gives the vector of a speaker."""

    def __init__(self, recogniser: str | None, reader: "np.ndarray[Any, Any] | None", remarks: Sequence[str]) -> None:
        self.recogniser, self.reader, self.remarks = recogniser, reader, list(remarks)

    @staticmethod
    def installed(shards: ShardSet) -> "Judges":
        """The judges that can be used here; voices are compared with the reader of the held-out ``shards``."""
        remarks, reader = list[str](), None
        choice = recognisers.choose()
        recogniser = choice.recogniser if all(map(is_installed, words.PACKAGES)) else None
        if choice.remark:
            remarks.append(choice.remark)
        if recogniser is None:
            remarks.append(f"words wrong were not counted: no recogniser is installed ({recognisers.INSTALL})")
        else:
            remarks.append(f"recogniser: {recognisers.open_recogniser(recogniser).name}")
        if is_installed(embedding.PACKAGE):
            waves = [resample(*_args(_recorded(shards, number))) for number in range(len(shards))]
            vectors = [embedding.mean_vector(windows) for windows in embedding.embed_windows(waves)]
            reader = np.stack(vectors) if vectors else None
        else:
            remarks.append(f"similarity was not measured: resemblyzer is not installed ({embedding.INSTALL})")
        return Judges(recogniser, reader, remarks)

    def __call__(self, samples: Wave, rate: int, text: str) -> Row:
        """The figures of a clip that should say ``text``."""
        heard = resample(samples, rate, ANALYSIS_RATE)
        row: Row = {WORDS: None, ALIKE: None}
        if self.recogniser is not None:
            figure = errors(text, recognisers.open_recogniser(self.recogniser).hear(heard))[WORD_ERROR]
            row[WORDS] = [figure.amount, figure.weight]
        if self.reader is not None:
            vector = embedding.mean_vector(embedding.embed_windows([heard])[0])
            others = self.reader[~np.all(np.isclose(self.reader, vector, atol=1e-4), axis=1)]  # without the clip itself
            if len(others):
                row[ALIKE] = float(vector @ embedding.mean_vector(others))
        return row


def _args(sound: tuple[Wave, int]) -> tuple[Wave, int, int]:
    return (*sound, ANALYSIS_RATE)


def summarise(rows: Sequence[Row]) -> dict[str, Any]:
    """The mean and 95 % interval of each figure of each system, and of the difference that adapting makes."""
    figures: dict[str, dict[str, dict[str, list[Figure]]]] = {}
    for row in rows:
        for name in (WORDS, ALIKE):
            value = row[name]
            if value is not None:
                amount, weight = value if isinstance(value, list) else (value, 1.0)
                by_text = figures.setdefault(name, {}).setdefault(row["system"], {})
                by_text.setdefault(row["text"], []).append(Figure(amount=amount, weight=weight))
    summary: dict[str, Any] = {}
    for name, systems in figures.items():
        table = {}
        for system, by_text in systems.items():
            if any(f.weight for row in by_text.values() for f in row):
                table[system] = _told(ratio(list(by_text.values())))
        if BEFORE in systems and AFTER in systems:
            change = difference(systems[AFTER], systems[BEFORE])
            if change is not None:
                table["change"] = _told(change)
        summary[name] = table
    return summary


def _told(estimate: Any) -> list[float]:
    return [round(value, 4) for value in (estimate.value, estimate.low, estimate.high)]


def lines(summary: dict[str, Any]) -> list[str]:
    """The figures as sentences for the terminal and the model card."""
    sentences = []
    for name, title, scale, unit in ((WORDS, "words wrong", 100, " %"), (ALIKE, "similarity to the reader", 1, "")):
        table = summary.get(name, {})
        parts = [
            f"{system} {scale * value:.{1 if scale == 100 else 3}f}{unit} "
            f"({scale * low:.{1 if scale == 100 else 3}f} to {scale * high:.{1 if scale == 100 else 3}f})"
            for system, (value, low, high) in table.items()
        ]
        if parts:
            sentences.append(f"{title}: {', '.join(parts)}")
    return [*sentences, *summary.get("remarks", [])]


def require_judges(evaluate: bool) -> None:
    """Refuse an evaluation for which no judge is installed, before the hours of work.

    Raises:
        TriforceError: neither judge is installed.
    """
    has_words = recognisers.choose().recogniser is not None and all(map(is_installed, words.PACKAGES))
    if evaluate and not has_words and not is_installed(embedding.PACKAGE):
        raise TriforceError(
            f"nothing is installed that could judge the model ({recognisers.INSTALL}; {embedding.INSTALL}); install it, "
            "or give --no-evaluate"
        )
