"""Speaks the lines of a plan whose sound is missing: each until the checks are content, at most so many tries."""

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace

import torch

from triforce_tts import bounds
from triforce_tts.audio.pcm import from_pcm16, to_pcm16
from triforce_tts.narrator.checks import Checked, Checker
from triforce_tts.narrator.lines import LineRecord, Lines
from triforce_tts.narrator.plan import PlannedLine, Speaker
from triforce_tts.narrator.progress import Pace, Progress
from triforce_tts.speech import Spoken
from triforce_tts.synthesis import Synthesizer
from triforce_tts.synthesis.script import closed, make_line, spoken_length
from triforce_tts.synthesis.speaking import Job, speak_jobs
from triforce_tts.voices import Voice

_FORMAT = 1  # of a line's sound; a change of the code that changes sounds raises it
_TAKE_STRIDE = 1_000_000_007  # between the seeds of two takes of a line


@dataclass(frozen=True, eq=False)
class Studio:
    """A model that speaks in a voice, and the checks of what it says."""

    synthesizer: Synthesizer
    voice: Voice
    checker: Checker
    tries: int  # of a line that the checks are not content with
    cast: Mapping[str, Voice] = field(default_factory=dict)  # the voices of lines that are not the narrator's

    def speaker(self, seed: int) -> Speaker:
        """What the plan needs to know of model, voice and settings."""
        model = self.synthesizer.model
        settings = asdict(replace(self.synthesizer.settings, tries=1))
        limits = model.limits.model_dump(mode="json")

        def identity(voice: Voice) -> str:
            return json.dumps([_FORMAT, model.id, voice_identity(voice), settings, limits], sort_keys=True)

        voices = {name: identity(voice) for name, voice in self.cast.items()}
        return Speaker(model.tokenizer, model.room, identity(self.voice), seed, voices)

    def voice_of(self, line: PlannedLine) -> Voice:
        """The voice that speaks a line."""
        return self.cast[line.voice] if line.voice else self.voice


def voice_identity(voice: Voice) -> str:
    """A checksum of all that the networks know of a voice."""
    codes, speaker = voice.codes.cpu().contiguous(), voice.speaker.cpu().contiguous()
    digest = hashlib.sha256(codes.numpy().tobytes())
    digest.update(speaker.numpy().tobytes())
    return digest.hexdigest()[:16]


def speak_missing(
    studio: Studio, planned: Sequence[PlannedLine], lines: Lines, progress: Progress
) -> dict[str, LineRecord]:
    """The record of every line, by its key; what the cache lacks is spoken first.

    Raises:
        TriforceError: the disk is full, or the folder cannot be written.
    """
    records = {line.key: record for line in planned if (record := lines.record(line.key))}
    missing = {line.key: line for line in planned if not _is_done(records.get(line.key), studio)}
    pace = Pace(sum(len(line.text) for line in missing.values()))
    done = len({line.key for line in planned}) - len(missing)
    total = done + len(missing)
    progress("line", done, total, None)
    for key, line in missing.items():
        records[key] = _checked_again(studio, line, lines, records.get(key)) or _speak(studio, line, lines)
        done += 1
        flags = list(records[key].flags)
        progress("line", done, total, pace.left_s(len(line.text)), number=line.number, flags=flags)
    return records


def _is_done(record: LineRecord | None, studio: Studio) -> bool:
    """Whether nothing is left to do for a line: it passed these checks, or was tried often enough."""
    if record is None or not set(studio.checker.names) <= set(record.checks):
        return False
    return not record.flags or record.tries >= studio.tries


def _checked_again(studio: Studio, line: PlannedLine, lines: Lines, record: LineRecord | None) -> LineRecord | None:
    """A line that passed fewer checks than are made now, if its sound passes these too; else it is spoken anew."""
    if record is None or record.flags or not record.samples:
        return None
    began = time.perf_counter()
    samples = torch.from_numpy(lines.read(line.key, record))
    predicted_s = spoken_length(line.text) / studio.synthesizer.model.characters_per_second
    spoken = Spoken(line.text, samples, torch.zeros(0, 1), True, predicted_s, line.pause_s)
    checked = studio.checker(spoken, record.sample_rate)
    if checked.flags:
        return None
    return lines.keep(line.key, samples, _record(studio, checked, samples, record.take, record.tries, began))


def _speak(studio: Studio, line: PlannedLine, lines: Lines) -> LineRecord:
    """Speak a line and keep the first take without a flag, or else the best of all."""
    began = time.perf_counter()
    rate = studio.synthesizer.audio.sample_rate
    takes: list[tuple[Checked, torch.Tensor]] = []
    for number in range(studio.tries):
        spoken = _take(studio, line, number)
        takes.append((studio.checker(spoken, rate), spoken.samples))
        if not takes[-1][0].flags:
            break
    best = min(range(len(takes)), key=lambda number: takes[number][0].rank)
    checked, samples = takes[best]
    stored = torch.from_numpy(from_pcm16(to_pcm16(samples.numpy())))
    return lines.keep(line.key, stored, _record(studio, checked, stored, best, len(takes), began))


def _take(studio: Studio, line: PlannedLine, number: int) -> Spoken:
    """Try ``number`` of a line; from the second on, a line that ends without a mark gets a full stop."""
    synthesizer = studio.synthesizer
    model = synthesizer.model
    script = make_line(line.source, line.text, line.pause_s, model.tokenizer, model.room)
    if number:
        script = closed(script, model.tokenizer, model.room)
    job = Job(script, studio.voice_of(line), bounds.derived_seed(line.seed + number * _TAKE_STRIDE))
    (spoken,) = speak_jobs(model, [job], replace(synthesizer.settings, tries=1), synthesizer.stopwatch)
    return spoken


def _record(studio: Studio, checked: Checked, samples: torch.Tensor, take: int, tries: int, began: float) -> LineRecord:
    return LineRecord(
        samples=len(samples), sample_rate=studio.synthesizer.audio.sample_rate, sha256="", take=take, tries=tries,
        flags=checked.flags, figures=checked.figures, checks=studio.checker.names, heard=checked.heard,
        took_s=round(time.perf_counter() - began, 3),
    )  # fmt: skip
