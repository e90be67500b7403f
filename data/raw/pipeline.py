"""One raw recording through all steps: decoded, cut, told apart by speaker, written down, judged, encoded.

The result is a folder named by the recording, renamed into place when it is whole: a killed build loses at most the
recordings in hand, and a repeated one does nothing that is done. ``assemble`` makes shards of these folders.
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
from triforce_tts.schema import Config
from triforce_tts.shards import Sample, write_index, write_shard

from ..common.segments import ANALYSIS_RATE, Segment, Sound, Source, as_row
from ..steps.book import BookConfig, align_text
from ..steps.cut import CutConfig, cut
from ..steps.level import LevelConfig, levelled
from ..steps.screen import ScreenConfig, screen
from ..steps.speakers import SpeakersConfig, Vector, label_speakers
from ..steps.text_checks import TextConfig, check_text
from ..steps.timing import AlignConfig, place_words
from ..steps.transcribe import TranscribeConfig, transcribe
from ..steps.vad import VadConfig, speech_probabilities, speech_spans
from ..web.fetch import FetchConfig
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

FORMAT = 5  # raised when the same recording would give another result
SCRATCH = "scratch"  # folder of the decoded sound, while it is needed
PART = "part"  # the split of a recording's own shard
FINGERPRINT = "fingerprint"  # of the sound, in hexadecimal, in the JSON of a part's sample


class BuilderConfig(Config):
    """The whole of ``configs/data/*.yaml``: a part for each step."""

    sample_rate: PositiveInt = 24000  # Hz to store
    codec: Literal["flac", "opus"] = "flac"
    opus_kbps: PositiveInt = 32
    fetch: FetchConfig = FetchConfig()
    level: LevelConfig = LevelConfig()
    vad: VadConfig = VadConfig()
    cut: CutConfig = CutConfig()
    speakers: SpeakersConfig = SpeakersConfig()
    transcribe: TranscribeConfig = TranscribeConfig()
    book: BookConfig = BookConfig()
    text: TextConfig = TextConfig()
    screen: ScreenConfig = ScreenConfig()
    align: AlignConfig = AlignConfig()
    duplicates: DuplicatesConfig = DuplicatesConfig()
    heldout_share: float = Field(default=0.02, ge=0, lt=1)  # of the hours, by whole speakers
    shard_samples: PositiveInt = 256

    @model_validator(mode="after")
    def _check(self) -> "BuilderConfig":
        if self.align.enabled and self.text.language != "en":
            raise ValueError(
                f"align.enabled: words can be placed in English alone, text.language is '{self.text.language}'; "
                "set align.enabled=false"
            )
        return self


@dataclass(frozen=True)
class Work:
    """A recording to do, and where its result goes."""

    source: Source
    folder: str
    config: BuilderConfig

    @property
    def fingerprint(self) -> str:
        """Changes with the recording, its text, the settings of any step, or the format."""
        # What is done after all recordings, or before, does not change what is made of one.
        settings = self.config.model_dump(mode="json", exclude={"fetch", "heldout_share", "shard_samples"})
        text = _checksum(Path(self.source.text)) if self.source.text else ""
        about = {name: value for name, value in asdict(self.source).items() if name not in ("path", "text")}
        return hashlib.sha256(json.dumps([FORMAT, settings, about, text], sort_keys=True).encode()).hexdigest()


def _checksum(path: Path) -> str:
    try:
        return file_sha256(path) if path.is_file() else "no file"
    except OSError:
        return "cannot be read"  # whoever reads it says so


class _NotHereError(Exception):
    """This machine could not do a recording, for no fault of the recording's."""


def process(work: Work) -> Account:
    """Take one recording through all steps, or return what an earlier build made of the same.

    What is wrong with the recording, or with its text, is in the account, is kept, and stops nothing. Where this machine
    is at fault (memory, a disk that cannot be read), the account says so, and the next build tries again.

    Raises:
        TriforceError: what is wrong concerns every recording, such as weights that are missing, or a full disk.
    """
    folder = Path(work.folder)
    with held(folder):
        stamp = work.fingerprint
        if (found := finished(folder, stamp)) is not None:
            return found
        account = Account(work.source)
        try:
            with new_folder(folder, "recording", force=True) as temporary:
                _make(work, temporary, account, stamp)
        except _NotHereError as error:
            account.error, account.again = str(error).removeprefix(f"{work.source.path}: "), True
            write_failed(folder, stamp, account)
        else:
            forget_failure(folder)
    return account


def _make(work: Work, folder: Path, account: Account, stamp: str) -> None:
    """Fill ``folder`` with the result of a recording; an error that says nothing of the recording goes on."""
    made: list[Sample] = []
    try:
        made = _take(work, folder, _Clock(account))
    except ImportError as error:
        raise TriforceError(f"{error.name} cannot be loaded ({error}); pip install 'triforce-tts[data]'") from error
    except Exception as error:
        if isinstance(error, TriforceError) and not isinstance(error, AudioError | TextError):
            raise
        if not is_of_recording(error):
            raise _NotHereError((str(error).splitlines() or [""])[0] or type(error).__name__) from error
        if isinstance(error, AudioError | TextError):
            account.error = str(error).removeprefix(f"{work.source.path}: ")
        else:
            # A fault of this program or of a library, with this recording: the others shall not wait for its mending.
            name = Path(work.folder).name
            account.error = f"a fault of the builder ({error!r}); please report it with work/{name}/{FAULT}"
            write_text(folder / FAULT, traceback.format_exc())
    info = write_shard(folder / SAMPLES, made)
    write_index(folder, "audio", {PART: [info]}, {})
    shutil.rmtree(folder / SCRATCH, ignore_errors=True)
    write_done(folder, stamp, account)


def _take(work: Work, folder: Path, clock: "_Clock") -> list[Sample]:
    """The samples of a recording; its segments and voices are written into ``folder``."""
    config, source = work.config, work.source
    with clock("decode"):
        sound = decode(Path(source.path), folder / SCRATCH, config.sample_rate)
        clock.account.duration_s, clock.account.faults = sound.duration_s, list(sound.faults)
    segments, voices = run_steps(sound, source, config, clock)
    rows = [json.dumps(as_row(segment), ensure_ascii=False, sort_keys=True) + "\n" for segment in segments]
    write_text(folder / ROWS, "".join(rows))
    write_json(folder / VOICES, {label: [round(float(x), 6) for x in vector] for label, vector in voices.items()})
    with clock("encode"):
        # Encoded, an hour takes a hundred megabytes at most: they fit into memory.
        return [make_sample(sound, source, n, s, config) for n, s in enumerate(segments) if s.kept]


class _Clock:
    """Times steps, and notes how much sound each of them was given and dropped."""

    def __init__(self, account: Account) -> None:
        self.account = account

    @contextmanager
    def __call__(self, name: str, segments: Sequence[Segment] = ()) -> Iterator[None]:
        given = sum(segment.seconds for segment in segments if segment.kept)
        began = time.perf_counter()
        yield
        kept = sum(segment.seconds for segment in segments if segment.kept)  # which a step may have divided
        self.account.steps[name] = (
            round(given if segments else self.account.duration_s, 4),
            round(given - kept, 4),
            round(time.perf_counter() - began, 4),
        )


def run_steps(
    sound: Sound, source: Source, config: BuilderConfig, clock: "_Clock"
) -> tuple[list[Segment], Mapping[str, Vector]]:
    """The segments of ``sound`` after every step between decoding and encoding, and the mean vector of each voice.

    The segments cover all of the recording, in order.
    """
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
        if source.text is not None:
            align_text(sound, segments, read_book(Path(source.text)), config.book)
        else:
            transcribe(sound, segments, config.transcribe)
    with clock("text checks", segments):
        check_text(segments, config.text)
    with clock("screen", segments):
        screen(sound, segments, config.screen)
    with clock("align", segments):
        place_words(sound, segments, config.align)
    return segments, voices


def make_sample(sound: Sound, source: Source, number: int, segment: Segment, config: BuilderConfig) -> Sample:
    """The sample of a kept segment, at the one level of all samples, with what is known about it."""
    samples = torch.from_numpy(sound.read(segment.start_s, segment.end_s))
    levelled, gain_db = normalize_level(samples, sound.sample_rate)
    audio = Audio(levelled, sound.sample_rate)
    key = sample_key(source, number)
    known = {"url": source.url, "title": source.title}
    meta: dict[str, Any] = {
        "id": key,
        "text": segment.text,
        "speaker": segment.speaker,
        "source": source.collection,
        "recording": source.id,
        "start_s": round(segment.start_s, 4),
        "end_s": round(segment.end_s, 4),
        "license": source.license,
        "punct": True,
        "sample_rate": audio.sample_rate,
        "duration_s": round(audio.duration_s, 4),
        "gain_db": round(gain_db, 2),
        **{name: value for name, value in known.items() if value is not None},
        **{name: round(value, 4) for name, value in segment.scores.items()},
        **segment.details,
    }
    analysed = sound.read(segment.start_s, segment.end_s, ANALYSIS_RATE)
    meta[FINGERPRINT] = fingerprint(analysed).tobytes().hex()
    if config.codec == "opus":
        return Sample(key, meta, encode_opus(audio, 1000 * config.opus_kbps), "opus")
    return Sample(key, meta, encode_flac(audio), "flac")
