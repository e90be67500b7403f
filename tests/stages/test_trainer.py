"""What a training step does: accumulation, recomputation, compilation, optimisers, steps that go wrong."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from torch import nn

from tests.corpus import babble_shards, coded_shards, trained_dvae
from triforce_tts import schema
from triforce_tts.batches import Batch
from triforce_tts.errors import TriforceError
from triforce_tts.stages import diffusion as diffusion_stage
from triforce_tts.stages import dvae as dvae_stage
from triforce_tts.stages import gpt as gpt_stage
from triforce_tts.stages.loop import Trainer
from triforce_tts.stages.optim import SMORMS3

pytestmark = pytest.mark.usefixtures("one_thread")
STAGES = ("dvae", "gpt", "diffusion")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("trainer")
    shards = babble_shards(folder / "shards", 12)
    dvae = trained_dvae(folder / "dvae", shards, steps=5)
    return {"shards": shards, "dvae": dvae, "codes": coded_shards(folder / "codes", shards, dvae)}


def trainer(stage: str, corpus: dict[str, Path], run: Path, settings: Sequence[str] = ()) -> Trainer[Any, Any]:
    quiet = ["run.steps=20", "run.validate_every=0", "run.save_every=0", "run.batch_size=8", *settings]
    torch.manual_seed(0)
    task: Any
    if stage == "dvae":
        dvae = schema.load(dvae_stage.DVAESettings, stage, "tiny", quiet)
        task, loaded = dvae_stage.build(dvae, [corpus["shards"]]), dvae.run
    elif stage == "gpt":
        gpt = schema.load(gpt_stage.GPTSettings, stage, "tiny", quiet)
        task, loaded = gpt_stage.build(gpt, [corpus["codes"]]), gpt.run
    else:
        diffusion = schema.load(diffusion_stage.DiffusionSettings, stage, "tiny", quiet)
        task, loaded = diffusion_stage.build(diffusion, [corpus["shards"]], corpus["dvae"]), diffusion.run
    return Trainer(task, loaded, run, {})


def gradients(made: Trainer[Any, Any], batch: Batch) -> dict[str, torch.Tensor]:
    made.network.zero_grad(set_to_none=True)
    loss, _ = made.module(batch)
    loss.backward()
    return {name: p.grad for name, p in made.network.named_parameters() if p.grad is not None}


def largest_difference(one: dict[str, torch.Tensor], two: dict[str, torch.Tensor]) -> float:
    assert one.keys() == two.keys()
    return max(float((one[k] - two[k]).abs().max() / one[k].abs().max().clamp_min(1e-3)) for k in one)


@pytest.mark.parametrize("stage", STAGES)
def test_recomputed_activations_change_no_gradient(stage: str, corpus: dict[str, Path], tmp_path: Path) -> None:
    kept = trainer(stage, corpus, tmp_path / "kept")
    again = trainer(stage, corpus, tmp_path / "again", ["run.recompute=true"])
    assert again.network.recompute
    batch = next(kept._batches())
    assert largest_difference(gradients(kept, batch), gradients(again, batch)) <= 1e-5


def test_recomputing_keeps_fewer_activations(corpus: dict[str, Path], tmp_path: Path) -> None:
    kept_bytes = []
    for settings in ([], ["run.recompute=true"]):
        made = trainer("gpt", corpus, tmp_path / str(len(settings)), settings)
        batch = next(made._batches())
        saved: dict[int, int] = {}

        def pack(tensor: torch.Tensor, saved: dict[int, int] = saved) -> torch.Tensor:
            saved[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            made.module(batch)
        kept_bytes.append(sum(saved.values()))
    assert kept_bytes[1] < 0.6 * kept_bytes[0]


@pytest.mark.parametrize("stage", STAGES)
def test_accumulated_parts_are_one_large_batch(stage: str, corpus: dict[str, Path], tmp_path: Path) -> None:
    """Three parts of unequal weight: the sum is divided by the weight of all, not part by part."""
    whole = trainer(stage, corpus, tmp_path / "whole", ["run.learning_rate=1e-3"])
    parts = trainer(stage, corpus, tmp_path / "parts", ["run.learning_rate=1e-3", "run.mega_batch_factor=3"])
    batch = next(whole._batches())
    one, two = whole._step(batch), parts._step(batch)
    assert one["loss"] == pytest.approx(two["loss"], rel=1e-5)
    assert one["gradient_norm"] == pytest.approx(two["gradient_norm"], rel=1e-5)


@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # of the compiler itself
@pytest.mark.parametrize("stage", STAGES)
def test_compiled_is_eager(stage: str, corpus: dict[str, Path], tmp_path: Path) -> None:
    eager = trainer(stage, corpus, tmp_path / "eager")
    compiled = trainer(stage, corpus, tmp_path / "compiled", ["run.compile=true"])
    batch = next(eager._batches())
    assert largest_difference(gradients(eager, batch), gradients(compiled, batch)) <= 1e-3
    assert eager.network.state_dict().keys() == compiled.network.state_dict().keys()


def test_smorms3_follows_its_definition() -> None:
    """Against the author's lines in NumPy, over steps whose gradients change sign and size."""
    rng = np.random.default_rng(0)
    x = np.array([1.0, -2.0, 0.5])
    parameter = nn.Parameter(torch.tensor(x))
    optimizer = SMORMS3([parameter], lr=0.05)
    memory, g, g2, eps = np.ones(3), np.zeros(3), np.zeros(3), 1e-16
    for _ in range(20):
        gradient = rng.normal([0.0, 1.0, 5.0], [1.0, 0.1, 4.0])
        r = 1 / (memory + 1)
        g, g2 = (1 - r) * g + r * gradient, (1 - r) * g2 + r * gradient**2
        memory = 1 + memory * (1 - g * g / (g2 + eps))
        x = x - gradient * np.minimum(0.05, g * g / (g2 + eps)) / (np.sqrt(g2) + eps)
        parameter.grad = torch.tensor(gradient)
        optimizer.step()
        assert parameter.detach().numpy() == pytest.approx(x, abs=1e-12)


