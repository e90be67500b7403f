import gc
import io
import json
import multiprocessing
import os
import pickle
import shutil
import subprocess
import tarfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile as sf

from triforce_tts.errors import ShardError
from triforce_tts.shards import INDEX, Sample, ShardInfo, ShardSet, left_shards, read_index, write_index, write_shard

TAR = "train-000000.tar"


def sample(number: int, extension: str = "flac") -> Sample:
    meta = {"id": f"u{number}", "text": "Ça va?", "speaker": "ab"[number % 2], "duration_s": 1.0 + number}
    return Sample(f"u{number}", meta, bytes([number]) * (100 + number), extension)


def folder_with(folder: Path, numbers: Sequence[int], shard_size: int = 4) -> list[ShardInfo]:
    infos = [
        write_shard(folder / f"train-{k:06d}.tar", [sample(n) for n in numbers[start : start + shard_size]])
        for k, start in enumerate(range(0, len(numbers), shard_size))
    ]
    write_index(folder, "audio", {"train": infos, "heldout": []}, {"seed": 1})
    return infos


def test_samples_come_back_in_order(tmp_path: Path) -> None:
    folder_with(tmp_path, range(10))
    shards = ShardSet.open([tmp_path], "train", "audio")
    assert len(shards) == 10
    assert shards.keys == [f"u{n}" for n in range(10)]
    assert shards.durations_s == [1.0 + n for n in range(10)]
    assert shards.speakers == ["a", "b"] * 5
    for n in (9, 0, 5):
        assert shards.payload(n) == sample(n).payload
        assert shards.meta(n) == sample(n).meta
        assert shards.extension(n) == "flac"
    assert shards.details == {str(tmp_path): {"seed": 1}}
    assert len(ShardSet.open([tmp_path], "heldout", "audio")) == 0


def test_several_folders_follow_one_another(tmp_path: Path) -> None:
    folder_with(tmp_path / "one", range(3))
    folder_with(tmp_path / "two", range(3, 8))
    both = ShardSet.open([tmp_path / "one", tmp_path / "two"], "train", "audio")
    assert [both.payload(n)[0] for n in range(8)] == list(range(8))
    assert set(both.details) == {str(tmp_path / "one"), str(tmp_path / "two")}


def test_a_folder_that_is_given_twice_is_refused(tmp_path: Path) -> None:
    folder_with(tmp_path / "a", range(2))
    (tmp_path / "b").symlink_to(tmp_path / "a")
    with pytest.raises(ShardError, match="b: this folder is given twice; give it once"):
        ShardSet.open([tmp_path / "a", tmp_path / "b"], "train", "audio")


def test_equal_samples_give_equal_bytes(tmp_path: Path) -> None:
    first = folder_with(tmp_path / "one", range(5))
    second = folder_with(tmp_path / "two", range(5))
    assert first == second
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()
    prints = [ShardSet.open([tmp_path / name], "train", "audio").fingerprint for name in ("one", "two")]
    assert prints[0] == prints[1]
    assert len(prints[0]) == 16
    folder_with(tmp_path / "other", range(1, 6))
    assert ShardSet.open([tmp_path / "other"], "train", "audio").fingerprint != prints[0]


def test_members_have_fixed_headers(tmp_path: Path) -> None:
    folder_with(tmp_path, range(3))
    with tarfile.open(tmp_path / TAR) as tar:
        members = tar.getmembers()
        assert [m.name for m in members] == [f"u{n}.{e}" for n in range(3) for e in ("flac", "json")]
        assert {(m.mtime, m.uid, m.gid, m.uname, m.gname, m.mode) for m in members} == {(0, 0, 0, "", "", 0o644)}
        assert json.loads(tar.extractfile("u1.json").read()) == sample(1).meta  # type: ignore[union-attr]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
@pytest.mark.parametrize("extension", ["flac", "opus", "codes.npy"])
def test_webdataset_reads_the_tars(tmp_path: Path, extension: str) -> None:
    webdataset = pytest.importorskip("webdataset")
    write_shard(tmp_path / "a.tar", [sample(0, extension), sample(1, extension)])
    found = list(webdataset.WebDataset(str(tmp_path / "a.tar"), shardshuffle=False))
    gc.collect()  # the library leaves the file open; the warning belongs to this test
    assert [item["__key__"] for item in found] == ["u0", "u1"]
    assert found[1][extension] == sample(1).payload
    assert json.loads(found[1]["json"]) == sample(1).meta


