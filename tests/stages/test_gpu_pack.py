"""Packs for a rented GPU: what is in them, within which size, and what is refused."""

import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.training import fast
from triforce_tts import checkpoint
from triforce_tts.audio.io import decode_audio
from triforce_tts.errors import AudioError, CheckpointError, ConfigError, ShardError, TriforceError
from triforce_tts.shards import Sample, ShardSet, write_index, write_shard
from triforce_tts.stages.codes import make_codes, read_text
from triforce_tts.stages.gpu import pack as gpu_pack
from triforce_tts.stages.gpu.pack import PackOrder, make_pack, read_pack
from triforce_tts.stages.gpu.results import part_paths, read_stage_parts, stage_files, write_parts

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def order(corpus: dict[str, Path]) -> PackOrder:
    return PackOrder(
        data=[corpus["shards"]], codes=(), config="tiny", plan="tiny", settings=(), init=None, voice=None, wheels=(),
        constraints=None, python="3.12", bit_rate=12_000, heldout=40, megabytes=1.0,
    )  # fmt: skip


@pytest.fixture(scope="module")
def earlier(corpus: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with runs of two stages."""
    folder = tmp_path_factory.mktemp("earlier")
    (folder / "dvae").symlink_to(corpus["dvae"], target_is_directory=True)
    fast("gpt", corpus, folder / "gpt", 1)
    return folder


def size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def test_a_pack_holds_all_samples_in_opus_with_their_text_normalised(
    order: PackOrder, corpus: dict[str, Path], tmp_path: Path
) -> None:
    made = make_pack(order, tmp_path / "pack")
    assert read_pack(tmp_path / "pack") == made
    assert size(tmp_path / "pack") < 250_000
    for split in ("train", "heldout"):
        source = ShardSet.open([corpus["shards"]], split, "audio")
        packed = ShardSet.open([tmp_path / "pack" / "shards"], split, "audio")
        assert sorted(packed.keys) == sorted(source.keys)
        assert sum(packed.durations_s) == pytest.approx(sum(source.durations_s), rel=1e-3)
        for index in range(len(packed)):
            assert packed.extension(index) == "opus"
            assert read_text(packed, index).normalized == packed.meta(index)["text"]
            sound = decode_audio(packed.payload(index), "a")
            assert sound.sample_rate == packed.meta(index)["sample_rate"] == 8000


def test_equal_input_gives_an_equal_pack(order: PackOrder, tmp_path: Path) -> None:
    one, two = (make_pack(order, tmp_path / name) for name in ("one", "two"))
    assert one == two


def test_a_smaller_pack_holds_the_first_samples_of_a_larger_one(order: PackOrder, tmp_path: Path) -> None:
    make_pack(order, tmp_path / "all")
    small = make_pack(replace(order, megabytes=0.165), tmp_path / "small")
    assert size(tmp_path / "small") < 165_000
    found, whole = (ShardSet.open([tmp_path / name / "shards"], "train", "audio") for name in ("small", "all"))
    assert 1 <= len(found) < len(whole)
    assert found.keys == whole.keys[: len(found)]
    assert small.contents["shards"]["left"] == len(whole) - len(found)


def test_held_out_samples_are_limited(order: PackOrder, tmp_path: Path) -> None:
    made = make_pack(replace(order, heldout=0), tmp_path / "pack")
    assert made.contents["shards"]["samples"]["heldout"] == 0


def test_opus_that_is_near_the_bit_rate_is_not_coded_again(order: PackOrder, tmp_path: Path) -> None:
    make_pack(order, tmp_path / "one")
    make_pack(replace(order, data=[tmp_path / "one" / "shards"]), tmp_path / "two")
    make_pack(replace(order, data=[tmp_path / "one" / "shards"], bit_rate=6000), tmp_path / "three")
    one, two, three = (
        ShardSet.open([tmp_path / name / "shards"], "train", "audio") for name in ("one", "two", "three")
    )
    assert [two.payload(i) for i in range(len(two))] == [one.payload(i) for i in range(len(one))]
    assert sum(len(three.payload(i)) for i in range(len(three))) < 0.8 * sum(
        len(one.payload(i)) for i in range(len(one))
    )


def test_two_folders_may_share_keys(order: PackOrder, tmp_path: Path) -> None:
    make_pack(order, tmp_path / "one")
    both = make_pack(replace(order, data=[*order.data, tmp_path / "one" / "shards"]), tmp_path / "both")
    packed = ShardSet.open([tmp_path / "both" / "shards"], "train", "audio")
    assert len(set(packed.keys)) == len(packed) == both.contents["shards"]["samples"]["train"]
    assert len(packed) == 2 * len(ShardSet.open(order.data, "train", "audio"))


def test_configurations_hold_their_overrides(order: PackOrder, tmp_path: Path) -> None:
    make_pack(replace(order, settings=["gpt.run.batch_size=3", "shares.gpt=7"]), tmp_path / "pack")
    configs = tmp_path / "pack" / "configs"
    assert "batch_size: 3\n" in (configs / "gpt.yaml").read_text()
    assert "batch_size: 8\n" in (configs / "dvae.yaml").read_text()
    assert "gpt: 7" in (configs / "gpu.yaml").read_text()


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"megabytes": 0.1}, ConfigError, "take .* of --megabytes 0.1"),
        ({"megabytes": 0.13}, ShardError, "not one training sample fits; raise --megabytes"),
        ({"config": "tinny"}, ConfigError, "no configuration 'tinny'"),
        ({"settings": ["gpt.run.batchsize=3"]}, ConfigError, "did you mean 'batch_size'"),
        ({"settings": ["gpt"]}, ConfigError, "expected gpt.KEY=VALUE"),
        ({"settings": ["share.gpt=3"]}, ConfigError, "did you mean 'shares'"),
        ({"settings": ["dvae.data.repeat={nobody: 2}"]}, ConfigError, "of whom the data has no samples"),
        ({"settings": ["gpt.data.max_seconds=0.01"]}, ConfigError, "gpt: .*none is left after data.speakers"),
        ({"data": [Path("nowhere")]}, ShardError, "nowhere"),
        ({"init": Path("docs")}, CheckpointError, "docs: no earlier weights here"),
        ({"voice": Path("README.md")}, AudioError, "README.md"),
        ({"wheels": ["docs"]}, ConfigError, "no wheel there"),
    ],
)
def test_what_cannot_be_packed_is_one_line_and_leaves_nothing(
    changes: dict[str, Any], error: type[TriforceError], message: str, order: PackOrder, tmp_path: Path
) -> None:
    with pytest.raises(error, match=message) as caught:
        make_pack(replace(order, **changes), tmp_path / "pack")
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_text_in_place_without_times_is_refused(order: PackOrder, tmp_path: Path, corpus: dict[str, Path]) -> None:
    packed = make_pack(replace(order, settings=["gpt.data.reads=true"]), tmp_path / "aligned")
    assert packed.contents["shards"]["samples"]["train"] > 0
    source = ShardSet.open([corpus["shards"]], "train", "audio")
    plain = tmp_path / "plain"
    metas = [{k: v for k, v in source.meta(i).items() if k != "alignment"} for i in range(len(source))]
    samples = [Sample(source.keys[i], metas[i], source.payload(i), source.extension(i)) for i in range(len(source))]
    plain.mkdir()
    write_index(plain, "audio", {"train": [write_shard(plain / "train-000000.tar", samples)], "heldout": []}, {})
    with pytest.raises(ConfigError, match="no sample has an alignment"):
        make_pack(replace(order, data=[plain], settings=["gpt.data.reads=true"]), tmp_path / "pack")


# --- weights, codes and wheels ------------------------------------------------------------------------------------------


def test_earlier_weights_and_their_codes_travel_along(
    order: PackOrder, earlier: Path, corpus: dict[str, Path], tmp_path: Path
) -> None:
    made = make_pack(replace(order, init=earlier, codes=[corpus["codes"]], megabytes=3.0), tmp_path / "pack")
    assert made.init == {stage: checkpoint.read_lineage(earlier / stage)["id"] for stage in ("dvae", "gpt")}
    init = tmp_path / "pack" / "init" / "gpt"
    assert {str(value.dtype) for value in checkpoint.load_tensors(init / "model.safetensors").values()} == {
        "torch.float16"
    }
    codes, source = (ShardSet.open([f], "train", "codes") for f in (tmp_path / "pack" / "codes", corpus["codes"]))
    assert sorted(codes.keys) == sorted(source.keys)
    assert codes.payload(0) == source.payload(source.keys.index(codes.keys[0]))


def test_codes_of_another_dvae_are_refused(
    order: PackOrder, earlier: Path, corpus: dict[str, Path], tmp_path: Path
) -> None:
    (tmp_path / "init").mkdir()
    (tmp_path / "init" / "gpt").symlink_to(earlier / "gpt", target_is_directory=True)
    with pytest.raises(CheckpointError, match="mismatched DVAE"):
        make_pack(replace(order, init=tmp_path / "init", codes=[corpus["codes"]], megabytes=3.0), tmp_path / "pack")


def test_a_checkpoint_goes_through_parts(corpus: dict[str, Path], tmp_path: Path) -> None:
    source, target = checkpoint.locate(corpus["dvae"]), tmp_path / "back"
    (tmp_path / "dvae.tar").write_bytes(b"of an earlier run")
    parts = write_parts(tmp_path, "dvae", stage_files(source, "dvae"), part_bytes=100_000)
    assert len(parts) > 2
    assert part_paths(tmp_path, "dvae") == parts
    assert all(path.stat().st_size <= 100_000 for path in parts)
    subprocess.run(f"cat {tmp_path}/dvae.tar* | tar x -C {tmp_path}", shell=True, check=True)
    target.mkdir()
    read_stage_parts(tmp_path, "dvae", target)
    for name in ("model.safetensors", "config.json", "lineage.json"):
        assert (target / name).read_bytes() == (source / name).read_bytes() == (tmp_path / "dvae" / name).read_bytes()


@pytest.mark.parametrize("lost", [0, 1, -1])
def test_a_part_that_is_missing_is_said(lost: int, corpus: dict[str, Path], tmp_path: Path) -> None:
    parts = write_parts(tmp_path, "dvae", stage_files(checkpoint.locate(corpus["dvae"]), "dvae"), part_bytes=60_000)
    parts[lost].unlink()
    with pytest.raises(CheckpointError, match=r"dvae.tar are damaged or not all there"):
        read_stage_parts(tmp_path, "dvae", tmp_path)


def test_a_damaged_pack_is_refused(order: PackOrder, tmp_path: Path) -> None:
    make_pack(order, tmp_path / "pack")
    file = tmp_path / "pack" / "shards" / "train-000000.tar"
    data = bytearray(file.read_bytes())
    data[-5000] ^= 1
    file.write_bytes(data)
    with pytest.raises(TriforceError, match=r"train-000000.tar: is not the file that was packed"):
        read_pack(tmp_path / "pack")
    file.unlink()
    with pytest.raises(TriforceError, match="the file is missing"):
        read_pack(tmp_path / "pack")
    with pytest.raises(TriforceError, match=r"pack.json"):
        read_pack(tmp_path)


def test_wheels_come_from_folders_and_from_an_index(
    order: PackOrder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "a-1-py3-none-any.whl").write_bytes(b"wheel")
    asked: list[list[str]] = []

    def download(words: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        asked.append(words)
        code = 1 if "lost" in words else 0
        return subprocess.CompletedProcess(
            words, code, "", "ERROR: a\nERROR: No matching distribution found for lost\n"
        )

    monkeypatch.setattr(gpu_pack.subprocess, "run", download)
    mixed = replace(order, wheels=[str(tmp_path / "mine"), "soxr"], constraints=Path("constraints.txt"))
    made = make_pack(mixed, tmp_path / "pack")
    assert "wheels/a-1-py3-none-any.whl" in made.files
    (words,) = asked
    assert words[-1] == "soxr"
    assert {"--no-deps", "--only-binary=:all:", "3.12", "--constraint"} <= set(words)
    with pytest.raises(TriforceError, match=r"wheels of lost for Python 3\.12 cannot be had: .*No matching"):
        make_pack(replace(order, wheels=["lost"]), tmp_path / "other")


# --- a machine that lacks what speaking and building need ---------------------------------------------------------------


def test_codes_take_the_text_that_a_pack_has_normalised(corpus: dict[str, Path], tmp_path: Path) -> None:
    source = ShardSet.open([corpus["shards"]], "train", "audio")
    for name, details in (("given", {"normalized": True}), ("own", {})):
        folder = tmp_path / name
        folder.mkdir()
        meta = {**source.meta(0), "text": "a cat", "normalized": "the cat"}
        info = write_shard(folder / "train-000000.tar", [Sample("a", meta, source.payload(0), source.extension(0))])
        write_index(folder, "audio", {"train": [info], "heldout": []}, details)
        make_codes(corpus["dvae"], [folder], tmp_path / f"{name}-codes", workers=1)
    texts = [
        read_text(ShardSet.open([tmp_path / f"{n}-codes"], "train", "codes"), 0).normalized for n in ("given", "own")
    ]
    assert texts == ["the cat", "a cat"]


def test_shards_are_read_without_ffmpeg(corpus: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    source = ShardSet.open([corpus["shards"]], "train", "audio")
    monkeypatch.setitem(sys.modules, "av", None)
    assert decode_audio(source.payload(0), "a").duration_s == pytest.approx(source.durations_s[0], abs=1e-3)
    with pytest.raises(ModuleNotFoundError, match="av"):
        decode_audio(b"no sound at all", "b")


def test_the_summary_of_a_pack_is_json(order: PackOrder, tmp_path: Path) -> None:
    make_pack(order, tmp_path / "pack")
    content = json.loads((tmp_path / "pack" / "pack.json").read_text())
    assert content["config"] == "tiny"
    assert set(content["files"]) >= {"voice.flac", "configs/gpu.yaml", "shards/index.json"}
