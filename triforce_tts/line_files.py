"""Speaks a list of texts into a folder, a file for each; a text that is there already is not spoken again.

Beside the files lie ``lines.jsonl``, a row for each text, and a folder of records: how a file was spoken, and the checksum of
its bytes. A record is written after its file, so a killed process leaves a text that counts as missing.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from triforce_tts import bounds
from triforce_tts.audio.edit import join
from triforce_tts.crew import Claims, shared
from triforce_tts.errors import TriforceError
from triforce_tts.files import file_sha256, write_json, write_text
from triforce_tts.line_list import ListedText
from triforce_tts.narrator.progress import Pace, Progress
from triforce_tts.narrator.speaking import threads_that_count, voice_identity
from triforce_tts.schema import Record, read_record
from triforce_tts.speech import Speech, Spoken
from triforce_tts.synthesis import Synthesizer
from triforce_tts.synthesis.script import without_reading
from triforce_tts.synthesis.speaking import Job, make_jobs, speak_jobs
from triforce_tts.voices import Voice

MANIFEST = "lines.jsonl"
RECORDS = ".records"
# The format of a record. Raise it when a change of the code changes the sound.
_FORMAT = 3


@dataclass(frozen=True)
class Order:
    """A text, its file, and everything that the sound in the file depends on."""

    name: str
    text: str
    path: Path
    seed: int  # 'speak' with this seed gives the same sound
    key: str  # a checksum of text, voice, model, settings and seed

    @property
    def record_path(self) -> Path:
        """The path of the record of how the file was spoken."""
        return self.path.parent / RECORDS / f"{self.path.name}.json"


class FileRecord(Record):
    """The record of how a file was spoken."""

    key: str
    sha256: str  # the SHA-256 of the sound file; empty if the line has no sound and so no file
    seconds: float
    complete: bool
    faults: tuple[str, ...]  # the faults of the sound, such as missing words, one sentence each


@dataclass(frozen=True, eq=False)
class Reader:
    """A model that speaks a list in one voice."""

    synthesizer: Synthesizer
    voice: Voice

    @property
    def identity(self) -> str:
        """A string of everything that the sound of every text depends on."""
        model, settings = self.synthesizer.model, self.synthesizer.settings
        # The size of a batch, like the kind of device, affects only the speed, so another size keeps the files.
        how: list[object] = [asdict(replace(settings, batch=1)), threads_that_count(model)]
        if (choice := self.synthesizer.choice) is not None:
            how.append([choice.takes, *choice.names])
        limits = model.limits.model_dump(mode="json")
        return json.dumps([_FORMAT, model.id, voice_identity(self.voice), limits, *how], sort_keys=True)


def make_orders(reader: Reader, texts: Sequence[ListedText], folder: Path, suffix: str, seed: int) -> list[Order]:
    """An order for each text; its seed depends on ``seed``, on the text, and on how often the list had it before."""
    occurrences: Counter[str] = Counter()
    identity, orders = reader.identity, []
    for listed in texts:
        occurrences[listed.text] += 1
        own = bounds.derived_seed(int(_digest(seed, listed.text, occurrences[listed.text])[:16], 16))
        tokens = [line.tokens for line in reader.synthesizer.prepare(listed.text)]
        key = _digest(identity, listed.text, tokens, own)[:32]
        orders.append(Order(listed.name, listed.text, folder / f"{listed.name}{suffix}", own, key))
    return orders


def _digest(*values: object) -> str:
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()


def record_of(order: Order) -> FileRecord | None:
    """The record of the file of an order; None if it is missing, damaged, or of another order."""
    try:
        record = read_record(order.record_path, FileRecord)
        is_whole = record.key == order.key and (not record.sha256 or file_sha256(order.path) == record.sha256)
    except (TriforceError, OSError):
        return None
    return record if is_whole else None


def speak_orders(reader: Reader, orders: Sequence[Order], folder: Path) -> Iterator[tuple[Order, FileRecord]]:
    """Each order with its record, as soon as this or another process has carried it out.

    Raises:
        TriforceError: the disk is full, or the folder cannot be written.
    """

    def work(some: Sequence[Order]) -> list[FileRecord]:
        return _speak(reader, some)

    with Claims(folder) as claims:
        batch = max(1, reader.synthesizer.settings.batch)
        yield from shared(list(enumerate(orders)), record_of, work, claims, batch)


def speak_list(reader: Reader, orders: Sequence[Order], folder: Path, progress: Progress) -> dict[str, FileRecord]:
    """The record of every order, by its name; the manifest is written at the end."""
    records = {order.name: record for order in orders if (record := record_of(order))}
    done, total = len(records), len(orders)
    pace = Pace(sum(len(order.text) for order in orders if order.name not in records))
    progress("line", done, total, None)
    for order, record in speak_orders(reader, orders, folder):
        if order.name in records:
            continue
        records[order.name] = record
        done += 1
        faults = list(record.faults)
        progress("line", done, total, pace.left_s(len(order.text)), id=order.name, flags=faults)
    rows = [_row(order, records[order.name]) for order in orders]
    write_text(folder / MANIFEST, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    return records


def _row(order: Order, record: FileRecord) -> dict[str, object]:
    return {
        "id": order.name, "text": order.text, "file": order.path.name if record.sha256 else None,
        "seconds": round(record.seconds, 3), "complete": record.complete, "seed": order.seed,
    }  # fmt: skip


def _speak(reader: Reader, some: Sequence[Order]) -> list[FileRecord]:
    """Speak several texts and write their files. Texts are drawn together until their lines fill a batch, which bounds the memory."""
    synthesizer = reader.synthesizer
    speed = synthesizer.settings.speed
    records: list[FileRecord] = []
    waiting: list[tuple[Order, list[Job]]] = []
    for order in some:
        waiting.append((order, make_jobs(synthesizer.prepare(order.text), reader.voice, order.seed, speed)))
        if order is some[-1] or sum(len(jobs) for _, jobs in waiting) >= synthesizer.settings.batch:
            records += _speak_together(synthesizer, waiting)
            waiting = []
    return records


def _speak_together(synthesizer: Synthesizer, texts: Sequence[tuple[Order, list[Job]]]) -> list[FileRecord]:
    together = [job for _, jobs in texts for job in jobs]
    spoken = iter(
        speak_jobs(synthesizer.model, together, synthesizer.settings, synthesizer.stopwatch, synthesizer.choice)
    )
    return [_write(synthesizer, order, [next(spoken) for _ in jobs]) for order, jobs in texts]


def _write(synthesizer: Synthesizer, order: Order, spoken: Sequence[Spoken]) -> FileRecord:
    rate = synthesizer.audio.sample_rate
    samples = join([line.samples for line in spoken], [line.pause_s for line in spoken[:-1]], rate)
    left_out = tuple(without_reading(order.text))
    speech = Speech(samples, rate, synthesizer.tags(order.seed), tuple(spoken), left_out)
    sha256 = ""
    if len(samples):
        speech.save(order.path)
        sha256 = file_sha256(order.path)
    record = FileRecord(
        key=order.key, sha256=sha256, seconds=speech.duration_s, complete=speech.complete and bool(sha256),
        faults=tuple(speech.faults),
    )  # fmt: skip
    write_json(order.record_path, record.model_dump(mode="json"))
    return record
