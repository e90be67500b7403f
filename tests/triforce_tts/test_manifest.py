"""A model folder is what was bundled, or it is refused in one line."""

import json
import shutil
from pathlib import Path

import pytest

from tests.corpus import seal
from triforce_tts.errors import CheckpointError
from triforce_tts.files import write_json
from triforce_tts.manifest import MANIFEST, read_manifest


@pytest.fixture
def copied(model: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(model, tmp_path / "copy"))


def test_what_was_bundled_is_read(copied: Path) -> None:
    manifest = read_manifest(copied)
    assert set(manifest.networks) == {"dvae", "gpt", "diffusion"}
    (copied / "MODEL_CARD.md").write_text("A card may be edited.")
    assert read_manifest(copied) == manifest


@pytest.mark.parametrize(("name", "fault"), [("nowhere", "no such model folder"), ("gpt", "no model.json in it")])
def test_what_is_no_model_folder_is_said(copied: Path, name: str, fault: str) -> None:
    with pytest.raises(CheckpointError, match=f"{name}: {fault}; expected one that 'triforce-tts bundle' made"):
        read_manifest(copied / name)


@pytest.mark.parametrize("name", ["dvae/model.safetensors", "gpt/config.json", "diffusion/lineage.json", "voice.flac"])
def test_one_flipped_byte_is_refused(copied: Path, name: str) -> None:
    data = bytearray((copied / name).read_bytes())
    data[len(data) // 2] ^= 1
    (copied / name).write_bytes(data)
    with pytest.raises(CheckpointError, match=f"{name}: checksum .* damaged or changed"):
        read_manifest(copied)
    (copied / name).unlink()
    with pytest.raises(CheckpointError, match=f"{name}: the file is missing"):
        read_manifest(copied)


def test_a_network_of_another_model_is_refused(copied: Path) -> None:
    path = copied / "gpt" / "lineage.json"
    write_json(path, {**json.loads(path.read_text()), "id": "feedfacefeedface"})
    seal(copied)
    with pytest.raises(CheckpointError, match="network feedfacefeedface"):
        read_manifest(copied)


@pytest.mark.parametrize(
    "change",
    [
        {"name": "../x"},
        {"name": None},
        {"name": "a\nb"},
        {"id": 3},
        {"networks": []},
        {"diffusion_steps": 100_000},
        {"diffusion_steps": -5},
        {"diffusion_steps": float("nan")},
        {"diffusion_steps": "1"},
        {"sha256": {}},
        {"sha256": {"../../etc/passwd": "0" * 64}},
        {"sha256": None},
    ],
)
def test_a_manifest_is_typed(copied: Path, change: dict[str, object]) -> None:
    content = json.loads((copied / MANIFEST).read_text())
    (copied / MANIFEST).write_text(json.dumps({**content, **change}))
    with pytest.raises(CheckpointError, match=r"model.json: "):
        read_manifest(copied)
