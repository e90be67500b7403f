import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile as sf
import typer
from typer.testing import CliRunner

from triforce_tts.data import verify as verifier
from triforce_tts.data.verify import command, verify
from triforce_tts.errors import ShardError
from triforce_tts.files import file_sha256
from triforce_tts.shards import INDEX, Sample, ShardInfo, write_index, write_shard

RATE = 16000
TAR = "train-000000.tar"
# it changes the JSON of the sample with this number; the result is another payload, or None
Change = Callable[[int, dict[str, Any]], bytes | None]


def sound(number: int, seconds: float = 1.0, rate: int = RATE, level: float = 0.1, form: str = "FLAC") -> bytes:
    buffer = io.BytesIO()
    wave = level * np.sin(np.arange(round(seconds * rate)) * (0.1 + 0.01 * number))
    sf.write(buffer, wave, rate, format="FLAC" if form == "FLAC" else "OGG", subtype=None if form == "FLAC" else "OPUS")
    return buffer.getvalue()


def codes(frames: int = 16, groups: int = 2, largest: int = 9, kind: Any = np.uint16) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.full((frames, groups), largest, kind))
    return buffer.getvalue()


def meta(number: int) -> dict[str, Any]:
    return {
        "id": f"u{number}", "text": "Hello there.", "speaker": f"s{number % 2}", "source": "talks", "license": "CC0-1.0",
        "punct": True, "sample_rate": RATE, "duration_s": 1.0, "alignment": [[0.1, 0.2, 0.3], [0.5, 1.0]],
        "snr_db": 30, "normalized": "hello there",
    }  # fmt: skip


def audio_folder(folder: Path, change: Change | None = None, extension: str = "flac", **details: Any) -> Path:
    """Two shards of three training samples and one of two held-out samples; ``change`` may change one of them."""

    def sample(number: int) -> Sample:
        about = meta(number)
        changed = change(number, about) if change else None
        payload = sound(number, form="OPUS" if extension == "opus" else "FLAC") if changed is None else changed
        return Sample(f"u{number}", about, payload, extension)

    infos = {
        "train": [
            write_shard(folder / f"train-{shard:06d}.tar", [sample(3 * shard + n) for n in range(3)])
            for shard in range(2)
        ],
        "heldout": [write_shard(folder / "heldout-000000.tar", [sample(6), sample(7)])],
    }
    write_index(folder, "audio", infos, details)
    return folder


def codes_folder(folder: Path, payload: bytes, **changed: Any) -> Path:
    shard = write_shard(folder / TAR, [Sample("u0", {**meta(0), **changed}, payload, "codes.npy")])
    write_index(folder, "codes", {"train": [shard]}, {"groups": 2, "n_codes": 10, "code_rate": 15.625})
    return folder


def write_tar(path: Path, members: list[tuple[str, bytes]]) -> None:
    with tarfile.open(path, "w") as tar:
        for name, data in members:
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))


def set_field(name: str, value: Any, which: int = 1) -> Change:
    def change(number: int, about: dict[str, Any]) -> None:
        if number == which:
            about[name] = value

    return change


def set_sound(data: bytes, **fields: Any) -> Change:
    def change(number: int, about: dict[str, Any]) -> bytes | None:
        if number == 1:
            about.update(fields)
        return data if number == 1 else None

    return change


def without(name: str) -> Change:
    def change(number: int, about: dict[str, Any]) -> None:
        if number == 1:
            del about[name]

    return change


def edit_index(folder: Path, edit: Callable[[dict[str, Any]], object]) -> None:
    index = json.loads((folder / INDEX).read_text())
    edit(index)
    (folder / INDEX).write_text(json.dumps(index))


@pytest.mark.parametrize("extension", ["flac", "opus"])
def test_what_is_whole_has_no_fault(tmp_path: Path, extension: str) -> None:
    folder = audio_folder(tmp_path, extension=extension)
    assert verify(folder) == ([], {"train": (6, 6.0), "heldout": (2, 2.0)})
    (tmp_path / "train-000000.index.json").unlink()  # a sidecar may be missing
    assert verify(folder)[0] == []