@pytest.mark.parametrize(("extension", "form"), [("flac", ("FLAC", "PCM_16")), ("opus", ("OGG", "OPUS"))])
def test_sound_is_read_by_tar_and_libsndfile_alone(tmp_path: Path, extension: str, form: tuple[str, str]) -> None:
    wave = 0.3 * np.sin(np.arange(16000) * 0.1)
    encoded = io.BytesIO()
    sf.write(encoded, wave, 16000, format=form[0], subtype=form[1])
    write_shard(tmp_path / "a.tar", [Sample("u0", sample(0).meta, encoded.getvalue(), extension)])
    if tar := shutil.which("tar"):
        subprocess.run([tar, "-xf", "a.tar"], cwd=tmp_path, check=True)
    else:
        with tarfile.open(tmp_path / "a.tar") as archive:
            archive.extractall(tmp_path, filter="data")
    assert json.loads((tmp_path / "u0.json").read_text(encoding="utf-8")) == sample(0).meta
    samples, rate = sf.read(tmp_path / f"u0.{extension}")
    assert (rate, len(samples)) == (16000, 16000)
    assert np.corrcoef(samples[4000:12000], wave[4000:12000])[0, 1] > 0.99


@pytest.mark.parametrize("extension", ["flac", "opus", "codes.npy"])
def test_a_tar_without_sidecar_is_scanned(tmp_path: Path, extension: str) -> None:
    info = write_shard(tmp_path / TAR, [sample(n, extension) for n in range(4)])
    write_index(tmp_path, "codes", {"train": [info]}, {})
    with_sidecar = ShardSet.open([tmp_path], "train", "codes")
    (tmp_path / "train-000000.index.json").unlink()
    scanned = ShardSet.open([tmp_path], "train", "codes")
    assert scanned.keys == with_sidecar.keys
    assert scanned.durations_s == with_sidecar.durations_s
    assert [scanned.payload(n) for n in range(4)] == [sample(n).payload for n in range(4)]
    assert scanned.extension(2) == extension
    assert scanned.meta(3) == sample(3).meta


def test_select_by_number_and_by_predicate(tmp_path: Path) -> None:
    folder_with(tmp_path, range(10))
    shards = ShardSet.open([tmp_path], "train", "audio")
    chosen = shards.select([7, 2, -1])
    assert chosen.keys == ["u7", "u2", "u9"]
    assert chosen.payload(1) == sample(2).payload
    spoken = shards.select(lambda speaker, duration_s: speaker == "a" and duration_s > 4)
    assert spoken.keys == ["u4", "u6", "u8"]
    assert spoken.select([1]).keys == ["u6"]
    assert len({shards.fingerprint, chosen.fingerprint, spoken.fingerprint}) == 3
    with pytest.raises(IndexError):
        shards.select([10])


def open_files() -> int:
    """How many files this process has open; 0 where that cannot be known."""
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) if folder.exists() else 0


def read_in_child(shards: ShardSet, results: "multiprocessing.Queue[list[bytes]]") -> None:
    results.put([shards.payload(n) for n in range(len(shards))])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_forked_workers_and_the_parent_read_side_by_side(tmp_path: Path) -> None:
    folder_with(tmp_path, range(12))
    shards = ShardSet.open([tmp_path], "train", "audio")
    shards.payload(0)  # the parent has files open before the fork
    context = multiprocessing.get_context("fork")
    results = context.Queue()
    workers = [context.Process(target=read_in_child, args=(shards, results)) for _ in range(2)]
    for worker in workers:
        worker.start()
    expected = [sample(n).payload for n in range(12)]
    assert [results.get(timeout=30) for _ in workers] == [expected, expected]
    for worker in workers:
        worker.join()
    assert [shards.payload(n) for n in range(12)] == expected


