"""The benchmarks take the configurations of a pack, and measure decoding where there is no GPU too."""

from pathlib import Path

import pytest
import torch
import yaml

from benchmarks.decode import measure
from benchmarks.train import load_config
from triforce_tts.schema import find, read_yaml
from triforce_tts.stages.dvae import DVAESettings

pytestmark = pytest.mark.usefixtures("one_thread")


def test_a_folder_stands_for_a_size(tmp_path: Path) -> None:
    values = read_yaml(find("dvae", "tiny"))
    values["run"]["batch_size"] = 5
    (tmp_path / "dvae.yaml").write_text(yaml.safe_dump(values))
    assert load_config(DVAESettings, "dvae", str(tmp_path)).run.batch_size == 5
    assert load_config(DVAESettings, "dvae", "tiny").run.batch_size == 8


@pytest.mark.parametrize("size", ["tiny", "nano"])
def test_decoding_is_measured_without_a_gpu(size: str) -> None:
    """A code a step, and by frames."""
    row = measure(size, 2, "fp32", torch.device("cpu"), 8)
    assert row["eager codes/s"] > 0
    assert row["graph codes/s"] == "needs CUDA"
    assert row["floor codes/s"] > 0
    assert row["native codes/s"] == "not built" or row["native codes/s"] > 0
    assert row["transformers codes/s"] == "no plain Llama" or row["transformers codes/s"] > 0
