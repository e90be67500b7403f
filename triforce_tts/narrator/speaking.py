"""Speaks the lines of a plan whose sound is missing: each until the checks find no fault, or the tries are used up."""

import hashlib
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace

import torch

from triforce_tts import bounds
from triforce_tts.audio.pcm import from_pcm16, to_pcm16
from triforce_tts.crew import Claims, shared
from triforce_tts.errors import TriforceError
from triforce_tts.narrator.checks import Checked, Checker
from triforce_tts.narrator.lines import LineRecord, Lines
from triforce_tts.narrator.plan import PlannedLine, Speaker
from triforce_tts.narrator.progress import Pace, Progress
from triforce_tts.sampling.stepping import is_native
from triforce_tts.speech import Spoken
from triforce_tts.synthesis import Model, Synthesizer
from triforce_tts.synthesis.script import closed, make_line, spoken_length
from triforce_tts.synthesis.speaking import Job, speak_jobs
from triforce_tts.voices import Voice

# The format of a line's sound. Raise it when a change of the code changes the sound.
_FORMAT = 3
_TAKE_STRIDE = 1_000_000_007  # the distance between the seeds of two takes of a line


@dataclass(frozen=True, eq=False)
class Part:
    """A voice of the cast, and the checks of its lines."""

    voice: Voice
    checker: Checker


@dataclass(frozen=True, eq=False)
class Studio:
    """A model that speaks in a voice, and the checks of its lines."""

    synthesizer: Synthesizer
    voice: Voice
    checker: Checker
    tries: int  # the most tries of a line in which the checks find a fault
    cast: Mapping[str, Part] = field(default_factory=dict)  # the voices of the lines that the narrator does not speak
    takes: int = 1  # the number of takes of every line; the best take is kept

    def speaker(self, seed: int) -> Speaker:
        """The facts about model, voice and settings that the plan needs."""
        model = self.synthesizer.model
        used = self.synthesizer.settings
        # The size of a batch, like the kind of device, affects only the speed.
        settings = asdict(replace(used, tries=1, batch=1))
        how = [settings, model.limits.model_dump(mode="json"), threads_that_count(model)]

        def identity(voice: Voice) -> str:
            return json.dumps([_FORMAT, model.id, voice_identity(voice), *how], sort_keys=True)

        voices = {name: identity(part.voice) for name, part in self.cast.items()}
        return Speaker(model.tokenizer, model.room, identity(self.voice), seed, voices)

    def part_of(self, line: PlannedLine) -> Part:
        """The voice that speaks a line, and the checks of it."""
        return self.cast[line.voice] if line.voice else Part(self.voice, self.checker)


def threads_that_count(model: Model) -> int:
    """The number of threads that compute sums: on a CPU the last bits of a sound depend on it (docs/decisions.md)."""
    return torch.get_num_threads() if model.device.type == "cpu" else 1


def voice_identity(voice: Voice) -> str:
    """A checksum of everything in a voice that the networks use."""
    tensors = [voice.codes, voice.speaker] + ([] if voice.timbre is None else [voice.timbre])
    digest = hashlib.sha256()
    for tensor in tensors:
        digest.update(tensor.cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]


def require_same_speaker(speaker: Speaker, planned: Sequence[PlannedLine]) -> None:
    """Refuse to speak lines that were planned for another model, voice or setting: their keys would be wrong.

    Raises:
        TriforceError: ``speaker`` would give the first line another key.
    """
    first = planned[0]
    if first.voice not in ("", *speaker.voices):
        raise TriforceError(
            f"this process has no voice '{first.voice}', which the plan names; give all processes the same --cast"
        )
    script = make_line(first.source, first.text, first.pause_s, speaker.tokenizer, speaker.room)
    if speaker.key_of(script, first.seed, first.voice) != first.key:
        raise TriforceError(
            "this process has another model, voice, lexicon or setting than the one that made the plan; "
            "give all processes the same options, and the same kind of device"
        )


def speak_missing(
    studio: Studio, planned: Sequence[PlannedLine], lines: Lines, progress: Progress
) -> dict[str, LineRecord]:
    """The record of every line, by its key. Lines that the cache lacks are spoken first, here or by another process.

    Raises:
        TriforceError: the disk is full, or the folder cannot be written.
    """
    records = {line.key: record for line in planned if (record := lines.record(line.key))}
    missing = missing_lines(studio, planned, records)
    pace = Pace(sum(len(line.text) for line in missing))
    done = len({line.key for line in planned}) - len(missing)
    total = done + len(missing)
    progress("line", done, total, None)
    for line, record in speak_shared(studio, planned, missing, lines):
        records[line.key] = record
        done += 1
        progress("line", done, total, pace.left_s(len(line.text)), number=line.number, flags=list(record.flags))
    return records


def missing_lines(
    studio: Studio, planned: Sequence[PlannedLine], records: Mapping[str, LineRecord]
) -> list[PlannedLine]:
    """The lines that still need work, each key once."""
    return list({line.key: line for line in planned if not _is_done(records.get(line.key), studio)}.values())