def test_many_workers_find_the_same(tmp_path: Path) -> None:
    folder = audio_folder(tmp_path, set_field("speaker", ""))
    faults, counts = verify(folder, 2)
    assert (faults, counts) == verify(folder, 1)
    assert len(faults) == 1


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (without("license"), "its .json lacks 'license'"),
        (without("punct"), "its .json lacks 'punct'"),
        (set_field("punct", 1), "'punct' is 1, expected bool"),
        (set_field("sample_rate", True), "'sample_rate' is true, expected int"),
        (set_field("sample_rate", "16000"), "'sample_rate' is \"16000\", expected int"),
        (set_field("snr_db", "loud"), "'snr_db' is \"loud\", expected int or float"),
        (set_field("id", "u9"), "its id is 'u9', expected its key"),
        (set_field("text", " "), "'text' is empty"),
        (set_field("duration_s", 0.0), "its length is 0.0 s and its sample rate 16000 Hz; one of them is not possible"),
        (set_field("duration_s", 1.0011), "decodes to 1.0000 s, its .json says 1.0011"),
        (set_field("alignment", [[0.5, 0.4]]), "word 0 of its alignment is at 0.5 to 0.4 s"),
        (set_field("alignment", [[0.1, 0.2], [0.9, 1.02]]), "word 1 of its alignment is at 0.9 to 1.02 s of 1 s"),
        (set_field("alignment", [["a", "b"]]), "word 0 of its alignment is no list of times"),
        (set_sound(sound(0, rate=8000)), "decodes to 8000 Hz, its .json says 16000"),
        (set_sound(sound(0, level=0.0)), "is silent"),
        (set_sound(b"fLaC and nothing more"), "not an audio file, or damaged"),
        (set_sound(b""), "the file is empty"),
        (set_sound(sound(0)[:2000]), "damaged"),
    ],
)
def test_each_fault_of_a_sample_is_named(tmp_path: Path, change: Change, fault: str) -> None:
    faults, counts = verify(audio_folder(tmp_path, change))
    assert len(faults) == 1
    assert faults[0].startswith(f"{tmp_path / TAR}: 'u1': ")
    assert fault in faults[0]
    assert counts["train"][0] == 6


def test_lengths_may_be_rounded(tmp_path: Path) -> None:
    assert verify(audio_folder(tmp_path, set_field("duration_s", 1.0009)))[0] == []


def test_a_changed_byte_is_found(tmp_path: Path) -> None:
    folder = audio_folder(tmp_path)
    data = bytearray((folder / TAR).read_bytes())
    data[900] ^= 1
    (folder / TAR).write_bytes(data)
    faults, _ = verify(folder)
    assert any("its checksum is" in fault for fault in faults)
    assert any("sidecar" in fault or "index.json: it differs from the tar in sha256" in fault for fault in faults)


@pytest.mark.parametrize("cut", ["end", "member", "half"])
def test_a_tar_cut_short_is_found_even_with_the_right_checksum(tmp_path: Path, cut: str) -> None:
    folder = audio_folder(tmp_path)
    with tarfile.open(folder / TAR) as tar:
        third = tar.getmembers()[4]
        last = tar.getmembers()[5]
    length = {"end": last.offset_data + 512, "member": third.offset, "half": third.offset_data + 100}[cut]
    (folder / TAR).write_bytes((folder / TAR).read_bytes()[:length])
    (folder / "train-000000.index.json").unlink()

    def forgive(index: dict[str, Any]) -> None:
        index["splits"]["train"]["shards"][0]["sha256"] = file_sha256(folder / TAR)

    edit_index(folder, forgive)
    faults = verify(folder)[0]
    assert any("does not end as a tar should" in fault or "cut short after 2 samples" in fault for fault in faults)


@pytest.mark.parametrize(
    ("members", "fault"),
    [
        ([("a.flac", sound(0))], "'a': expected a .json and one payload side by side, found flac"),
        ([("a.json", b"{}")], "'a': expected a .json and one payload side by side, found json"),
        ([("a.flac", b"1"), ("a.opus", b"2"), ("a.json", b"{}")], "found flac, json, opus"),
        ([("a.flac", b"1"), ("b.flac", b"2"), ("a.json", b"{}"), ("b.json", b"{}")], "'a': expected a .json and one"),
        ([("a.flac", b"1"), ("a.json", b"{")], "'a': its .json is not valid"),
        ([("a.flac", b"1"), ("a.json", b"[1]")], "'a': its .json holds list, expected fields"),
        ([("a.flac", b"1"), ("a.json", b'{"duration_s": NaN}')], "'a': its .json is not valid (NaN is not JSON)"),
    ],
)
def test_a_foreign_tar_is_judged(tmp_path: Path, members: list[tuple[str, bytes]], fault: str) -> None:
    write_tar(tmp_path / TAR, members)
    info = ShardInfo(TAR, 1, 1.0, file_sha256(tmp_path / TAR))
    write_index(tmp_path, "audio", {"train": [info]}, {})
    assert any(fault in line for line in verify(tmp_path)[0])


