"""Files with the times of each sentence and each word of a speech: JSON, SubRip or WebVTT."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from triforce_tts.cues import Cue, format_cues
from triforce_tts.errors import ConfigError
from triforce_tts.files import require_file_target, write_text
from triforce_tts.speech import Spoken, TimedWord

SUFFIXES = (".json", ".srt", ".vtt")


@dataclass(frozen=True)
class TimedSentence:
    """A sentence as it was written, with its place in the finished sound and the words as they are spoken."""

    text: str
    start_s: float
    end_s: float
    words: tuple[TimedWord, ...]


def timed_sentences(lines: Sequence[Spoken], sample_rate: int) -> list[TimedSentence]:
    """The sentences of ``lines``, which follow one another in a sound, each after the pause of the previous line."""
    sentences: list[TimedSentence] = []
    at = 0  # the position in samples
    for line in lines:
        at += round(line.lead_s * sample_rate)
        start_s, end_s = at / sample_rate, (at + len(line.samples)) / sample_rate
        words = tuple(TimedWord(word.text, start_s + word.start_s, start_s + word.end_s) for word in line.words)
        text = " ".join((line.source or line.text).split())
        if line.begins or not sentences:
            sentences.append(TimedSentence(text, start_s, end_s, words))
        else:
            first = sentences.pop()
            sentences.append(TimedSentence(first.text, first.start_s, end_s, first.words + words))
        at += len(line.samples) + round(line.pause_s * sample_rate)
    return sentences


def require_timestamps(path: Path) -> None:
    """Refuse, before any work is done, a file that ``write_timestamps`` could not write.

    Raises:
        ConfigError: the suffix belongs to another kind of file.
        TriforceError: a folder, a pipe or a device is there, or its folder cannot be made.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise ConfigError(f"{path}: cannot write '{path.suffix}' timestamps; choose one of {', '.join(SUFFIXES)}")
    require_file_target(path)


def write_timestamps(path: Path, sentences: Sequence[TimedSentence]) -> None:
    """Write the times of ``sentences``: all sentences to .json, or cues of those with a sound to .srt or .vtt."""
    if path.suffix.lower() == ".json":
        write_text(path, json.dumps({"sentences": list(map(_entry, sentences))}, ensure_ascii=False, indent=1) + "\n")
    else:
        write_text(path, format_cues(_cues(sentences), path))


def _entry(sentence: TimedSentence) -> dict[str, object]:
    words = [
        {"word": word.text, "start": round(word.start_s, 3), "end": round(word.end_s, 3)} for word in sentence.words
    ]
    times = {"start": round(sentence.start_s, 3), "end": round(sentence.end_s, 3)}
    return {"text": sentence.text, **times, "words": words}


def _cues(sentences: Sequence[TimedSentence]) -> Iterator[Cue]:
    for sentence in sentences:
        if sentence.end_s > sentence.start_s:
            yield Cue(sentence.start_s, sentence.end_s, sentence.text, sentence.words)