def test_an_optimiser_by_name_resumes_exactly(corpus: dict[str, Path], tmp_path: Path) -> None:
    chosen = ["run.optimizer=smorms3", "run.learning_rate=0.01", "run.log_every=1"]
    whole = trainer("dvae", corpus, tmp_path / "whole", [*chosen, "run.steps=6"])
    assert isinstance(whole.optimizer.optimizer, SMORMS3)
    whole.fit()
    trainer("dvae", corpus, tmp_path / "broken", [*chosen, "run.steps=6", "run.stop_at=3"]).fit()
    broken = trainer("dvae", corpus, tmp_path / "broken", [*chosen, "run.steps=6"])
    broken.fit()
    for name, value in whole.network.state_dict().items():
        assert torch.equal(value, broken.network.state_dict()[name])


def test_a_step_without_a_finite_gradient_is_skipped_counted_and_kept(corpus: dict[str, Path], tmp_path: Path) -> None:
    made = trainer("dvae", corpus, tmp_path / "run", ["run.stop_after_skips=3"])
    before = {name: value.clone() for name, value in made.network.state_dict().items()}
    batches = made._batches()
    for number in range(3):
        batch = next(batches)
        batch.samples[0, 100] = float("nan")
        if number == 2:
            with pytest.raises(TriforceError, match=r"3 steps in a row at step 3.*bad"):
                made._step(batch)
        else:
            made._step(batch)
    assert made.progress.skipped == 3
    assert all(torch.equal(value, before[name]) for name, value in made.network.state_dict().items())
    kept = sorted((tmp_path / "run" / "bad").iterdir())
    assert [file.name for file in kept] == [f"step-{n:08d}-00000.safetensors" for n in (1, 2, 3)]
    with safe_open(kept[2], "pt") as file:
        assert file.get_tensor("samples").isnan().sum() == 1
        keys = json.loads(file.metadata()["samples"])
    assert keys == [made.task.keys[index] for _, index in made.order.batch(2)]
