"""The sounds of lines on disk, addressed by what they say and how: a name that is there never changes its content.

A line is two files, ``KEY.flac`` and ``KEY.json``. The second is written last and holds the checksum of the first, so that a killed
process, a full disk or a damaged file leaves a line that counts as missing, never one that sounds wrong. Nothing is deleted here.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile as sf  # type: ignore[import-untyped]
import torch
from pydantic import Field

from triforce_tts.audio.io import Audio, encode_flac
from triforce_tts.audio.pcm import from_pcm16
from triforce_tts.audio.resample import Wave
from triforce_tts.errors import AudioError, TriforceError
from triforce_tts.files import atomic_path, file_sha256, write_json
from triforce_tts.schema import Record, read_record

FOLDER = "lines"


class LineRecord(Record):
    """The record of how a line was spoken, with the result of the checks."""

    samples: int = Field(ge=0)  # 0 if nothing of the line could be spoken; there is no FLAC file then
    sample_rate: int = Field(ge=1)
    sha256: str  # the SHA-256 of the FLAC file
    take: int  # the number of the try that was kept, from 0
    tries: int  # the number of tries that were made
    flags: tuple[str, ...]  # the faults that the checks found, one sentence each
    figures: dict[str, float]
    checks: tuple[str, ...]  # the names of the checks that were made
    heard: str | None = None  # the text that the recogniser heard, if there was one
    took_s: float  # the time that speaking and checking the line took

    @property
    def seconds(self) -> float:
        """The length of the sound."""
        return self.samples / self.sample_rate


@dataclass(frozen=True)
class Lines:
    """The lines in a narration's folder."""

    folder: Path
    tags: dict[str, str]

    def path(self, key: str) -> Path:
        """The path of the sound of a line, whether it exists yet or not."""
        return self.folder / FOLDER / f"{key}.flac"

    def record(self, key: str) -> LineRecord | None:
        """The record of a line; None if the line is missing or damaged."""
        path = self.path(key)
        try:
            record = read_record(path.with_suffix(".json"), LineRecord)
            is_whole = not record.samples or file_sha256(path) == record.sha256
        except (TriforceError, OSError):
            return None
        return record if is_whole else None

    def keep(self, key: str, samples: torch.Tensor, record: LineRecord) -> LineRecord:
        """Write a line; returns its record with the checksum."""
        path, sha256 = self.path(key), ""
        if record.samples:
            encoded = encode_flac(Audio(samples, record.sample_rate, self.tags))
            with atomic_path(path) as temporary:
                temporary.write_bytes(encoded)
            sha256 = file_sha256(path)
        whole = record.model_copy(update={"sha256": sha256})
        write_json(path.with_suffix(".json"), whole.model_dump(mode="json"))
        return whole

    def read(self, key: str, record: LineRecord) -> Wave:
        """The samples [n] of a line.

        Raises:
            AudioError: the file was removed or changed after it was checked.
        """
        if not record.samples:
            return np.zeros(0, np.float32)
        path = self.path(key)
        try:
            pcm, rate = sf.read(path, dtype="int16")
        except (sf.LibsndfileError, OSError) as error:
            raise AudioError(
                f"{path}: the sound of a line cannot be read ({error}); start the command again"
            ) from error
        if rate != record.sample_rate or len(pcm) != record.samples:
            raise AudioError(f"{path}: the sound of a line changed while it was used; start the command again")
        return from_pcm16(pcm)
