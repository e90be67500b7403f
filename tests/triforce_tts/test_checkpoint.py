import json
import os
import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from tests import forks
from triforce_tts import checkpoint
from triforce_tts.audio.mel import AudioConfig
from triforce_tts.errors import CheckpointError
from triforce_tts.models.diffusion import Diffusion
from triforce_tts.models.dvae import DVAE
from triforce_tts.models.gpt import GPT
from triforce_tts.models.load import load_diffusion, load_dvae
from triforce_tts.stages.bundle import copy_half


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4))


def saved(folder: Path, **lineage: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint.save(folder, network().state_dict(), {"stage": "dvae", "model": {"channels": 4}}, lineage)
    return folder


def test_weights_come_back_bit_for_bit(tmp_path: Path) -> None:
    weights = {
        "odd": torch.tensor([0.1, -0.0, 1e-45, float("inf"), 3e38]),
        "turned": torch.arange(6.0).reshape(2, 3).T,
        "half": torch.randn(5).half(),
        "count": torch.tensor(7),
        "empty": torch.zeros(0, 3),
    }
    checkpoint.save(tmp_path, weights, {"stage": "dvae"}, {})
    assert sorted(p.name for p in tmp_path.iterdir()) == ["config.json", "lineage.json", "model.safetensors"]
    for loaded in (checkpoint.load_tensors(tmp_path / "model.safetensors"), load_file(tmp_path / "model.safetensors")):
        assert set(loaded) == set(weights)
        for name, tensor in weights.items():
            assert loaded[name].dtype == tensor.dtype
            assert loaded[name].shape == tensor.shape
            assert loaded[name].numpy().tobytes() == tensor.contiguous().numpy().tobytes()


def test_networks_come_back_bit_for_bit(
    tiny_dvae: DVAE, tiny_gpt: GPT, tiny_diffusion: Diffusion, tiny_audio: AudioConfig, tmp_path: Path
) -> None:
    audio = tiny_audio.model_dump(mode="json")
    for stage, saved_network in (("dvae", tiny_dvae), ("gpt", tiny_gpt), ("diffusion", tiny_diffusion)):
        (tmp_path / stage).mkdir()
        config = {"stage": stage, "audio": audio, "model": saved_network.config.model_dump(mode="json")}
        checkpoint.save(tmp_path / stage, saved_network.state_dict(), config, {})
    dvae, found_audio = load_dvae(tmp_path / "dvae")
    assert found_audio == tiny_audio
    assert dvae.config == tiny_dvae.config
    diffusion = load_diffusion(tmp_path / "diffusion", tiny_audio)
    gpt = GPT(tiny_gpt.config, tiny_gpt.vocabulary_size)
    checkpoint.load_weights(gpt, tmp_path / "gpt")
    for loaded, original in ((dvae, tiny_dvae), (diffusion, tiny_diffusion), (gpt, tiny_gpt)):
        expected = original.state_dict()
        assert loaded.state_dict().keys() == expected.keys()
        assert all(torch.equal(tensor, expected[name]) for name, tensor in loaded.state_dict().items())
    assert not dvae.training
    assert not diffusion.training


def test_config_and_lineage_come_back(tmp_path: Path) -> None:
    saved(tmp_path, data="d1", tokenizer="t1")
    assert checkpoint.read_config(tmp_path, "dvae") == {"format": 1, "stage": "dvae", "model": {"channels": 4}}
    identity = checkpoint.fingerprint(network().state_dict())
    assert checkpoint.read_lineage(tmp_path) == {"id": identity, "data": "d1", "tokenizer": "t1"}


def test_equal_weights_give_equal_files(tmp_path: Path) -> None:
    first, second = saved(tmp_path / "one"), saved(tmp_path / "two")
    for file in first.iterdir():
        assert file.read_bytes() == (second / file.name).read_bytes()


def test_the_id_names_values_names_and_shapes() -> None:
    weights = {"a": torch.arange(6.0), "b": torch.ones(2)}
    identity = checkpoint.fingerprint(weights)
    assert len(identity) == 16
    assert int(identity, 16) >= 0
    assert checkpoint.fingerprint(dict(reversed(weights.items()))) == identity
    others = (
        {"a": torch.arange(6.0).reshape(2, 3), "b": torch.ones(2)},
        {"c": torch.arange(6.0), "b": torch.ones(2)},
        {"a": torch.arange(6.0) + 1e-6, "b": torch.ones(2)},
        {"a": torch.arange(6.0)},
    )
    assert len({identity, *map(checkpoint.fingerprint, others)}) == 5


def test_a_half_precision_copy_keeps_its_id(tmp_path: Path) -> None:
    source = saved(tmp_path / "full", data="d1")
    copy_half(source, tmp_path / "half")
    assert checkpoint.read_lineage(tmp_path / "half") == checkpoint.read_lineage(source)
    assert checkpoint.read_config(tmp_path / "half", "dvae") == checkpoint.read_config(source, "dvae")
    tensors = checkpoint.load_tensors(tmp_path / "half" / "model.safetensors")
    assert {tensor.dtype for tensor in tensors.values()} == {torch.float16}
    assert checkpoint.fingerprint(tensors) != checkpoint.read_lineage(source)["id"]
    loaded = network()
    checkpoint.load_weights(loaded, tmp_path / "half")
    for name, tensor in loaded.state_dict().items():
        assert tensor.dtype == torch.float32
        assert torch.equal(tensor, network().state_dict()[name].half().float())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"0.weight": None, "0.bias": None}, "2 tensors are missing, such as '0.bias'"),
        ({"surplus": torch.ones(1)}, "1 tensors are unknown, such as 'surplus'"),
        ({"0.weight": torch.ones(4, 2)}, r"'0.weight' has shape \[4, 2\], expected \[4, 3\]"),
        ({"0.weight": torch.ones(12)}, r"'0.weight' has shape \[12\], expected \[4, 3\]"),
        ({"1.weight": torch.ones(1)}, r"'1.weight' has shape \[1\], expected \[4\]"),
        ({"0.bias": None, "x": torch.ones(1), "1.bias": torch.ones(9)}, "missing.*'0.bias'; .*'x'; '1.bias' has shape"),
    ],
)
def test_weights_that_do_not_fit_are_named(
    tmp_path: Path, change: dict[str, torch.Tensor | None], message: str
) -> None:
    weights = {name: tensor for name, tensor in {**network().state_dict(), **change}.items() if tensor is not None}
    checkpoint.save(tmp_path, weights, {"stage": "dvae"}, {})
    target = network()
    before = {name: tensor.clone() for name, tensor in target.state_dict().items()}
    with pytest.raises(CheckpointError, match=message) as caught:
        checkpoint.load_weights(target, tmp_path)
    assert str(tmp_path) in str(caught.value)
    assert all(torch.equal(tensor, before[name]) for name, tensor in target.state_dict().items())


