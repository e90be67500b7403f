"""The JSON of a sample: the typed records that all code uses to write, check, read or count shards."""

import json
from typing import Any

from pydantic import ConfigDict, Field, ValidationError

from triforce_tts.errors import ShardError
from triforce_tts.schema import Record

SAMPLE_RATES = (1000, 768_000)  # Hz
LONGEST_S = 1e6  # seconds, about twelve days; nothing longer can be a sample
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
    """The fields that the JSON of any sample may have; other fields, such as scores, are kept as they are."""

    model_config = ConfigDict(extra="allow")

    duration_s: float
    text: str = ""
    speaker: str = ""
    source: str = ""  # the collection that the sample comes from
    license: str = ""
    sample_rate: int = 0  # Hz
    reader: str | None = None  # the name to give credit to
    url: str | None = None  # the address of the recording
    title: str | None = None  # the title of the recording
    recording: str | None = None  # the id of the recording, if the sample is a segment of one
    normalized: str | None = None  # the text as it is spoken; shards of codes have it
    gain_db: float | None = None
    bandwidth_hz: int | float | None = None
    snr_db: float | None = None
    start_s: float | None = None  # seconds from the start of the recording
    end_s: float | None = None
    transcriber: str | None = None  # the recogniser of a raw recording's text
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
    fingerprint: str = Field(pattern="^([0-9a-f]{8})*$")  # the fingerprint of the sound, which finds duplicates


def content_of(record: Described) -> dict[str, Any]:
    """The fields of a record as the JSON has them: a field without a value is left out."""
    return record.model_dump(exclude_none=True)


def parse_json(data: bytes | str) -> dict[str, Any]:
    """The fields of a sample's JSON.

    Raises:
        ShardError: ``data`` is not valid JSON, or is no JSON object.
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
    """The faults of ``content`` as the JSON of a ``kind``: missing fields and wrong types."""
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
