"""The parts of a training step: accumulation, recomputation, compilation, optimisers, steps that go wrong."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from torch import nn

from tests.training import fast, trainer
from triforce_tts.audio.io import read_audio
from triforce_tts.batches import Batch
from triforce_tts.checkpoint import load_tensors, locate
from triforce_tts.errors import CheckpointError, ConfigError, TriforceError
from triforce_tts.locks import only_writer
from triforce_tts.stages.bundle import export_command
from triforce_tts.stages.trainer import loop
from triforce_tts.stages.trainer.loop import Trainer
from triforce_tts.stages.trainer.preview import layer_norms

pytestmark = pytest.mark.usefixtures("one_thread")


@dataclass
class Rows(Batch):
    """Rows of numbers, [batch, n]."""

    rows: torch.Tensor


STAGES = ("dvae", "gpt", "diffusion")


def gradients(made: Trainer[Any, Any], batch: Batch) -> dict[str, torch.Tensor]:
    made.network.zero_grad(set_to_none=True)
    loss, _ = made.learner.module(batch)
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
            made.learner.module(batch)
        kept_bytes.append(sum(saved.values()))
    assert kept_bytes[1] < 0.6 * kept_bytes[0]


@pytest.mark.parametrize("stage", STAGES)
def test_accumulated_parts_are_one_large_batch(stage: str, corpus: dict[str, Path], tmp_path: Path) -> None:
    """Three parts have unequal weights: the sum is divided by the weight of all parts, not part by part."""
    whole = trainer(stage, corpus, tmp_path / "whole", ["run.learning_rate=1e-3"])
    parts = trainer(stage, corpus, tmp_path / "parts", ["run.learning_rate=1e-3", "run.mega_batch_factor=3"])
    batch = next(whole._batches())
    one, two = whole._step(batch), parts._step(batch)
    assert one["loss"] == pytest.approx(two["loss"], rel=1e-5)
    assert one["gradient_norm"] == pytest.approx(two["gradient_norm"], rel=1e-5)


@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # the warning comes from the compiler itself
@pytest.mark.parametrize("stage", STAGES)
def test_compiled_is_eager(stage: str, corpus: dict[str, Path], tmp_path: Path) -> None:
    eager = trainer(stage, corpus, tmp_path / "eager")
    compiled = trainer(stage, corpus, tmp_path / "compiled", ["run.compile=true"])
    batch = next(eager._batches())
    assert largest_difference(gradients(eager, batch), gradients(compiled, batch)) <= 1e-3
    assert eager.network.state_dict().keys() == compiled.network.state_dict().keys()


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


@pytest.mark.parametrize("spoilt", [0, 7])
def test_a_spoilt_part_skips_the_whole_step(spoilt: int, corpus: dict[str, Path], tmp_path: Path) -> None:
    """The step has four parts, and one of them has a sample that is not finite."""
    made = trainer("dvae", corpus, tmp_path / "run", ["run.mega_batch_factor=4"])
    before = {name: value.clone() for name, value in made.network.state_dict().items()}
    batches = made._batches()
    batch = next(batches)
    batch.samples[spoilt, 100] = float("inf")
    made._step(batch)
    assert made.progress.skipped == 1
    assert all(torch.equal(value, before[name]) for name, value in made.network.state_dict().items())
    made._step(next(batches))
    assert made.progress.skipped == 1
    assert not all(torch.equal(value, before[name]) for name, value in made.network.state_dict().items())


def heldout(made: Trainer[Any, Any], figures: Sequence[float]) -> list[int]:
    """Let the trainer ``made`` get these held-out figures, one in each validation.

    The result is the steps of the validations.
    """
    asked: list[int] = []

    def validate(network: nn.Module, device: torch.device, samples: int) -> dict[str, float]:
        asked.append(made.progress.step)
        return {"l1": figures[made.progress.step // 2 - 1], "other": 0.0}

    made.task.validate = validate
    return asked


def test_the_best_checkpoint_is_kept_and_named(corpus: dict[str, Path], tmp_path: Path) -> None:
    """The held-out figures fall and rise again.

    A run that is stopped in between and resumed still knows which one was the best.
    """
    chosen = ["run.keep_best=l1", "run.validate_every=2", "run.save_every=1", "run.keep=1", "run.steps=10"]
    run, figures = tmp_path / "run", [3.0, 2.0, float("nan"), 2.5, 4.0]
    first = trainer("dvae", corpus, run, [*chosen, "run.stop_at=5"])
    heldout(first, figures)
    first.fit()
    assert locate(run / "best").name == "step-00000004"
    weights = load_tensors(locate(run / "best") / "model.safetensors")
    second = trainer("dvae", corpus, run, chosen)
    assert second.progress.best == 2.0
    asked = heldout(second, figures)
    second.fit()
    assert asked == [6, 8, 10]
    assert locate(run).name == "step-00000010"
    assert sorted(path.name for path in run.glob("step-*")) == ["step-00000004", "step-00000010"]
    kept = load_tensors(locate(run / "best") / "model.safetensors")
    assert all(torch.equal(kept[name], value) for name, value in weights.items())

    started = trainer("dvae", corpus, tmp_path / "next", [f"run.init_from={run / 'best'}"])
    assert all(torch.equal(value, weights[name]) for name, value in started.network.state_dict().items())
    export_command(run / "best", tmp_path / "light", light=True)
    assert locate(tmp_path / "light").name == "step-00000004"
    # the best checkpoint of the run lies elsewhere
    assert trainer("dvae", corpus, tmp_path / "light", chosen).progress.best is None


def test_a_run_that_only_becomes_worse_ends_and_its_best_is_what_it_started_from(
    corpus: dict[str, Path], tmp_path: Path
) -> None:
    fast("dvae", corpus, tmp_path / "first", 2)
    begun = load_tensors(locate(tmp_path / "first") / "model.safetensors")
    chosen = [
        f"run.init_from={tmp_path / 'first'}", "run.keep_best=l1", "run.validate_every=2", "run.patience=2", "run.keep=1",
    ]  # fmt: skip
    run = tmp_path / "run"
    made = trainer("dvae", corpus, run, chosen)
    asked = heldout(made, [1.5, 1.2, 1.0])  # the last one is that of step 0
    outcome = made.fit()
    assert asked == [0, 2, 4] and outcome.progress.step == 4 and outcome.progress.best == 1.0
    best = load_tensors(locate(run / "best") / "model.safetensors")
    assert locate(run / "best").name == "step-00000000"
    assert all(torch.equal(best[name], value) for name, value in begun.items())
    again = trainer("dvae", corpus, run, chosen)
    asked = heldout(again, [])
    assert again.fit().progress.step == 4 and asked == []
    patient = trainer("dvae", corpus, run, [*chosen, "run.patience=4"])
    asked = heldout(patient, [0.0, 0.0, 1.1, 0.9, *[1.0] * 4])
    patient.fit()  # a better figure begins the count anew
    assert asked == [6, 8, 10, 12, 14, 16] and locate(run / "best").name == "step-00000008"


def test_a_figure_of_no_samples_is_none(corpus: dict[str, Path], tmp_path: Path) -> None:
    """Nothing is held out. In an earlier version, a figure of 0 stayed the best for ever."""
    chosen = ["run.keep_best=l1", "run.validate_every=1", "run.steps=2"]
    with pytest.raises(ConfigError, match="validate_samples"):
        trainer("dvae", corpus, tmp_path / "none", [*chosen, "run.validate_samples=0"])
    with pytest.raises(ConfigError, match="the data holds nothing out"):
        trainer("dvae", corpus, tmp_path / "none", [*chosen, "data.min_seconds=0.9", "data.max_seconds=1.0"])


def nothing_held_out(made: Trainer[Any, Any]) -> None:
    made.task.heldout = made.task.heldout.select([])


def test_a_device_without_bfloat16_is_told(
    corpus: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "computes_bfloat16", lambda device: device.type != "cpu")
    made, found = trainer("dvae", corpus, tmp_path / "run"), {}
    for precision in ("fp32", "bf16"):
        made.settings = made.settings.model_copy(update={"precision": precision})
        found[precision] = any("no instructions for bfloat16" in note for note in made._notes())
    assert found == {"fp32": False, "bf16": True}


def test_a_run_without_held_out_data_says_so_and_validates_nothing(
    corpus: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for stage in STAGES:
        made = trainer(stage, corpus, tmp_path / stage, ["run.steps=1", "run.validate_every=1"])
        nothing_held_out(made)
        outcome = made.fit()
        assert "nothing is validated" in capsys.readouterr().err.replace("\n", " ")
        assert not any(name.startswith("heldout_") for name in outcome.metrics)
        figures = made.task.validate(made.network, torch.device("cpu"), 4)
        assert not any(value == 0 for name, value in figures.items() if "l1" in name or "loss" in name or "err" in name)


@pytest.mark.parametrize(
    ("save_every", "validate_every", "steps"), [(2, 0, [4]), (0, 0, [4]), (2, 2, [2, 4]), (3, 4, [4]), (2, 3, [3, 4])]
)
def test_the_last_state_is_validated_once(
    save_every: int, validate_every: int, steps: list[int], corpus: dict[str, Path], tmp_path: Path
) -> None:
    """Also if it was saved on schedule; a finished run that is started again is not validated again."""
    chosen = [
        "run.steps=4",
        f"run.save_every={save_every}",
        f"run.validate_every={validate_every}",
        "run.validate_samples=1",
    ]
    for _ in range(2):
        trainer("dvae", corpus, tmp_path / "run", chosen).fit()
        rows = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
        assert [row["step"] for row in rows if row["kind"] == "validation"] == steps


def test_figures_that_are_not_finite_are_null_in_the_metrics(corpus: dict[str, Path], tmp_path: Path) -> None:
    made = trainer("dvae", corpus, tmp_path / "run", ["run.steps=2", "run.validate_every=2", "run.keep_best=l1"])
    heldout(made, [float("nan")])
    made.fit()
    assert not (tmp_path / "run" / "best").exists()

    def refuse(name: str) -> None:
        raise AssertionError(name)

    rows = [
        json.loads(line, parse_constant=refuse) for line in (tmp_path / "run/metrics.jsonl").read_text().splitlines()
    ]
    assert {row["l1"] for row in rows if row["kind"] == "validation"} == {None}


def test_a_better_checkpoint_replaces_the_best(corpus: dict[str, Path], tmp_path: Path) -> None:
    chosen = ["run.keep_best=l1", "run.validate_every=2", "run.keep=1", "run.steps=8"]
    made = trainer("dvae", corpus, tmp_path / "run", chosen)
    heldout(made, [3.0, 2.0, 1.0, 2.0])
    made.fit()
    found = sorted(path.name for path in (tmp_path / "run").glob("step-*"))
    assert found == ["step-00000006", "step-00000008"]
    assert locate(tmp_path / "run" / "best").name == "step-00000006"


def test_an_unknown_held_out_figure_is_refused(corpus: dict[str, Path], tmp_path: Path) -> None:
    for figure in ("sharpness", "perplexity"):  # the second one rises as the network gets better
        with pytest.raises(ConfigError, match=rf"run\.keep_best={figure}: expected .* gets better: l1"):
            trainer("dvae", corpus, tmp_path / "run", [f"run.keep_best={figure}", "run.validate_every=1"])
    assert not (tmp_path / "run").exists()


def test_the_padded_share_is_logged_where_a_batch_knows_it(corpus: dict[str, Path], tmp_path: Path) -> None:
    made = trainer("dvae", corpus, tmp_path / "run")
    batch = next(made._batches())
    assert batch.padded_share() is None
    assert "padding" not in made._step(batch)

    class Padded(type(batch)):  # type: ignore[misc]
        def padded_share(self) -> float:
            return 0.25

    assert made._step(Padded(**vars(batch)))["padding"] == 0.25


@pytest.mark.parametrize("stage", STAGES)
def test_previews_and_gradient_flow_come_on_schedule(stage: str, corpus: dict[str, Path], tmp_path: Path) -> None:
    made = trainer(stage, corpus, tmp_path / "run", ["run.steps=4", "run.preview_every=2", "run.preview_samples=1"])
    made.fit()
    shown = sorted(path.relative_to(tmp_path / "run" / "previews") for path in (tmp_path / "run/previews").rglob("*.*"))
    assert {path.parts[0] for path in shown} == {"step-00000002", "step-00000004"}
    key = made.task.heldout.keys[0] if len(made.task.heldout) else ""
    sounds = {"dvae": {"recorded", "decoded"}, "gpt": set(), "diffusion": {"recorded", "decoded", "made-in-one-step"}}
    expected = {f"{key}.png"} | {f"{key}-{name}.flac" for name in sounds[stage]}
    assert {path.name for path in shown} == expected
    for path in (tmp_path / "run" / "previews").rglob("*.flac"):
        assert read_audio(path).samples.abs().max() > 0
    rows = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    flows = [row for row in rows if row["kind"] == "gradients"]
    assert [row["step"] for row in flows] == [1, 3]  # the rows are of the steps that lead to steps 2 and 4
    assert (tmp_path / "run" / "gradients.png").stat().st_size > 1000


def test_gradient_flow_is_each_layers_norm() -> None:
    network = nn.Sequential(nn.Linear(2, 2, bias=False), nn.ReLU(), nn.Linear(2, 1))
    with torch.no_grad():
        network[0].weight.copy_(torch.tensor([[3.0, 0.0], [0.0, 4.0]]))
    for parameter in network.parameters():
        parameter.grad = torch.full_like(parameter, 2.0)
    norms = layer_norms(network)
    assert list(norms) == ["0", "2"]
    assert norms["0"] == pytest.approx((4.0, 5.0))
    assert norms["2"][0] == pytest.approx(12**0.5)


@pytest.mark.parametrize("quantizer", ["vq", "gumbel"])
def test_a_learnt_quantiser_trains_and_resumes_exactly(quantizer: str, corpus: dict[str, Path], tmp_path: Path) -> None:
    chosen = [f"model.quantizer={quantizer}", "run.steps=6"]
    whole = trainer("dvae", corpus, tmp_path / "whole", chosen)
    before = whole.network.quantizer.codebook.detach().clone()
    whole.fit()
    assert not torch.equal(before, whole.network.quantizer.codebook)
    trainer("dvae", corpus, tmp_path / "broken", [*chosen, "run.stop_at=3"]).fit()
    broken = trainer("dvae", corpus, tmp_path / "broken", chosen)
    broken.fit()
    for name, value in whole.network.state_dict().items():
        assert torch.equal(value, broken.network.state_dict()[name]), name


def test_dropped_conditions_are_learnt_and_left_out(corpus: dict[str, Path], tmp_path: Path) -> None:
    chosen = ["data.drop_share=0.5", "model.null_condition=true"]
    made = trainer("diffusion", corpus, tmp_path / "run", chosen)
    batch = next(made._batches())
    assert 0 < int(batch.drop.sum()) < len(batch)
    found = gradients(made, batch)
    assert "null_decode" in found
    assert "null_speaker" in found
    with pytest.raises(ConfigError, match="go together"):
        trainer("diffusion", corpus, tmp_path / "bad", ["data.drop_share=0.5"])


def test_crops_agree_with_their_later_part_only_after_the_set_step(corpus: dict[str, Path], tmp_path: Path) -> None:
    chosen = ["consistency_weight=1.0", "consistency_after=1"]
    made = trainer("diffusion", corpus, tmp_path / "run", chosen)
    batches = made._batches()
    assert "inconsistency" not in made._step(next(batches))
    logged = made._step(next(batches))
    assert logged["inconsistency"] > 0
    assert logged["loss"] == pytest.approx(logged["error"] + logged["inconsistency"], rel=1e-5)


def test_a_setting_newer_than_the_checkpoint_counts_as_its_default(corpus: dict[str, Path], tmp_path: Path) -> None:
    trainer("gpt", corpus, tmp_path / "run", ["run.steps=4", "run.stop_at=2"]).fit()
    path = locate(tmp_path / "run") / "config.json"
    config = json.loads(path.read_text())
    del config["model"]["sink"]
    path.write_text(json.dumps(config))
    assert trainer("gpt", corpus, tmp_path / "run", ["run.steps=4"]).progress.step == 2
    with pytest.raises(
        CheckpointError, match=r"checkpoint 'model\.sink' is False, the configuration says True; use .* another RUN"
    ):
        trainer("gpt", corpus, tmp_path / "run", ["run.steps=4", "model.sink=true"])


def test_two_trainings_of_one_run_are_refused(corpus: dict[str, Path], tmp_path: Path) -> None:
    made = trainer("dvae", corpus, tmp_path / "run", ["run.steps=2"])
    with only_writer(tmp_path / "run"), pytest.raises(TriforceError, match="another process is writing here"):
        made.fit()
    made.fit()
    assert made.progress.step == 2