def test_another_stage_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"expected a gpt checkpoint, found one of stage 'dvae'") as caught:
        checkpoint.read_config(saved(tmp_path), "gpt")
    assert str(tmp_path) in str(caught.value)


def test_a_newer_format_is_refused(tmp_path: Path) -> None:
    saved(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**config, "format": 2}))
    with pytest.raises(CheckpointError, match="format 2, this version reads 1"):
        checkpoint.read_config(tmp_path, "dvae")


def test_a_run_means_its_latest_checkpoint(tmp_path: Path) -> None:
    for step in (10, 20):
        saved(tmp_path / f"step-{step}", step=str(step))
    (tmp_path / "latest").write_text("step-10\n")
    assert checkpoint.locate(tmp_path) == tmp_path / "step-10"
    assert checkpoint.locate(str(tmp_path)) == tmp_path / "step-10"
    assert checkpoint.read_lineage(tmp_path)["step"] == "10"
    assert checkpoint.locate(tmp_path / "step-20") == tmp_path / "step-20"
    (tmp_path / "latest").write_text("step-20")
    assert checkpoint.read_lineage(tmp_path)["step"] == "20"


def test_a_run_names_its_best_checkpoint(tmp_path: Path) -> None:
    for step in (10, 20):
        saved(tmp_path / f"step-{step}", step=str(step))
    (tmp_path / "latest").write_text("step-20")
    (tmp_path / "best").write_text("step-10\n")
    assert checkpoint.locate(tmp_path) == tmp_path / "step-20"
    assert checkpoint.locate(tmp_path / "best") == tmp_path / "step-10"
    with pytest.raises(CheckpointError, match="names no checkpoint"):
        checkpoint.locate(tmp_path / "step-10" / "model.safetensors")


