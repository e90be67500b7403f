"""Adapters of the GPT: they train alone, merge and resume."""

from pathlib import Path

import pytest
import torch

from tests.conftest import next_logits
from tests.training import trainer
from triforce_tts.checkpoint import load_tensors, locate
from triforce_tts.errors import CheckpointError, ConfigError
from triforce_tts.models.load import load_gpt

pytestmark = pytest.mark.usefixtures("one_thread")


def test_adapters_train_alone_merge_and_resume(corpus: dict[str, Path], tmp_path: Path) -> None:
    trainer("gpt", corpus, tmp_path / "base", ["run.steps=2"]).fit()
    chosen = [f"run.init_from={tmp_path / 'base'}", "run.lora_rank=4", "run.steps=6", "run.learning_rate=0.01"]
    whole = trainer("gpt", corpus, tmp_path / "whole", chosen)
    names = [name for name, parameter in whole.network.named_parameters() if parameter.requires_grad]
    assert names
    assert all(".lora_" in name for name in names)
    before = {name: value.clone() for name, value in whole.network.state_dict().items()}
    whole.fit()
    for name, value in whole.network.state_dict().items():
        assert torch.equal(value, before[name]) == (".lora_" not in name), name

    merged, _ = load_gpt(tmp_path / "whole")  # a plain network with the averaged weights
    ids = torch.randint(0, merged.vocabulary_size, (2, 30), generator=torch.Generator().manual_seed(0))
    with torch.no_grad(), whole.learner._averaged():
        assert torch.allclose(next_logits(whole.network.eval(), ids), next_logits(merged, ids), atol=1e-5)
    start, _ = load_gpt(tmp_path / "base")
    assert not torch.allclose(next_logits(start, ids), next_logits(merged, ids), atol=1e-3)

    trainer("gpt", corpus, tmp_path / "broken", [*chosen, "run.stop_at=3"]).fit()
    broken = trainer("gpt", corpus, tmp_path / "broken", chosen)
    broken.fit()
    for name in ("model.safetensors", "trainer/weights.safetensors", "trainer/average.safetensors"):
        one, two = (load_tensors(locate(tmp_path / run) / name) for run in ("whole", "broken"))
        assert all(torch.equal(one[key], two[key]) for key in one), name

    for rank in (0, 8):
        with pytest.raises(CheckpointError, match=rf"run\.lora_rank=4, the configuration says {rank}; use the same"):
            trainer("gpt", corpus, tmp_path / "broken", [*chosen, f"run.lora_rank={rank}"])


def test_adapters_are_for_the_gpt_of_another_run(corpus: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"give them as run\.init_from"):
        trainer("gpt", corpus, tmp_path / "run", ["run.lora_rank=4"])
    with pytest.raises(ConfigError, match="DVAE has no q_proj"):
        trainer("dvae", corpus, tmp_path / "run", ["run.lora_rank=4", f"run.init_from={corpus['dvae']}"])
