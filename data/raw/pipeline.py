"""Takes one raw recording through all steps: decode, cut, speakers, text, screening, alignment, encode.

The result is a folder with the name of the recording. It is renamed into its place when it is complete, so a build that
is killed loses only the recordings that it is working on, and the next build skips the finished ones. ``assemble``
makes shards of these folders.
"""

import hashlib
import json
import shutil
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from pydantic import Field, PositiveInt, model_validator

from triforce_tts.audio.edit import normalize_level
from triforce_tts.audio.io import Audio, encode_flac, encode_opus
from triforce_tts.books.book import read_book
from triforce_tts.errors import AudioError, TextError, TriforceError
from triforce_tts.files import file_sha256, new_folder, write_json, write_text
from triforce_tts.samples import PartRecord, content_of
from triforce_tts.schema import Config
from triforce_tts.shards import Sample, write_index, write_shard
from triforce_tts.web.request import FetchConfig

from ..common.segments import ANALYSIS_RATE, Recording, Segment, Sound, as_row
from ..steps.book import BookConfig, align_text
from ..steps.cut import CutConfig, cut
from ..steps.level import LevelConfig, levelled
from ..steps.screen import ScreenConfig, screen
from ..steps.speakers import SpeakersConfig, Vector, label_speakers
from ..steps.text_checks import TextChecksConfig, check_text
from ..steps.timing import AlignConfig, place_words
from ..steps.transcribe import PUNCT, TranscribeConfig, transcribe
from ..steps.vad import VadConfig, speech_probabilities, speech_spans
from .duplicates import DuplicatesConfig, fingerprint
from .results import (
    FAULT,
    ROWS,
    SAMPLES,
    VOICES,
    Account,
    finished,
    forget_failure,
    held,
    is_of_recording,
    sample_key,
    write_done,
    write_failed,
)
from .sound import decode

FORMAT = 8  # raise it when the code gives another result for the same recording
SCRATCH = "scratch"  # the folder of the decoded sound while the steps need it
PART = "part"  # the name of the only split in a recording's own shard


class BuilderConfig(Config):
    """The settings in ``configs/data/*.yaml``, with a section for each step."""

    sample_rate: PositiveInt = 24000  # Hz; the rate of the stored samples
    codec: Literal["flac", "opus"] = "flac"
    opus_kbps: PositiveInt = 32
    fetch: FetchConfig = FetchConfig()
    level: LevelConfig = LevelConfig()
    vad: VadConfig = VadConfig()
    cut: CutConfig = CutConfig()
    speakers: SpeakersConfig = SpeakersConfig()
    transcribe: TranscribeConfig = TranscribeConfig()
    book: BookConfig = BookConfig()
    text_checks: TextChecksConfig = TextChecksConfig()
    screen: ScreenConfig = ScreenConfig()
    align: AlignConfig = AlignConfig()
    duplicates: DuplicatesConfig = DuplicatesConfig()
    heldout_share: float = Field(default=0.02, ge=0, lt=1)  # share of the sound to hold out, by whole speakers
    shard_samples: PositiveInt = 256

    @model_validator(mode="after")
    def _check(self) -> "BuilderConfig":
        if self.align.enabled and self.text_checks.language != "en":
            raise ValueError(
                f"align.enabled: only English words can be aligned, but text_checks.language is "
                f"'{self.text_checks.language}'; set align.enabled=false"
            )
        return self


@dataclass(frozen=True)
class Work:
    """A recording to process, and the folder for its result."""

    recording: Recording
    folder: str
    config: BuilderConfig

    @property
    def fingerprint(self) -> str:
        """A checksum of the recording, its text, the settings of all steps, and the format."""
        # Settings of the work before and after the steps do not change the result of a recording.
        settings = self.config.model_dump(mode="json", exclude={"fetch", "heldout_share", "shard_samples"})
        text = _checksum(Path(self.recording.text)) if self.recording.text else ""
        about = {name: value for name, value in asdict(self.recording).items() if name not in ("path", "text")}
        return hashlib.sha256(json.dumps([FORMAT, settings, about, text], sort_keys=True).encode()).hexdigest()


def _checksum(path: Path) -> str:
    try:
        return file_sha256(path) if path.is_file() else "no file"
    except OSError:
        return "cannot be read"  # the step that reads the text raises the error


class _NotHereError(Exception):
    """This machine could not process a recording, and the recording is not at fault."""


def process(work: Work) -> Account:
    """Take one recording through all steps; if an earlier build did so with the same input, return its account.

    A fault of the recording or its text is part of the account, which is kept. If the machine is at fault (too little
    memory, a disk that cannot be read), the account says so, and the next build tries again.

    Raises:
        TriforceError: an error that concerns every recording, such as missing weights or a full disk.
    """
    folder = Path(work.folder)
    with held(folder):
        stamp = work.fingerprint
        if (earlier := finished(folder, stamp)) is not None:
            return earlier
        account = Account(work.recording)
        try:
            with new_folder(folder, "recording", force=True) as temporary:
                _make(work, temporary, account, stamp)
        except _NotHereError as error:
            account.error, account.again = str(error).removeprefix(f"{work.recording.path}: "), True
            write_failed(folder, stamp, account)
        else:
            forget_failure(folder)
    return account


