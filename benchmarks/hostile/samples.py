"""Shards of codes written by hand, with good checksums and one bad sample: its array, its bytes or its fields."""

import io
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from .case import Case, draw
from .records import MISSING, VALUES
from .words import TRAIN_GPT

KIND = "labels"
PLACE = "made-by-hand"
GOOD_SAMPLES = 7
CODES = np.arange(48, dtype=np.uint16).reshape(24, 2)
META: dict[str, object] = {
    "id": "k", "text": "a cat sat", "normalized": "a cat sat", "speaker": "low", "source": "toy", "license": "CC0", "sample_rate": 8000,
    "duration_s": 1.5, "punct": True,
}  # fmt: skip
FIELDS = (
    "id",
    "text",
    "normalized",
    "speaker",
    "source",
    "license",
    "sample_rate",
    "duration_s",
    "alignment",
    "snr_db",
)
VALUES_OF_A_FIELD = 5
ARRAYS: dict[str, object] = {
    "negative": CODES.astype(np.int64) - 5, "no-frames": CODES[:0], "one-column": CODES[:, :1], "flat": CODES.reshape(-1), "floats": CODES.astype(np.float32), "too-large": CODES + np.uint16(60_000), "objects": np.array([{"a": 1}], dtype=object), "strings": np.array(["a"]), "3d": CODES[None], "booleans": CODES > 3, "scalar": np.uint16(5), "nan": np.full((24, 2), np.nan), "int64": CODES.astype(np.int64), "fortran": np.asfortranarray(CODES), "big-endian": CODES.astype(">u2"),
}  # fmt: skip
READABLE = ("int64", "fortran", "big-endian")  # arrays whose numbers are good


def _npy(array: object) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=True)  # type: ignore[arg-type]
    return buffer.getvalue()


_GOOD = _npy(CODES)
PAYLOADS = {
    "not-npy": b"hello", "empty": b"", "header-lies": _GOOD.replace(b"(24, 2)", b"(99, 2)"),
    "huge-shape": _GOOD.replace(b"(24, 2), }  ", b"(9999999, 2), }")[: len(_GOOD)], "cut": _GOOD[:-3],
}  # fmt: skip


def cases() -> Iterator[Case]:
    """Arrays that are no codes, files that are no arrays, and fields of a sample with values of another kind."""
    for label, array in ARRAYS.items():
        expect = "either" if label in READABLE else "refused"
        prepare = _shard(payload=_npy(array))
        yield _train(f"codes-{label}", prepare, expect)
        yield _verify(f"codes-{label}", prepare, expect, writes=("run",))
    for label, payload in PAYLOADS.items():
        yield _train(f"npy-{label}", _shard(payload=payload), "refused")
        yield _verify(f"npy-{label}", _shard(payload=payload), "refused")
    for field in FIELDS:
        labels = list[object](label for label in VALUES if label != "deep")
        for value in map(str, draw(f"shard-{field}", labels, VALUES_OF_A_FIELD)):
            prepare = _shard_with_field(field, value)
            yield _train(f"meta-{field}={value}", prepare)
            yield _verify(f"meta-{field}={value}", prepare)
            yield Case(f"inspect/labels/meta-{field}={value}", KIND, ("inspect", PLACE), ("codes",), prepare)


def _train(label: str, prepare: Callable[[Path], None], expect: str = "either") -> Case:
    words = tuple(PLACE if word == "codes" else word for word in TRAIN_GPT)
    return Case(f"train/gpt/labels/{label}", KIND, words, ("codes",), prepare, expect, writes=("run",), cheap=False)


def _verify(label: str, prepare: Callable[[Path], None], expect: str = "either", writes: tuple[str, ...] = ()) -> Case:
    words = ("verify", PLACE, "--workers", "1")
    return Case(f"verify/labels/{label}", KIND, words, ("codes",), prepare, expect, writes=writes, codes=(1, 2))


def _shard(payload: bytes) -> Callable[[Path], None]:
    """Write a shard whose last sample is ``payload``."""
    return lambda folder: _write(folder, {**META, "id": f"k{GOOD_SAMPLES}"}, payload)


def _shard_with_field(field: str, value: str) -> Callable[[Path], None]:
    """Write a shard whose last sample has another value in ``field``; nothing where the writer refuses to write it."""

    def prepare(folder: Path) -> None:
        meta = {**META, "id": f"k{GOOD_SAMPLES}", field: VALUES[value]}
        if VALUES[value] is MISSING:
            del meta[field]
        try:
            _write(folder, meta, _GOOD)
        except Exception:
            shutil.rmtree(folder / PLACE, ignore_errors=True)

    return prepare


def _write(folder: Path, meta: dict[str, object], payload: bytes) -> None:
    """Write good samples and one of ``meta`` and ``payload``, with the details of the codes that came with the case."""
    from triforce_tts.shards import Sample, write_index, write_shard

    details = json.loads((folder / "codes" / "index.json").read_text())["details"]
    place = folder / PLACE
    place.mkdir()
    metas = [*({**META, "id": f"k{number}"} for number in range(GOOD_SAMPLES)), meta]
    payloads = [_GOOD] * GOOD_SAMPLES + [payload]
    samples = [
        Sample(f"k{number}", *sample, "codes.npy") for number, sample in enumerate(zip(metas, payloads, strict=True))
    ]
    info = write_shard(place / "train-000000.tar", samples)
    write_index(place, "codes", {"train": [info], "heldout": []}, details)
