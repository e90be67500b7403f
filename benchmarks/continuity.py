"""Does a line go on better when it hears the line before? ``python -m benchmarks.continuity TEXT --out FILE``.

The lines of TEXT are spoken in order, three ways, by a model that was trained on voices alone (nothing is trained here):

  voice   every line is prompted with the clip of the voice, as ``narrate`` does
  tail    every line is prompted with the end of what was spoken before it, as long as the clip
  both    half of the prompt is the clip's beginning, half is the end of what was spoken before

From one line to the next: how far pitch (semitones), level (dB) and rate (percent) jump. Over all lines: characters that a
recogniser hears wrongly. And how far the last quarter of the lines has gone from the voice: semitones from the median
pitch of the first way, and the cosine of the speaker's vector to the clip's.
"""

import argparse
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch

from benchmarks.judges import character_errors, recogniser_name
from triforce_tts import Synthesizer
from triforce_tts.audio.edit import active_level_db, trim_silence
from triforce_tts.evaluation.statistics import interval
from triforce_tts.files import write_json
from triforce_tts.judges.embedding import Vectors, embed
from triforce_tts.judges.pitch import pitch
from triforce_tts.text.normalize import normalize
from triforce_tts.voices import Voice

WAYS = ("voice", "tail", "both")


@dataclass(frozen=True)
class Line:
    """A spoken line; a figure is NaN if the line has too little sound for it."""

    samples: torch.Tensor  # [n]
    semitones: float  # the median pitch in semitones over 100 Hz
    level_db: float
    rate: float  # letters a second
    vector: Vectors


def prompt(way: str, clip: torch.Tensor, spoken: Sequence[torch.Tensor]) -> torch.Tensor:
    """The codes [frames, groups] of the prompt for the next line, with as many frames as ``clip`` has."""
    if way == "voice" or not spoken:
        return clip
    frames = len(clip)
    head = frames // 2 if way == "both" else 0
    before = torch.cat([clip[head:], *spoken])  # If little was spoken yet, the clip fills the rest.
    return torch.cat([clip[:head], before[len(before) - (frames - head) :]])


def speak(synthesizer: Synthesizer, voice: Voice, texts: Sequence[str], way: str, seed: int) -> list[Line]:
    """The lines in order."""
    spoken: list[torch.Tensor] = []
    lines = []
    for number, text in enumerate(texts):
        prompted = replace(voice, codes=prompt(way, voice.codes, spoken))
        codes, _, _ = synthesizer.generate_codes(normalize(text), prompted, 1000 * seed + number)
        spoken.append(codes.cpu())
        rate = synthesizer.audio.sample_rate
        sound = synthesizer.decode(codes, voice.speaker, number)
        samples = trim_silence(sound, rate) if len(trim_silence(sound, rate)) else sound
        melody = pitch(samples.numpy(), rate)
        lines.append(
            Line(
                samples,
                12 * math.log2(melody.median_hz / 100) if melody else math.nan,
                active_level_db(samples, rate),
                sum(letter.isalnum() for letter in text) / (len(samples) / rate),
                embed(samples, rate),
            )
        )
    return lines


def figures(lines: Sequence[Line], home: float, clip: Vectors) -> dict[str, tuple[float, float, float]]:
    """Jumps from line to line and distance from the voice, each with its interval."""
    pairs = list(pairwise(lines))
    jumps = {
        "pitch jumps, semitones": [abs(b.semitones - a.semitones) for a, b in pairs],
        "level jumps, dB": [abs(b.level_db - a.level_db) for a, b in pairs],
        "rate jumps, percent": [100 * abs(math.log(b.rate / a.rate)) for a, b in pairs],
    }
    last = lines[-max(1, len(lines) // 4) :]
    ends = {
        "last quarter, semitones from the voice": [line.semitones - home for line in last],
        "last quarter, cosine to the clip": [float(line.vector @ clip) for line in last],
    }
    finite_values = {name: [v for v in values if math.isfinite(v)] for name, values in (jumps | ends).items()}
    return {name: interval(values) for name, values in finite_values.items() if values}


def main() -> None:
    """Speak, measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text", type=Path, help="a line of the book each")
    parser.add_argument("--model", type=Path, help="default: the bundled one")
    parser.add_argument("--voice", type=Path, help="default: the model's own")
    parser.add_argument("--limit", type=int, default=40, help="lines; default: %(default)s")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0], help="default: 0")
    parser.add_argument("--threads", type=int, default=1, help="default: %(default)s")
    parser.add_argument("--out", type=Path, required=True, help="JSON to write")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    synthesizer = Synthesizer.load(options.model, "cpu")
    voice, rate = synthesizer.voice(options.voice), synthesizer.audio.sample_rate
    texts = [line for line in options.text.read_text(encoding="utf-8").splitlines() if line.strip()][: options.limit]
    clip = embed(synthesizer.decode(voice.codes, voice.speaker, 0), rate)
    report: dict[str, Any] = {}
    home = math.nan
    for way in WAYS:
        by_seed = [speak(synthesizer, voice, texts, way, seed) for seed in options.seeds]
        lines = [line for spoken in by_seed for line in spoken]
        if way == "voice":
            home = float(torch.tensor([line.semitones for line in lines]).nanmedian())
        errors = character_errors([line.samples for line in lines], rate, texts * len(options.seeds), options.threads)
        runs = [figures(spoken, home, clip) for spoken in by_seed]
        report[way] = {"characters wrong": interval(errors), "seeds": runs}
        summary = {"recogniser": recogniser_name(), "lines": len(texts), "model": synthesizer.id, "ways": report}
        write_json(options.out, summary)
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