def _make(work: Work, folder: Path, account: Account, stamp: str) -> None:
    """Fill ``folder`` with the result of a recording; an error that is not the recording's own fault is raised."""
    samples: list[Sample] = []
    try:
        samples = _take(work, folder, _Clock(account))
    except ImportError as error:
        raise TriforceError(f"{error.name} cannot be loaded ({error}); pip install 'triforce-tts[data]'") from error
    except Exception as error:
        if isinstance(error, TriforceError) and not isinstance(error, AudioError | TextError):
            raise
        if not is_of_recording(error):
            raise _NotHereError((str(error).splitlines() or [""])[0] or type(error).__name__) from error
        if isinstance(error, AudioError | TextError):
            account.error = str(error).removeprefix(f"{work.recording.path}: ")
        else:
            # This program or a library failed on this recording. The build goes on with the other recordings.
            name = Path(work.folder).name
            account.error = f"a fault of the builder ({error!r}); please report it with work/{name}/{FAULT}"
            write_text(folder / FAULT, traceback.format_exc())
    info = write_shard(folder / SAMPLES, samples)
    write_index(folder, "audio", {PART: [info]}, {})
    shutil.rmtree(folder / SCRATCH, ignore_errors=True)
    write_done(folder, stamp, account)


def _take(work: Work, folder: Path, clock: "_Clock") -> list[Sample]:
    """The samples of a recording; the function also writes the segments and voices into ``folder``."""
    config, recording = work.config, work.recording
    with clock("decode"):
        sound = decode(Path(recording.path), folder / SCRATCH, config.sample_rate)
        clock.account.duration_s, clock.account.faults = sound.duration_s, list(sound.faults)
    segments, voices = run_steps(sound, recording, config, clock)
    rows = [json.dumps(as_row(segment), ensure_ascii=False, sort_keys=True) + "\n" for segment in segments]
    write_text(folder / ROWS, "".join(rows))
    write_json(folder / VOICES, {label: [round(float(x), 6) for x in vector] for label, vector in voices.items()})
    with clock("encode"):
        # An encoded hour has a hundred megabytes at most, so all samples fit into memory.
        return [make_sample(sound, recording, n, s, config) for n, s in enumerate(segments) if s.kept]


class _Clock:
    """Measures the time of each step, and how much sound it gets and drops."""

    def __init__(self, account: Account) -> None:
        self.account = account

    @contextmanager
    def __call__(self, name: str, segments: Sequence[Segment] = ()) -> Iterator[None]:
        before_s = sum(segment.seconds for segment in segments if segment.kept)
        began = time.perf_counter()
        yield
        after_s = sum(segment.seconds for segment in segments if segment.kept)  # the step may have divided segments
        self.account.steps[name] = (
            round(before_s if segments else self.account.duration_s, 4),
            round(before_s - after_s, 4),
            round(time.perf_counter() - began, 4),
        )


def run_steps(
    sound: Sound, recording: Recording, config: BuilderConfig, clock: "_Clock"
) -> tuple[list[Segment], Mapping[str, Vector]]:
    """Run every step between decoding and encoding; the result is the segments and the mean vector of each voice.

    The segments are in order and cover the whole recording.
    """
    # The text is read first: if it cannot be read, the steps before its own would be for nothing.
    book = read_book(Path(recording.text)) if recording.text is not None else None
    with clock("level"):
        sound = levelled(sound, config.level)
    with clock("voice activity"):
        probabilities = speech_probabilities(sound, config.vad)
        spans = speech_spans(probabilities, config.vad)
    with clock("cut"):
        segments = cut(spans, sound, probabilities, config.cut)
    with clock("speakers", segments):
        voices = label_speakers(sound, segments, config.speakers)
    with clock("text", segments):
        if book is not None:
            align_text(sound, segments, book, config.book)
        else:
            transcribe(sound, segments, config.transcribe)
    with clock("text checks", segments):
        check_text(segments, config.text_checks)
    with clock("screen", segments):
        screen(sound, segments, config.screen)
    with clock("align", segments):
        place_words(sound, segments, config.align)
    return segments, voices


def make_sample(sound: Sound, recording: Recording, number: int, segment: Segment, config: BuilderConfig) -> Sample:
    """The sample of a kept segment, at the level that all samples have, with all that is known about it."""
    samples = torch.from_numpy(sound.read(segment.start_s, segment.end_s))
    levelled, gain_db = normalize_level(samples, sound.sample_rate)
    audio = Audio(levelled, sound.sample_rate)
    key = sample_key(recording, number)
    measured: dict[str, Any] = {name: round(value, 4) for name, value in segment.scores.items()}
    analysed = sound.read(segment.start_s, segment.end_s, ANALYSIS_RATE)
    record = PartRecord(
        id=key,
        text=segment.text,
        speaker=segment.speaker,
        source=recording.collection,
        recording=recording.id,
        start_s=round(segment.start_s, 4),
        end_s=round(segment.end_s, 4),
        license=recording.license,
        sample_rate=audio.sample_rate,
        duration_s=round(audio.duration_s, 4),
        gain_db=round(gain_db, 2),
        url=recording.url,
        title=recording.title,
        fingerprint=fingerprint(analysed).tobytes().hex(),
        **{PUNCT: True, **measured, **segment.details},
    )
    meta = content_of(record)
    if config.codec == "opus":
        return Sample(key, meta, encode_opus(audio, 1000 * config.opus_kbps), "opus")
    return Sample(key, meta, encode_flac(audio), "flac")
