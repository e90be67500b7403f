"""Shards that were made to mislead: the verifier names a fault and does not stumble."""

import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.data.test_verify import TAR, audio_folder, codes, codes_folder, edit_index, meta, run, sound, write_tar
from triforce_tts.data.verify import verify
from triforce_tts.files import file_sha256
from triforce_tts.shards import ShardInfo, write_index


@pytest.mark.parametrize(
    ("details", "fault"),
    [
        ({"n_codes": 10**12}, "'n_codes'"),
        ({"n_codes": -1}, "'n_codes'"),
        ({"n_codes": 10.0}, "'n_codes'"),
        ({"groups": 0}, "'groups'"),
        ({"groups": 10**9}, "'groups'"),
        ({"groups": True}, "'groups'"),
        ({"code_rate": 0}, "'code_rate'"),
        ({"code_rate": "fast"}, "'code_rate'"),
        ({"code_rate": 1e300}, "'code_rate'"),
    ],
)
def test_what_the_index_says_of_codes_has_bounds(tmp_path: Path, details: dict[str, Any], fault: str) -> None:
    folder = codes_folder(tmp_path, codes())
    edit_index(folder, lambda index: index["details"].update(details))
    (told,) = verify(folder)[0]
    assert "its details: " in told
    assert fault in told


def array(header: str, data: bytes = b"") -> bytes:
    """A .npy file with the given header."""
    padded = header.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(padded).to_bytes(2, "little") + padded + data


@pytest.mark.parametrize(
    "payload",
    [
        array("{'descr': '<u2', 'fortran_order': False, 'shape': (1000000000000, 2), }", b"\0" * 64),
        array("{'descr': '<u2', 'fortran_order': False, 'shape': (-16, 2), }", b"\0" * 64),
        array("{'descr': '|O', 'fortran_order': False, 'shape': (16, 2), }", b"\x80\x04N."),
        array("{'descr': [('a', '<u2')], 'fortran_order': False, 'shape': (16, 2), }", b"\0" * 64),
        array("{'descr': '<u2'}"),
        array("(" * 100),
        b"PK\x03\x04" + b"\0" * 100,
        b"\x93NUMPY\x09\x00",
    ],
)
def test_hostile_codes_are_faults(tmp_path: Path, payload: bytes) -> None:
    (fault,) = verify(codes_folder(tmp_path, payload))[0]
    assert "its codes are" in fault


def test_signed_codes_below_zero_are_faults(tmp_path: Path) -> None:
    (fault,) = verify(codes_folder(tmp_path, codes(largest=-3, kind=np.int64)))[0]
    assert "its codes are int64" in fault


def test_coded_text_must_be_spoken(tmp_path: Path) -> None:
    assert (
        "its alignment has 2 words, its text has 3" in verify(codes_folder(tmp_path, codes(), normalized="a b c"))[0][0]
    )


def test_hostile_tars_are_faults(tmp_path: Path) -> None:
    def told(name: str, make: Callable[[Path], None]) -> str:
        folder = tmp_path / name
        folder.mkdir()
        make(folder / TAR)
        info = ShardInfo(TAR, 1, 1.0, file_sha256(folder / TAR) if (folder / TAR).is_file() else "0" * 64)
        write_index(folder, "audio", {"train": [info]}, {})
        return "\n".join(verify(folder)[0])

    def sparse(path: Path) -> None:
        with tarfile.open(path, "w", format=tarfile.GNU_FORMAT) as tar:
            for name in ("u0.flac", "u0.json"):
                member = tarfile.TarInfo(name)
                member.type = tarfile.GNUTYPE_SPARSE
                block = bytearray(member.tobuf(tarfile.GNU_FORMAT))
                block[483:495] = b"77777777777\0"  # the size that it claims
                block[148:156] = b" " * 8
                block[148:156] = b"%06o\0 " % sum(block)
                tar.fileobj.write(bytes(block))  # type: ignore[union-attr]
                tar.offset += 512

    def special(kind: bytes) -> Callable[[Path], None]:
        def make(path: Path) -> None:
            with tarfile.open(path, "w") as tar:
                for name in ("u0.flac", "u0.json"):
                    member = tarfile.TarInfo(name)
                    member.type, member.linkname = kind, "/etc/passwd"
                    tar.addfile(member)

        return make

    assert "sparse" in told("sparse", sparse)
    for number, kind in enumerate((tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE)):
        assert "expected a .json and one payload" in told(f"kind{number}", special(kind))
    assert "missing" in told("folder", lambda path: path.mkdir())
    assert "its key has other characters" in told(
        "key",
        lambda path: write_tar(
            path, [("a b.flac", sound(0)), ("a b.json", json.dumps({**meta(0), "id": "a b"}).encode())]
        ),
    )


def test_faults_are_printed_without_control_characters(tmp_path: Path) -> None:
    write_tar(tmp_path / TAR, [("\x1b[2J\udcff.flac", b"x")])
    write_index(tmp_path, "audio", {"train": [ShardInfo(TAR, 1, 1.0, file_sha256(tmp_path / TAR))]}, {})
    code, output = run(tmp_path, "--workers", 1)
    assert code == 1
    assert "\x1b" not in output
    assert "\\x1b[2J\\udcff" in output


@pytest.mark.parametrize("content", ["[]", "{", "[" * 100_000, '{"size": NaN}', "7", ""])
def test_a_hostile_sidecar_is_a_fault(tmp_path: Path, content: str) -> None:
    folder = audio_folder(tmp_path)
    (folder / "train-000000.index.json").write_text(content)
    assert len(verify(folder)[0]) == 1
