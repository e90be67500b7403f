"""How good the adapted model is beside the model that it came from: words wrong, and how alike the reader.

The model before clones the voice clip; the adapted model speaks with it as its default voice. Both read texts that the
adapted model was not trained on, with equal seeds. A voice is compared with the mean vector of the held-out recordings.
"""

import json
import os
from collections.abc import Callable, Sequence
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
from triforce_tts.files import write_json
from triforce_tts.judges import embedding, recognisers, words
from triforce_tts.progress import track
from triforce_tts.shards import ShardSet
from triforce_tts.synthesis.synthesizer import Synthesizer

from .recordings import is_installed

BEFORE, AFTER, RECORDED = "before", "after", "recorded"
WORDS, ALIKE = "words", "alike"
Row = dict[str, Any]  # one clip: system, sentence, words [wrong, of] or null, alike or null


def judge(
    before: Path, after: Path, voice: Path, heldout: Path, sentences: int, seed: int, ledger: Path, console: Console
) -> dict[str, Any]:
    """Figures of both models, and of the held-out recordings themselves where there are any.

    What is judged is kept in ``ledger``, so that a judgement that was stopped goes on.

    Raises:
        TriforceError: a model cannot be used.
    """
    shards = ShardSet.open([heldout], "heldout", "audio")
    texts = [str(shards.meta(number)["text"]) for number in range(len(shards))][:sentences]
    texts += [sentence.text for sentence in read_sentences(None)][: sentences - len(texts)]
    judges = Judges.installed(shards)
    rows = _read(ledger)
    recorded = [lambda n=n: _recorded(shards, n) for n in range(min(sentences, len(shards)))]
    models: dict[Path, Synthesizer] = {}

    def spoken(model: Path, clip: Path | None, text: str) -> tuple[Wave, int]:
        if model not in models:
            models.clear()  # one at a time in memory
            models[model] = Synthesizer.load(model)
        speech = models[model].speak(text, clip, seed)
        return speech.samples.numpy(), speech.sample_rate

    plan: list[tuple[str, str, Callable[[], tuple[Wave, int]]]] = [
        *((RECORDED, texts[n], make) for n, make in enumerate(recorded)),
        *((BEFORE, text, lambda text=text: spoken(before, voice, text)) for text in texts),
        *((AFTER, text, lambda text=text: spoken(after, None, text)) for text in texts),
    ]
    judged = {(row["system"], row["sentence"]) for row in rows}
    left = [job for job in plan if job[:2] not in judged]
    for system, text, make in track(left, "judge", len(left), console):
        row = {"system": system, "sentence": text, **judges(*make(), text)}
        rows.append(row)
        with ledger.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
    summary = summarise(rows)
    summary["remarks"] = judges.remarks
    write_json(ledger.with_suffix(".summary.json"), summary)
    return summary


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
    """The judges that are installed: a recogniser, and the vector of who speaks."""

    def __init__(self, recogniser: str | None, reader: "np.ndarray[Any, Any] | None", remarks: Sequence[str]) -> None:
        self.recogniser, self.reader, self.remarks = recogniser, reader, list(remarks)

    @staticmethod
    def installed(shards: ShardSet) -> "Judges":
        """Those that can be used here; who is compared with is the reader of the held-out ``shards``."""
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
            others = self.reader[~np.all(np.isclose(self.reader, vector, atol=1e-4), axis=1)]  # not the clip itself
            if len(others):
                row[ALIKE] = float(vector @ embedding.mean_vector(others))
        return row


def _args(sound: tuple[Wave, int]) -> tuple[Wave, int, int]:
    return (*sound, ANALYSIS_RATE)


def summarise(rows: Sequence[Row]) -> dict[str, Any]:
    """Mean and 95 % interval of each figure of each system, and of the difference that adapting makes."""
    figures: dict[str, dict[str, dict[str, list[Figure]]]] = {}
    for row in rows:
        for name in (WORDS, ALIKE):
            value = row[name]
            if value is not None:
                amount, weight = value if isinstance(value, list) else (value, 1.0)
                by_text = figures.setdefault(name, {}).setdefault(row["system"], {})
                by_text.setdefault(row["sentence"], []).append(Figure(amount=amount, weight=weight))
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
    told = []
    for name, title, scale, unit in ((WORDS, "words wrong", 100, " %"), (ALIKE, "similarity to the reader", 1, "")):
        table = summary.get(name, {})
        parts = [
            f"{system} {scale * value:.{1 if scale == 100 else 3}f}{unit} "
            f"({scale * low:.{1 if scale == 100 else 3}f} to {scale * high:.{1 if scale == 100 else 3}f})"
            for system, (value, low, high) in table.items()
        ]
        if parts:
            told.append(f"{title}: {', '.join(parts)}")
    return [*told, *summary.get("remarks", [])]


def require_judges(wanted: bool) -> None:
    """Refuse an evaluation for which nothing is installed, before the hours of work.

    Raises:
        TriforceError: neither judge is installed.
    """
    has_words = recognisers.choose().recogniser is not None and all(map(is_installed, words.PACKAGES))
    if wanted and not has_words and not is_installed(embedding.PACKAGE):
        raise TriforceError(
            f"nothing is installed that could judge the model ({recognisers.INSTALL}; {embedding.INSTALL}); install it, "
            "or give --no-evaluate"
        )