def test_what_the_sidecar_says_is_compared(tmp_path: Path) -> None:
    folder = audio_folder(tmp_path)
    sidecar = folder / "train-000000.index.json"
    good = json.loads(sidecar.read_text())
    for column in ("keys", "payload_offset", "json_size", "speaker", "duration_s", "extensions", "size", "shard"):
        changed = ["x", *good[column][1:]] if isinstance(good[column], list) else "x"
        sidecar.write_text(json.dumps({**good, column: changed}))
        assert verify(folder)[0] == [f"{sidecar}: it differs from the tar in {column}"]
    sidecar.write_text("{")
    assert "delete it" in verify(folder)[0][0]


@pytest.mark.parametrize(
    ("edit", "fault"),
    [
        (
            lambda index: index["splits"]["train"].update(samples=7),
            "it says that split 'train' has 7 samples, but it has 6",
        ),
        (
            lambda index: index["splits"]["train"].update(hours=0.1),
            "it says that split 'train' has 0.1 h, but it has 0.0017 h",
        ),
        (lambda index: index["splits"]["train"]["shards"][0].update(samples=4), "3 samples, index.json says 4"),
        (lambda index: index["splits"]["train"]["shards"][0].update(seconds=9), "3.000 s of sound, index.json says 9"),
        (lambda index: index["splits"]["train"]["shards"][0].update(sha256="0" * 64), "index.json says 000000000000"),
        (
            lambda index: index["splits"]["train"]["shards"][0].pop("name"),
            "key 'splits.train.shards.0.name' is missing",
        ),
        (lambda index: index.pop("splits"), "key 'splits' is missing"),
        (lambda index: index.update(version=9), "format version 9"),
        (lambda index: index.update(kind="pictures"), "the shards hold 'pictures', expected 'audio' or 'codes'"),
        (lambda index: index.update(kind="codes"), "its details lack groups, n_codes, code_rate"),
    ],
)
def test_what_the_index_says_is_compared(tmp_path: Path, edit: Any, fault: str) -> None:
    folder = audio_folder(tmp_path)
    edit_index(folder, edit)
    assert [line for line in verify(folder)[0] if fault in line]


def test_missing_unlisted_and_doubled_shards(tmp_path: Path) -> None:
    folder = audio_folder(tmp_path)
    (folder / TAR).rename(folder / "train-000007.tar")
    faults = verify(folder)[0]
    assert f"{folder / 'train-000007.tar'}: index.json does not list this shard" in faults
    assert f"{folder / TAR}: the shard is missing, although index.json lists it" in faults


def test_a_key_in_two_shards(tmp_path: Path) -> None:
    shards = {
        split: [write_shard(tmp_path / f"{split}-000000.tar", [Sample("u0", meta(0), sound(0), "flac")])]
        for split in ("heldout", "train")
    }
    write_index(tmp_path, "audio", shards, {})
    assert verify(tmp_path)[0] == [f"{tmp_path / TAR}: key 'u0' is already in heldout-000000.tar"]


def test_a_key_twice_in_a_shard(tmp_path: Path) -> None:
    described = json.dumps(meta(0)).encode()
    pair = [("u0.flac", sound(0)), ("u0.json", described)]
    between = [("u1.flac", sound(1)), ("u1.json", json.dumps(meta(1)).encode())]
    for number, members in enumerate((pair + pair, pair + between + pair)):
        folder = tmp_path / str(number)
        folder.mkdir()
        write_tar(folder / TAR, members)
        samples = len(members) // 2
        info = ShardInfo(TAR, samples, float(samples), file_sha256(folder / TAR))
        write_index(folder, "audio", {"train": [info]}, {})
        assert verify(folder)[0] == [f"{folder / TAR}: key 'u0' is already in {TAR}"]


def test_speakers_are_apart_when_the_index_says_so(tmp_path: Path) -> None:
    assert verify(audio_folder(tmp_path / "free"))[0] == []
    assert verify(audio_folder(tmp_path / "no", disjoint_speakers=False))[0] == []
    faults = verify(audio_folder(tmp_path / "yes", disjoint_speakers=True))[0]
    assert [fault.split(": ")[1] for fault in faults] == [
        "speaker 's0' is in train and in a held-out split, although disjoint_speakers is true",
        "speaker 's1' is in train and in a held-out split, although disjoint_speakers is true",
    ]

    def apart(number: int, about: dict[str, Any]) -> None:
        about["speaker"] = "train" if number < 6 else "heldout"

    assert verify(audio_folder(tmp_path / "apart", apart, disjoint_speakers=True))[0] == []


