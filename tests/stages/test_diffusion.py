"""The losses and figures of stage 3: what they ignore, when they count, and their first values."""

from pathlib import Path

import pytest
import torch

from triforce_tts import schema
from triforce_tts.audio.mel import AudioConfig
from triforce_tts.checkpoint import load_tensors, locate
from triforce_tts.models.load import load_diffusion, load_dvae
from triforce_tts.stages import diffusion as stage
from triforce_tts.stages import distill
from triforce_tts.stages.trainer.loop import Trainer
from triforce_tts.stages.upsampling import Upsampling, UpsamplingTask

pytestmark = pytest.mark.usefixtures("one_thread")

COMPLEX = ["model.target=complex", "model.bands=4", "model.band_overlap=2"]


def task(corpus: dict[str, Path], *settings: str) -> UpsamplingTask:
    quiet = ["run.validate_every=0", "run.preview_every=0", "run.batch_size=4", "data.crop_seconds=0.5"]
    torch.manual_seed(0)
    loaded = schema.load(stage.DiffusionSettings, "diffusion", "tiny", [*quiet, *settings])
    return stage.build(loaded, [corpus["shards"]], corpus["dvae"])


def batch_of(made: UpsamplingTask) -> Upsampling:
    return made.collate([made.sample(index, torch.Generator().manual_seed(index)) for index in range(4)])


def test_the_magnitude_error_hears_no_phase_and_counts_what_is_off(
    vowels: torch.Tensor, tiny_audio: AudioConfig
) -> None:
    sound = vowels[None, : 100 * 64]
    assert stage.magnitude_error(sound, sound, tiny_audio).tolist() == [0.0]
    assert float(stage.magnitude_error(-sound, sound, tiny_audio)) < 1e-3
    louder = float(stage.magnitude_error(2 * sound, sound, tiny_audio)) / 100  # a frame
    assert louder == pytest.approx(1.0 + 0.69, abs=0.2)  # the error is the whole spectrum and ln 2, and less in silence
    padded = torch.nn.functional.pad(sound, (0, 50 * 64))
    assert float(stage.magnitude_error(2 * padded, padded, tiny_audio)) / 100 == pytest.approx(louder, rel=0.05)


def test_silence_has_a_gradient(vowels: torch.Tensor, tiny_audio: AudioConfig) -> None:
    silent = torch.zeros(1, 6400, requires_grad=True)
    stage.magnitude_error(silent, vowels[None, :6400], tiny_audio).sum().backward()
    assert silent.grad is not None
    assert torch.isfinite(silent.grad).all()


def test_the_magnitude_error_counts_near_the_noise_and_after_its_step(corpus: dict[str, Path]) -> None:
    made = task(corpus, *COMPLEX, "magnitude_weight=2.0", "magnitude_before=0.3", "magnitude_after=5")
    batch = batch_of(made)
    batch.times = torch.tensor([0.1, 0.5, 0.7, 0.9])
    with torch.no_grad():
        torch.nn.init.normal_(made.module.network.project_out.weight, std=0.1)  # type: ignore[union-attr]
        made.module.step = 4
        early, logged = made.module(batch)
        assert logged == {}
        made.module.step = 5
        later, logged = made.module(batch)
        assert float(later) == pytest.approx(float(early) + 2.0 * float(logged["magnitude"]), rel=1e-5)
        batch.times = torch.tensor([0.4, 0.5, 0.7, 0.9])
        none, logged = made.module(batch)
        assert logged["magnitude"] == 0
        assert none == logged["error"]


@pytest.mark.parametrize(
    "settings",
    [["run.steps=60", "data.crop_seconds=1.0"], [*COMPLEX, "run.steps=40"]],
    ids=["magnitude", "complex"],
)
def test_the_oracle_gain_starts_at_nothing_and_shows_what_is_learnt(
    settings: list[str], corpus: dict[str, Path], tmp_path: Path
) -> None:
    made = task(corpus, *settings, "run.warmup_steps=5", "run.ema=0.0")
    device = torch.device("cpu")
    assert made.validate(made.module.network, device, 2)["oracle_gain_db"] == pytest.approx(0.0, abs=1e-4)
    trainer = Trainer(made, made.settings.run, tmp_path / "run", {})
    trainer.fit()
    assert made.validate(trainer.network.eval(), device, 2)["oracle_gain_db"] > 0.05
    with torch.no_grad():
        shown = made.preview(trainer.network, device, 0)
    assert shown.pictures["made in one step"].shape == shown.pictures["recorded"].shape
    assert torch.isfinite(shown.sounds["made-in-one-step"]).all()


def test_a_complex_teacher_has_a_complex_student(corpus: dict[str, Path], tmp_path: Path) -> None:
    first = task(corpus, *COMPLEX, "run.steps=2")
    Trainer(first, first.settings.run, tmp_path / "teacher", {}).fit()
    quick = ["run.steps=2", "run.validate_every=0", "run.preview_every=0", "run.batch_size=4", "student_steps=4"]
    settings = schema.load(distill.DistillSettings, "distill", "tiny", quick)
    taught = distill.build(settings, [corpus["shards"]], corpus["dvae"], tmp_path / "teacher")
    # A student that still equals its teacher, and takes as many steps, arrives at the same result.
    items = [taught.sample(index, torch.Generator().manual_seed(index)) for index in range(4)]
    with torch.no_grad():
        assert float(taught.module(taught.collate(items))[0]) < 1e-4
    Trainer(taught, settings.run, tmp_path / "student", {}).fit()
    student = load_diffusion(tmp_path / "student", load_dvae(corpus["dvae"])[1])
    assert student.config == first.settings.model
    assert "distance_to_teacher" in taught.validate(student, torch.device("cpu"), 1)


def test_a_complex_run_goes_on_where_it_was(corpus: dict[str, Path], tmp_path: Path) -> None:
    def run(name: str, *settings: str) -> dict[str, torch.Tensor]:
        torch.manual_seed(0)
        made = task(corpus, *COMPLEX, "run.steps=6", *settings)
        Trainer(made, made.settings.run, tmp_path / name, {}).fit()
        return load_tensors(locate(tmp_path / name) / "trainer" / "weights.safetensors")

    whole = run("whole")
    run("broken", "run.stop_at=3")
    broken = run("broken")
    assert whole.keys() == broken.keys()
    assert all(torch.equal(whole[name], broken[name]) for name in whole)
