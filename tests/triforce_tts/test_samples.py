"""One record for the JSON of a sample: it keeps the bytes, knows the types, and lets scores through."""

import json

import pytest
from pydantic import ValidationError

from triforce_tts.samples import CodesRecord, Described, PartRecord, SampleRecord, content_of, faults_of

FIELDS = {
    "id": "a", "text": "Hi.", "speaker": "s", "source": "c", "license": "CC0-1.0", "punct": True, "sample_rate": 16000,
    "duration_s": 1.5, "gain_db": -2.0, "bandwidth_hz": 8000,
}  # fmt: skip


def test_what_is_written_is_what_was_filled_in() -> None:
    assert content_of(SampleRecord(**FIELDS)) == FIELDS  # type: ignore[arg-type]
    more = FIELDS | {"snr_db": 12.0, "dnsmos": 3.25, "alignment": [[0.0, 0.5]], "avg_logprob": -0.125}
    content = content_of(SampleRecord(**more))  # type: ignore[arg-type]
    assert json.dumps(content, sort_keys=True) == json.dumps(more, sort_keys=True)  # also 8000 and not 8000.0


def test_readers_of_every_kind_parse_what_was_written() -> None:
    content = content_of(SampleRecord(**FIELDS))  # type: ignore[arg-type]
    assert SampleRecord.model_validate(content).gain_db == -2.0
    assert faults_of(content, SampleRecord) == faults_of(content, Described) == []
    assert faults_of(content, CodesRecord) == ["its .json lacks 'normalized'"]
    assert faults_of(content, PartRecord) == ["its .json lacks 'recording'", "its .json lacks 'fingerprint'"]
    assert faults_of({"duration_s": 2.0}, Described) == []  # a foreign sample


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("text", 3),
        ("punct", "yes"),
        ("sample_rate", 16000.5),
        ("duration_s", "1"),
        ("alignment", [0.5]),
        ("snr_db", "x"),
    ],
)
def test_wrong_types_are_never_written(field: str, value: object) -> None:
    with pytest.raises(ValidationError):
        SampleRecord(**{**FIELDS, field: value})  # type: ignore[arg-type]
    assert len(faults_of({**FIELDS, field: value}, SampleRecord)) == 1


def test_a_fingerprint_is_hexadecimal() -> None:
    part = {**FIELDS, "recording": "r"}
    assert faults_of({**part, "fingerprint": "0123abcd"}, PartRecord) == []
    assert faults_of({**part, "fingerprint": "0123abc"}, PartRecord)