def test_a_set_can_be_pickled_and_opens_few_files(tmp_path: Path) -> None:
    folder_with(tmp_path, range(100), shard_size=1)
    shards = ShardSet.open([tmp_path], "train", "audio")
    before = open_files()
    again = pickle.loads(pickle.dumps(shards))
    assert [again.payload(n)[0] for n in range(100)] == list(range(100))
    assert [again.payload(n)[0] for n in (0, 99, 50)] == [0, 99, 50]
    if before:
        assert open_files() - before <= 64
        del again
        assert open_files() == before


def test_a_truncated_shard_is_refused(tmp_path: Path) -> None:
    folder_with(tmp_path, range(4))
    tar = tmp_path / TAR
    whole = tar.stat().st_size
    os.truncate(tar, 1500)
    with pytest.raises(ShardError, match=rf"{TAR}: cut short or changed: 1500 bytes, expected {whole}; run"):
        ShardSet.open([tmp_path], "train", "audio")
    (tmp_path / "train-000000.index.json").unlink()
    for length in (1500, 1024, 700, 10, 0):
        os.truncate(tar, length)
        with pytest.raises(ShardError, match=f"{TAR}: "):
            ShardSet.open([tmp_path], "train", "audio")


def test_a_shard_truncated_after_opening_is_refused(tmp_path: Path) -> None:
    folder_with(tmp_path, range(4))
    shards = ShardSet.open([tmp_path], "train", "audio")
    os.truncate(tmp_path / TAR, 1500)
    with pytest.raises(ShardError, match="cut short at sample 'u3'"):
        shards.payload(3)


def test_missing_and_mixed_shards_are_refused(tmp_path: Path) -> None:
    folder_with(tmp_path, range(4))
    write_shard(tmp_path / TAR, [sample(9)])
    with pytest.raises(ShardError, match="two builds mixed"):
        ShardSet.open([tmp_path], "train", "audio")
    (tmp_path / TAR).unlink()
    with pytest.raises(ShardError, match=f"{TAR}: the shard is missing"):
        ShardSet.open([tmp_path], "train", "audio")


def test_a_foreign_index_is_refused(tmp_path: Path) -> None:
    def refused(match: str, kind: str = "audio", split: str = "train") -> None:
        with pytest.raises(ShardError, match=match):
            ShardSet.open([tmp_path], split, kind)  # type: ignore[arg-type]

    refused(r"index.json: cannot read the file \(No such file")
    folder_with(tmp_path, range(4))
    refused("hold 'audio', expected 'codes'; run 'triforce-tts codes'", kind="codes")
    refused("there is no split 'dev'; it has: heldout, train", split="dev")
    good = json.loads((tmp_path / INDEX).read_text())
    (tmp_path / INDEX).write_text(json.dumps({**good, "version": 99}))
    refused("format version 99, expected 1")
    (tmp_path / INDEX).write_text(json.dumps({**good, "kind": "pictures"}))
    with pytest.raises(ShardError, match="the shards hold 'pictures', expected 'audio' or 'codes'"):
        read_index(tmp_path)
    (tmp_path / INDEX).write_text('{"name": "another program"}')
    refused("not an index of 'triforce-tts shards'")
    (tmp_path / INDEX).write_text("{")
    refused("not valid JSON")


@pytest.mark.parametrize("key", ["a.b", "a/b", "", "é", "x" * 91])
def test_bad_keys_are_refused(tmp_path: Path, key: str) -> None:
    with pytest.raises(ShardError, match="is not allowed"):
        write_shard(tmp_path / TAR, [Sample(key, {"duration_s": 1.0}, b"", "flac")])
    assert list(tmp_path.iterdir()) == []


def test_a_key_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ShardError, match="'u1' appears twice"):
        write_shard(tmp_path / TAR, [sample(1), sample(1)])


def test_a_foreign_tar_with_an_incomplete_sample_is_refused(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / TAR, "w") as tar:
        member = tarfile.TarInfo("a7.flac")
        member.size = 3
        tar.addfile(member, io.BytesIO(b"abc"))
    write_index(tmp_path, "audio", {"train": [ShardInfo(TAR, 1, 1.0, "0")]}, {})
    with pytest.raises(ShardError, match=r"key 'a7' needs a .json and one payload, found flac"):
        ShardSet.open([tmp_path], "train", "audio")