def test_where_there_is_no_checkpoint(tmp_path: Path) -> None:
    for path, why in ((tmp_path, "no checkpoint here"), (tmp_path / "nowhere", "there is no such file or folder")):
        with pytest.raises(CheckpointError, match=rf"{why}; expected model.safetensors") as caught:
            checkpoint.locate(path)
        assert str(path) in str(caught.value)
    (tmp_path / "latest").write_text("step-10")
    with pytest.raises(CheckpointError, match=r"latest: names no checkpoint .* there is no other one"):
        checkpoint.locate(tmp_path)
    saved(tmp_path / "step-20")
    with pytest.raises(CheckpointError, match="write the name of another one into it: step-20"):
        checkpoint.locate(tmp_path)


@pytest.mark.parametrize("keep", [0, 7, 100])
def test_cut_short_weights_are_refused(tmp_path: Path, keep: int) -> None:
    file = saved(tmp_path) / "model.safetensors"
    file.write_bytes(file.read_bytes()[:keep])
    with pytest.raises(CheckpointError, match=r"model.safetensors: cannot read the weights"):
        checkpoint.load_weights(network(), tmp_path)


def test_nothing_is_unpickled(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, ...]:
            return Path.touch, (tmp_path / "sprung",)

    saved(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(pickle.dumps(Trap()))
    with pytest.raises(CheckpointError):
        checkpoint.load_weights(network(), tmp_path)
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not valid JSON"),
        ("[1]", "should be an object"),
        ("[" * 100_000, "not valid JSON"),
        ("{}", "format None"),
    ],
)
def test_a_damaged_config_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (saved(tmp_path) / "config.json").write_text(text)
    with pytest.raises(CheckpointError, match=message):
        checkpoint.read_config(tmp_path, "dvae")


def test_a_missing_lineage_is_refused(tmp_path: Path) -> None:
    (saved(tmp_path) / "lineage.json").unlink()
    with pytest.raises(CheckpointError, match=r"lineage.json: cannot read the file \(No such file.*incomplete"):
        checkpoint.read_lineage(tmp_path)


def test_a_mismatched_set_names_both_sides() -> None:
    checkpoint.require_same("DVAE", "the GPT", "aaaa", "the DVAE", "aaaa")
    with pytest.raises(CheckpointError, match="mismatched DVAE: the GPT was made with aaaa, but the DVAE is bbbb"):
        checkpoint.require_same("DVAE", "the GPT", "aaaa", "the DVAE", "bbbb")


@pytest.mark.parametrize(
    "content",
    [{}, {"id": 3}, {"id": ""}, {"id": None}, {"id": "a" * 1000}, {"id": "a", "dvae": [1]}, {"id": "a", "steps": -1}],
)
def test_a_lineage_is_typed(tmp_path: Path, content: dict[str, object]) -> None:
    (saved(tmp_path) / "lineage.json").write_text(json.dumps(content))
    with pytest.raises(CheckpointError, match=r"lineage.json: .*'(id|dvae|steps)"):
        checkpoint.read_lineage(tmp_path)


