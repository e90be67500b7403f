"""What a run costs is said before it: memory and arithmetic."""

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from typer.testing import CliRunner

from tests.stages.test_trainer import Rows
from tests.training import task_of
from triforce_tts import schema
from triforce_tts.batches import stream
from triforce_tts.models.layers import Network, count_parameters
from triforce_tts.stages import dvae as dvae_stage
from triforce_tts.stages import gpt as gpt_stage
from triforce_tts.stages.cli import app
from triforce_tts.stages.estimate import _grown, _measure, estimate
from triforce_tts.stages.trainer.settings import RunSettings
from triforce_tts.stages.trainer.task import Losses, order_of

pytestmark = pytest.mark.usefixtures("one_thread")


def test_a_dry_run_says_what_it_costs_and_writes_nothing(corpus: dict[str, Path], tmp_path: Path) -> None:
    words = ["train", "dvae", "--config", "tiny", "--data", str(corpus["shards"]), "--run", str(tmp_path / "run")]
    words += ["--set", "run.steps=1000", "--set", "run.precision=fp32", "--dry-run", "--days", "2"]
    done = CliRunner().invoke(app, words[1:])
    assert done.exit_code == 0, done.output
    assert not (tmp_path / "run").exists()
    settings = schema.load(dvae_stage.DVAESettings, "dvae", "tiny", [])
    parameters = count_parameters(dvae_stage.build(settings, [corpus["shards"]]).module.network)
    assert f"{parameters / 1e6:.2f} M" in done.output
    assert f"state {4 * parameters * 5 / 1e9:.3f}" in done.output
    assert "x 4 bytes x 5 (weights, gradients, 2 moments, average)" in done.output
    assert f"{1000 / (2 * 86400):.3g} steps a second" in done.output


@pytest.mark.parametrize("recompute", ["false", "true"])
def test_estimated_activations_are_those_of_the_whole_batch(recompute: str, corpus: dict[str, Path]) -> None:
    """The estimate from the first samples of a padded batch of twelve is compared with a count over all twelve."""
    chosen = ["run.batch_size=12", "run.precision=bf16", "data.mixture=[1,0,0,0]", "data.text_weight=1.0"]
    settings = schema.load(gpt_stage.GPTSettings, "gpt", "tiny", chosen)
    task = gpt_stage.build(settings, [corpus["codes"]])
    task.module.network.recompute = recompute == "true"
    batch = next(stream(order_of(task, settings.run), task.sample, task.collate))
    counted, _ = _measure(task, batch, 12, settings.run)
    assert _grown(task, batch, 12, settings.run) == pytest.approx(counted, rel=0.1)


@pytest.mark.parametrize("stage", ["dvae", "gpt", "diffusion"])
def test_the_blocks_made_again_are_those_that_the_network_names(
    stage: str, corpus: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["model.head={layers: 2, hidden: 32}", "run.batch_size=2"] if stage == "gpt" else ["run.batch_size=2"]
    task, run = task_of(stage, corpus, words)
    met: list[nn.Module] = []
    module = importlib.import_module(f"triforce_tts.models.{stage}")
    monkeypatch.setattr(module, "run_block", lambda block, recompute, *inputs: met.append(block) or block(*inputs))
    _measure(task, next(stream(order_of(task, run), task.sample, task.collate)), 2, run)
    assert met and set(met) == set(task.module.network.recomputed_blocks)


def test_counted_arithmetic_is_that_of_a_linear_layer() -> None:
    """Forward takes 2 m n for each frame, backward twice that.

    6 FLOP for each weight and frame, and 2 less if the input needs no gradient.
    """

    class Sums(Losses):
        network: Any = Network()

        def __init__(self) -> None:
            super().__init__()
            self.network = Network()
            self.network.linear = nn.Linear(30, 20, bias=False)

        def forward(self, batch: Rows) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
            return self.network.linear(batch.rows).sum(), {}

    class Counted:
        module = Sums()
        durations_s = (1.0,) * 8

        def sample(self, index: int, rng: torch.Generator) -> torch.Tensor:
            return torch.ones(30)

        def collate(self, items: Sequence[torch.Tensor]) -> Rows:
            return Rows(torch.stack(list(items)))

        def length(self, index: int, rng: torch.Generator) -> float:
            return 1.0

        def seconds(self, batch: Rows) -> float:
            return 8.0

    lines = estimate(Counted(), RunSettings(batch_size=1000, learning_rate=1.0, steps=1), 1.0)  # type: ignore[arg-type]
    found = next(line for line in lines if line.startswith("arithmetic"))
    assert float(found.split()[1]) * 1e12 == pytest.approx(4 * 30 * 20 * 1000, rel=0.05)