def speak_shared(
    studio: Studio, planned: Sequence[PlannedLine], missing: Sequence[PlannedLine], lines: Lines
) -> Iterator[tuple[PlannedLine, LineRecord]]:
    """The ``missing`` ones of the ``planned`` lines, each with its record when this or another process has spoken it.

    All processes that speak the same plan at the same time share the lines. Where a batch needs one shape, the longest lines come
    first, so that lines of one length lie beside each other. Native batches need none: the book is spoken from its beginning.
    """
    numbers = {key: number for number, key in enumerate(dict.fromkeys(line.key for line in planned))}
    batch = max(1, studio.synthesizer.settings.batch)
    has_shape = batch > 1 and not is_native(studio.synthesizer.gpt)
    ordered = sorted(missing, key=lambda line: -len(line.text)) if has_shape else missing

    def finished(line: PlannedLine) -> LineRecord | None:
        record = lines.record(line.key)
        return record if _is_done(record, studio) else None

    def work(some: Sequence[PlannedLine]) -> list[LineRecord]:
        return _speak(studio, some, lines)

    with Claims(lines.folder) as claims:
        yield from shared([(numbers[line.key], line) for line in ordered], finished, work, claims, batch)


def _is_done(record: LineRecord | None, studio: Studio) -> bool:
    """Whether a line needs no more work: it passed these checks, or was tried often enough."""
    if record is None or not set(studio.checker.names) <= set(record.checks):
        return False
    return record.tries >= studio.takes and (not record.flags or record.tries >= studio.tries)


def _checked_again(studio: Studio, line: PlannedLine, lines: Lines, record: LineRecord | None) -> LineRecord | None:
    """The new record of a line that passed fewer checks than are made now; None if its sound must be made again."""
    if record is None or record.flags or not record.samples or record.tries < studio.takes:
        return None
    began = time.perf_counter()
    samples = torch.from_numpy(lines.read(line.key, record))
    predicted_s = spoken_length(line.text) / studio.synthesizer.model.characters_per_second
    spoken = Spoken(line.text, samples, torch.zeros(0, 1), True, predicted_s, line.pause_s)
    checked = studio.part_of(line).checker(spoken, record.sample_rate)
    if checked.flags:
        return None
    return lines.keep(line.key, samples, _record(studio, checked, samples, record.take, record.tries, began))


def _speak(studio: Studio, some: Sequence[PlannedLine], lines: Lines) -> list[LineRecord]:
    """Speak lines together. The first take without a flag is kept of each line, or the best if several are wanted."""
    began = time.perf_counter()
    records = {line.key: _checked_again(studio, line, lines, lines.record(line.key)) for line in some}
    takes: dict[str, list[tuple[Checked, torch.Tensor]]] = {line.key: [] for line in some}
    for number in range(max(studio.tries, studio.takes)):
        unsettled = [line for line in some if not records[line.key]]
        left = [line for line in unsettled if number < studio.takes or all(c.flags for c, _ in takes[line.key])]
        for line, spoken in zip(left, _takes(studio, left, number), strict=True):
            checked = studio.part_of(line).checker(spoken, studio.synthesizer.audio.sample_rate)
            takes[line.key].append((checked, spoken.samples))
    began += (time.perf_counter() - began) * (1 - 1 / len(some))  # each line took an equal share of the time
    return [records[line.key] or _keep_best(studio, line, lines, takes[line.key], began) for line in some]


def _keep_best(
    studio: Studio, line: PlannedLine, lines: Lines, takes: Sequence[tuple[Checked, torch.Tensor]], began: float
) -> LineRecord:
    best = min(range(len(takes)), key=lambda number: takes[number][0].rank)
    checked, samples = takes[best]
    stored = torch.from_numpy(from_pcm16(to_pcm16(samples.numpy())))
    return lines.keep(line.key, stored, _record(studio, checked, stored, best, len(takes), began))


def _takes(studio: Studio, some: Sequence[PlannedLine], number: int) -> list[Spoken]:
    """Make try ``number`` of each line, in one batch of the size in the settings."""
    if studio.synthesizer.settings.batch <= 1:
        return [_take(studio, line, number) for line in some]
    synthesizer = studio.synthesizer
    jobs = [_job(studio, line, number) for line in some]
    return speak_jobs(synthesizer.model, jobs, replace(synthesizer.settings, tries=1), synthesizer.stopwatch)


def _take(studio: Studio, line: PlannedLine, number: int) -> Spoken:
    """Make try ``number`` of a single line."""
    synthesizer = studio.synthesizer
    job = _job(studio, line, number)
    (spoken,) = speak_jobs(synthesizer.model, [job], replace(synthesizer.settings, tries=1), synthesizer.stopwatch)
    return spoken


def _job(studio: Studio, line: PlannedLine, number: int) -> Job:
    """The job of try ``number`` of a line; from the second try on, a line that ends without a mark gets a full stop."""
    model = studio.synthesizer.model
    script = make_line(line.source, line.text, line.pause_s, model.tokenizer, model.room)
    if number:
        script = closed(script, model.tokenizer, model.room)
    voice = studio.part_of(line).voice
    return Job(script, voice, bounds.derived_seed(line.seed + number * _TAKE_STRIDE))


def _record(studio: Studio, checked: Checked, samples: torch.Tensor, take: int, tries: int, began: float) -> LineRecord:
    return LineRecord(
        samples=len(samples), sample_rate=studio.synthesizer.audio.sample_rate, sha256="", take=take, tries=tries,
        flags=checked.flags, figures=checked.figures, checks=studio.checker.names, heard=checked.heard,
        took_s=round(time.perf_counter() - began, 3),
    )  # fmt: skip