@pytest.mark.parametrize("name", ["../other", "/etc", "", ".", "..", "a/b", "a\x00b", "x" * 300])
def test_a_pointer_names_a_folder_beside_it(tmp_path: Path, name: str) -> None:
    saved(tmp_path / "other")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "latest").write_text(name)
    with pytest.raises(CheckpointError, match="latest: names no checkpoint"):
        checkpoint.locate(tmp_path / "run")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_refused(tmp_path: Path, value: float) -> None:
    weights = network().state_dict()
    weights["1.bias"] = torch.tensor([0.0, value, 0.0, 0.0])
    checkpoint.save(tmp_path, weights, {"stage": "dvae"}, {})
    with pytest.raises(CheckpointError, match=r"'1.bias' holds numbers that are not finite"):
        checkpoint.load_weights(network(), tmp_path)


def test_weights_cast_to_integers_are_refused(tmp_path: Path) -> None:
    weights = {name: tensor.to(torch.int8) for name, tensor in network().state_dict().items()}
    checkpoint.save(tmp_path, weights, {"stage": "dvae"}, {})
    with pytest.raises(CheckpointError, match=r"holds torch.int8, expected torch.float32"):
        checkpoint.load_weights(network(), tmp_path)


def test_a_configuration_that_asks_for_more_than_the_file_holds_takes_no_memory(
    tiny_dvae: DVAE, tiny_audio: AudioConfig, tmp_path: Path
) -> None:
    """A DVAE of 60 000 channels would take 43 GB a layer; it is compared with the header before it is built."""
    config = {"audio": tiny_audio.model_dump(mode="json"), "model": tiny_dvae.config.model_dump(mode="json")}
    config["model"]["channels"] = 60_000
    checkpoint.save(tmp_path, tiny_dvae.state_dict(), {"stage": "dvae", **config}, {})
    with pytest.raises(CheckpointError, match="does not fit its configuration"):
        load_dvae(tmp_path)


@pytest.mark.parametrize(
    ("key", "value"),
    [("channels", 10**9), ("blocks", 10**6), ("groups", -1), ("levels", [8] * 100), ("levels", "x"), ("channels", 2.5)],
)
def test_sizes_of_a_configuration_are_bounded(
    tiny_dvae: DVAE, tiny_audio: AudioConfig, tmp_path: Path, key: str, value: object
) -> None:
    config = {"audio": tiny_audio.model_dump(mode="json"), "model": tiny_dvae.config.model_dump(mode="json")}
    config["model"][key] = value
    checkpoint.save(tmp_path, tiny_dvae.state_dict(), {"stage": "dvae", **config}, {})
    with pytest.raises(CheckpointError, match=rf"config.json: 'model.{key}"):
        load_dvae(tmp_path)


def test_a_configuration_without_its_parts_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="key 'audio' is missing"):
        load_dvae(saved(tmp_path))


def test_a_full_disk_is_told(tmp_path: Path) -> None:
    program = (
        "import resource, sys, torch; from pathlib import Path; from triforce_tts import checkpoint, errors\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try:\n    checkpoint.save_tensors(Path(sys.argv[1]), {'a': torch.zeros(100_000)})\n"
        "except errors.TriforceError as error:\n    print(error)"
    )
    done = forks.run(["-c", program, tmp_path / "a"])
    assert done.returncode == 0, done.stderr
    assert "cannot write the weights" in done.stdout
    assert "free some space" in done.stdout


@pytest.mark.parametrize("mask", [0o022, 0o077])
def test_others_may_read_weights_as_the_umask_says(mask: int, tmp_path: Path) -> None:
    before = os.umask(mask)
    try:
        checkpoint.save_tensors(tmp_path / "a.safetensors", {"a": torch.zeros(2)})
    finally:
        os.umask(before)
    assert (tmp_path / "a.safetensors").stat().st_mode & 0o777 == 0o666 & ~mask
    checkpoint.save_tensors(tmp_path / "a.safetensors", {"a": torch.ones(2)})
    assert torch.equal(load_file(tmp_path / "a.safetensors")["a"], torch.ones(2))


def test_a_model_folder_in_place_of_a_checkpoint_is_told_with_what_to_give(tmp_path: Path) -> None:
    saved(tmp_path / "model" / "gpt")
    with pytest.raises(CheckpointError, match=r"a model folder; give one of its networks, such as .*/model/gpt"):
        checkpoint.locate(tmp_path / "model")