@pytest.mark.parametrize(
    ("payload", "fault"),
    [
        (codes(), None),
        (codes(frames=20), "20 frames of codes for 1.0 s, expected about 16"),
        (codes(groups=3), "its codes are uint16 [16, 3], expected uint16 [frames, 2]"),
        (codes(kind=np.int64), "its codes are int64 [16, 2]"),
        (codes(largest=10), "it has the code 10, expected codes below 10"),
        (codes(frames=0), "its codes are uint16 [0, 2]"),
        (codes()[:-5], "its codes are damaged"),
        (b"", "its codes are damaged"),
    ],
)
def test_codes_are_checked(tmp_path: Path, payload: bytes, fault: str | None) -> None:
    faults = verify(codes_folder(tmp_path, payload))[0]
    assert len(faults) == (fault is not None)
    assert fault is None or fault in faults[0]


def test_codes_need_their_spoken_text(tmp_path: Path) -> None:
    folder = codes_folder(tmp_path, codes(), normalized=None)
    assert "'normalized' is null, expected str" in verify(folder)[0][0]


def run(*arguments: object) -> tuple[int, str]:
    app = typer.Typer()
    app.command()(command)
    result = CliRunner().invoke(app, [str(a) for a in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout


def test_exit_codes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good = audio_folder(tmp_path / "good")
    assert run(good, "--workers", 1) == (0, "whole\n")
    bad = audio_folder(tmp_path / "bad", lambda number, about: about.update(text="") or None)
    code, output = run(good, bad, "--workers", 1)
    assert code == 1
    assert len(output.splitlines()) == 9
    assert output.splitlines()[-1] == "8 faults"
    monkeypatch.setattr(verifier, "LISTED", 3)
    code, output = run(bad, bad, "--workers", 1)
    assert (code, output.splitlines()[3:]) == (1, ["and 13 more", "16 faults"])
    with pytest.raises(ShardError, match="there is no such folder"):  # exit code 2, see triforce_tts.cli
        run(tmp_path / "nothing")
    assert run()[0] == 2
    (tmp_path / "empty").mkdir()
    assert run(tmp_path / "empty")[0] == 1


def test_a_shard_whose_worker_died_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = audio_folder(tmp_path / "shards")
    monkeypatch.setattr(verifier.pool, "run", lambda work, jobs, workers: ((job, None) for job in jobs))
    faults = verify(folder, 2)[0]
    assert f"{folder / TAR}: not checked: its worker was killed twice" in "\n".join(faults)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (set_field("speaker", "\ud800"), "lone surrogate"),
        (set_field("mood", "\udfff"), "lone surrogate"),
        (set_field("sample_rate", 10**12), "sample rate 1000000000000 Hz; one of them is not possible"),
        (set_field("sample_rate", -16000), "one of them is not possible"),
        (set_field("duration_s", -1.0), "one of them is not possible"),
        (set_field("duration_s", "1"), "'duration_s' is \"1\", expected int or float"),
        (set_field("title", 7), "'title' is 7, expected str"),
        (set_field("alignment", {"a": 1}), "'alignment' is {\"a\": 1}, expected list"),
        (set_field("alignment", [[0.1]]), "word 0 of its alignment has no start and end"),
        (set_field("alignment", [[0.1, 0.2]]), "its alignment has 1 word, its text has 2"),
        (set_field("alignment", [[0.1, True], [0.2, 0.3]]), "word 0 of its alignment is no list of times"),
        (set_sound(sound(0, seconds=40.0)), "decodes to 2.0000 s, its .json says 1.0"),
        (set_sound(sound(0, seconds=0.0)), "the file is empty"),
    ],
)
def test_what_training_relies_on_is_checked(tmp_path: Path, change: Change, fault: str) -> None:
    try:
        folder = audio_folder(tmp_path, change)
    except (ShardError, UnicodeEncodeError):  # our writer refuses this sample, so another program writes it
        folder = hand_made(tmp_path, change)
    faults = [line for line in verify(folder)[0] if "'u1'" in line]
    assert len(faults) == 1
    assert fault in faults[0]


def hand_made(folder: Path, change: Change) -> Path:
    """A folder as another program writes it: one tar without a sidecar."""
    about = meta(1)
    payload = change(1, about) or sound(1)
    write_tar(folder / TAR, [("u1.flac", payload), ("u1.json", json.dumps(about).encode())])
    write_index(folder, "audio", {"train": [ShardInfo(TAR, 1, 1.0, file_sha256(folder / TAR))]}, {})
    return folder