def edited_index(folder: Path, edit: Callable[[dict[str, Any]], object]) -> Path:
    folder_with(folder, range(4))
    content = json.loads((folder / INDEX).read_text())
    edit(content)
    (folder / INDEX).write_text(json.dumps(content))
    return folder


@pytest.mark.parametrize(
    "name", ["../victim/train-000000.tar", "/etc/passwd.tar", "a/b.tar", ".hidden.tar", "a\x00.tar", "x.txt", "", 3]
)
def test_a_name_in_the_index_stays_in_its_folder(tmp_path: Path, name: object) -> None:
    edited_index(tmp_path / "a", lambda index: index["splits"]["train"]["shards"][0].update(name=name))
    with pytest.raises(ShardError, match=r"index.json: 'splits.train.shards.0.name'"):
        ShardSet.open([tmp_path / "a"], "train", "audio")


@pytest.mark.parametrize(
    "edit",
    [
        lambda index: index.update(splits=[]),
        lambda index: index.update(splits={"../x": index["splits"]["train"]}),
        lambda index: index.update(details=None),
        lambda index: index.pop("details"),
        lambda index: index["splits"]["train"].update(samples=-1),
        lambda index: index["splits"]["train"].update(samples=10**30),
        lambda index: index["splits"]["train"].update(hours=float("nan")),
        lambda index: index["splits"]["train"].update(shards=None),
        lambda index: index["splits"]["train"]["shards"].append(index["splits"]["train"]["shards"][0]),
        lambda index: index["splits"]["train"]["shards"][0].update(sha256=None),
        lambda index: index["splits"]["train"]["shards"][0].update(seconds="1"),
        lambda index: index["splits"]["train"]["shards"][0].update(samples=10**6),
    ],
)
def test_an_index_is_typed(tmp_path: Path, edit: Callable[[dict[str, Any]], object]) -> None:
    edited_index(tmp_path, edit)
    with pytest.raises(ShardError, match=r"index.json"):
        ShardSet.open([tmp_path], "train", "audio")


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("keys", ["u0"]),
        ("keys", ["../a", "u1", "u2", "u3"]),
        ("payload_offset", [10**12, 1, 1, 1]),
        ("payload_size", [-1, 1, 1, 1]),
        ("json_size", [10**6, 1, 1, 1]),
        ("duration_s", ["x", 1.0, 1.0, 1.0]),
        ("duration_s", [float("nan"), 1.0, 1.0, 1.0]),
        ("speaker", None),
        ("size", "1"),
    ],
)
def test_a_sidecar_is_typed(tmp_path: Path, column: str, value: object) -> None:
    folder_with(tmp_path, range(4))
    sidecar = tmp_path / "train-000000.index.json"
    sidecar.write_text(json.dumps({**json.loads(sidecar.read_text()), column: value}))
    with pytest.raises(ShardError, match=r"train-000000.index.json: .*delete this file, and the shard is scanned"):
        ShardSet.open([tmp_path], "train", "audio")


@pytest.mark.parametrize("content", [b"[1]", b"{", b"[" * 100_000, b'"\xff"', b"nul"])
def test_damaged_json_of_a_sample_is_named(tmp_path: Path, content: bytes) -> None:
    folder_with(tmp_path, range(4))
    shards = ShardSet.open([tmp_path], "train", "audio")
    data = bytearray((tmp_path / TAR).read_bytes())
    start, size = int(shards._place.json_offset[1]), int(shards._place.json_size[1])
    data[start : start + size] = content[:size].ljust(size)
    (tmp_path / TAR).write_bytes(data)
    with pytest.raises(ShardError, match=rf"{TAR}: sample 'u1': its JSON"):
        shards.meta(1)
    assert shards.meta(2) == sample(2).meta


def test_only_shards_of_an_earlier_build_count_as_left(tmp_path: Path) -> None:
    folder_with(tmp_path, range(8))
    # The shard comes from a build that was killed before it wrote its index.
    write_shard(tmp_path / "train-000007.tar", [sample(9)])
    (tmp_path / "train-000008.tar").write_text("a stranger's")
    (tmp_path / "heldout-000000.tar").write_text("a stranger's")
    (tmp_path / "heldout-000000.index.json").write_text("{}")
    assert left_shards(tmp_path) == {"train-000000.tar", "train-000001.tar", "train-000007.tar"}
