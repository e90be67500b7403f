"""The JSON of a sample: one typed record for whoever writes, checks, reads or counts shards."""

import json
from typing import Any

from pydantic import ConfigDict, Field, ValidationError

from triforce_tts.errors import ShardError
from triforce_tts.schema import Record

SAMPLE_RATES = (1000, 768_000)  # Hz
LONGEST_S = 1e6  # seconds; twelve days are no sample
_EXPECTED = {
    "string_type": "str",
    "bool_type": "bool",
    "int_type": "int",
    "float_type": "int or float",
    "finite_number": "a finite number",
    "list_type": "list",
    "dict_type": "dict",
}


class Described(Record):
    """What the JSON of any sample may hold, also of a foreign one; other fields, such as scores, are kept as they are."""

    model_config = ConfigDict(extra="allow")

    duration_s: float
    text: str = ""
    speaker: str = ""
    source: str = ""  # the collection that the recording is of
    license: str = ""
    sample_rate: int = 0  # Hz
    reader: str | None = None  # the name to give credit to
    url: str | None = None  # of the recording
    title: str | None = None  # of the recording
    recording: str | None = None  # its id, where the sample is a segment of a longer one
    normalized: str | None = None  # the text as it is spoken; coded shards have it
    gain_db: float | None = None
    bandwidth_hz: int | float | None = None
    snr_db: float | None = None
    start_s: float | None = None  # within the recording
    end_s: float | None = None
    transcriber: str | None = None  # who wrote the text of a raw recording down
    alignment: list[list[float]] | None = None  # see triforce_tts/text/alignment.py


class SampleRecord(Described):
    """The JSON of a sample of audio: writers fill it, readers parse it."""

    id: str
    text: str
    speaker: str
    source: str
    license: str
    punct: bool  # whether the text has case and punctuation
    sample_rate: int
    duration_s: float


class CodesRecord(SampleRecord):
    """The JSON of a sample of codes: its text is normalised."""

    normalized: str


class PartRecord(SampleRecord):
    """The JSON of a segment of a raw recording, before the shards are assembled."""

    recording: str
    fingerprint: str = Field(pattern="^([0-9a-f]{8})*$")  # of the sound, which finds duplicates


def content_of(record: Described) -> dict[str, Any]:
    """The fields of a record as they are written: those that are not known are left out."""
    return record.model_dump(exclude_none=True)


def parse_json(data: bytes | str) -> dict[str, Any]:
    """The fields of a sample's JSON.

    Raises:
        ShardError: it is not valid JSON, or holds no fields.
    """
    try:
        content = json.loads(data, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else error
        raise ShardError(f"its .json is not valid ({reason})") from error
    if not isinstance(content, dict):
        raise ShardError(f"its .json holds {type(content).__name__}, expected fields")
    return content


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def faults_of(content: dict[str, Any], kind: type[Described]) -> list[str]:
    """What ``content`` lacks, or has of a wrong type, to be the JSON of a ``kind``; empty where nothing is wrong."""
    try:
        json.dumps(content, ensure_ascii=False).encode()
        kind.model_validate(content)
    except UnicodeEncodeError:
        return ["its .json holds half a character (a lone surrogate), expected Unicode text"]
    except ValidationError as error:
        return list(dict.fromkeys(_told(problem) for problem in error.errors(include_url=False)))
    return []


def _told(problem: Any) -> str:
    name, *place = problem["loc"]
    if problem["type"] == "missing":
        return f"its .json lacks '{name}'"
    if name == "alignment" and place:
        return f"word {place[0]} of its alignment is no list of times"
    shown = json.dumps(problem["input"], default=repr)[:60]
    where = ".".join(map(str, (name, *place)))
    return f"'{where}' is {shown}, expected {_EXPECTED.get(problem['type'], problem['msg'])}"
