"""Distillation: the right end of the student's single step, and that the student learns it."""

from pathlib import Path

import pytest
import torch

from tests.corpus import babble_shards, trained_dvae
from triforce_tts import schema
from triforce_tts.checkpoint import read_lineage
from triforce_tts.errors import CheckpointError, ConfigError
from triforce_tts.models.load import load_diffusion, load_dvae
from triforce_tts.sampling.diffusion import sample_euler, uniform_times
from triforce_tts.stages import diffusion as diffusion_stage
from triforce_tts.stages import distill
from triforce_tts.stages.trainer.loop import Trainer

pytestmark = pytest.mark.usefixtures("one_thread")


def test_the_walk_from_the_start_is_the_sampler() -> None:
    noise = torch.randn(3, 4, 5, generator=torch.Generator().manual_seed(0))

    def predict(x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        return 0.3 * x + t[:, None, None]

    found = distill.walk(predict, noise, torch.zeros(3), 1.0, 8)
    assert torch.allclose(found, sample_euler(predict, noise, uniform_times(8)), atol=1e-5)


def test_each_row_walks_its_own_segment() -> None:
    x = torch.randn(2, 4, 5, generator=torch.Generator().manual_seed(0))

    def predict(x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        return 0.3 * x + t[:, None, None]

    together = distill.walk(predict, x, torch.tensor([0.0, 0.5]), 0.5, 4)
    for row, start in enumerate((0.0, 0.5)):
        alone = distill.walk(predict, x[row : row + 1], torch.tensor([start]), 0.5, 4)
        assert torch.allclose(together[row], alone[0], atol=1e-6)
    middle = sample_euler(predict, x[:1], torch.tensor([0.0, 0.125, 0.25, 0.375, 0.5, 1.0]))
    last = predict(together[:1], torch.tensor([0.5]))  # the sampler's last step is the prediction from the middle
    assert torch.allclose(middle, last, atol=1e-5)


def test_a_student_comes_nearer_to_its_teacher(tmp_path: Path) -> None:
    shards = babble_shards(tmp_path / "shards")
    dvae = trained_dvae(tmp_path / "dvae", shards, steps=20)
    small = ["run.batch_size=2", "data.crop_seconds=0.5", "run.validate_every=0"]
    first = schema.load(diffusion_stage.DiffusionSettings, "diffusion", "tiny", [*small, "run.steps=60"])
    task = diffusion_stage.build(first, [shards], dvae)
    Trainer(task, first.run, tmp_path / "teacher", {}).fit()
    quick = [*small, "run.steps=100", "run.ema=0.0", "run.learning_rate=3e-3"]
    settings = schema.load(distill.DistillSettings, "distill", "tiny", quick)
    taught = distill.build(settings, [shards], dvae, tmp_path / "teacher")
    device = torch.device("cpu")
    before = taught.validate(taught.module.network, device, 4)["distance_to_teacher"]
    trainer = Trainer(taught, settings.run, tmp_path / "student", {})
    trainer.fit()
    after = taught.validate(trainer.network.eval(), device, 4)["distance_to_teacher"]
    assert after < 0.85 * before
    lineage = read_lineage(tmp_path / "student")
    assert lineage["teacher"] == read_lineage(tmp_path / "teacher")["id"]
    load_diffusion(tmp_path / "student", load_dvae(dvae)[1])  # an ordinary checkpoint of stage 3

    other = trained_dvae(tmp_path / "other", shards, steps=3)
    with pytest.raises(CheckpointError, match="DVAE"):
        distill.build(settings, [shards], other, tmp_path / "teacher")


def test_a_student_of_a_teacher_that_does_without_conditions(tmp_path: Path) -> None:
    """Like 'base' and 'large', this network learns with dropped conditions for guidance; distillation drops none."""
    shards = babble_shards(tmp_path / "shards")
    dvae = trained_dvae(tmp_path / "dvae", shards, steps=2)
    quick = ["run.steps=2", "run.validate_every=0", "model.null_condition=true", "data.drop_share=0.5"]
    first = schema.load(diffusion_stage.DiffusionSettings, "diffusion", "tiny", quick)
    Trainer(diffusion_stage.build(first, [shards], dvae), first.run, tmp_path / "teacher", {}).fit()
    settings = schema.load(distill.DistillSettings, "distill", "tiny", ["run.steps=2", "run.validate_samples=2"])
    taught = distill.build(settings, [shards], dvae, tmp_path / "teacher")
    assert not any(bool(taught.sample(0, torch.Generator().manual_seed(seed)).drop) for seed in range(20))
    Trainer(taught, settings.run, tmp_path / "student", {}).fit()
    assert load_diffusion(tmp_path / "student", load_dvae(dvae)[1]).config.null_condition
    with pytest.raises(ConfigError, match=r"unknown key 'data\.drop_share'"):
        schema.load(distill.DistillSettings, "distill", "tiny", ["data.drop_share=0.1"])
