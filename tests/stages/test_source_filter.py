"""Training of target ``source``: what its losses count, that it learns, and that a run goes on where it was."""

import math
from pathlib import Path

import pytest
import torch

from triforce_tts import schema
from triforce_tts.audio.fundamental import CLASSES, pitch_class
from triforce_tts.audio.mel import AudioConfig
from triforce_tts.checkpoint import load_tensors, locate
from triforce_tts.errors import CheckpointError, ConfigError
from triforce_tts.models.load import load_diffusion, load_dvae
from triforce_tts.models.source_filter import SPLIT, SourceFilter
from triforce_tts.stages import diffusion as stage
from triforce_tts.stages import distill
from triforce_tts.stages.source_filter import SourceLosses, melody_errors, melody_of, spectral_error
from triforce_tts.stages.trainer.loop import Trainer
from triforce_tts.stages.upsampling import Upsampling, UpsamplingTask

pytestmark = pytest.mark.usefixtures("one_thread")

SOURCE = ["model.target=source", "model.pitch_channels=16", "model.pitch_blocks=1"]


def task(corpus: dict[str, Path], *settings: str) -> UpsamplingTask:
    quiet = ["run.validate_every=0", "run.preview_every=0", "run.batch_size=4", "data.crop_seconds=0.5"]
    torch.manual_seed(0)
    loaded = schema.load(stage.DiffusionSettings, "diffusion", "tiny", [*SOURCE, *quiet, *settings])
    return stage.build(loaded, [corpus["shards"]], corpus["dvae"])


def batch_of(made: UpsamplingTask) -> Upsampling:
    return made.collate([made.sample(index, torch.Generator().manual_seed(index)) for index in range(4)])


def test_the_spectral_error_is_in_nats_and_hears_no_padding(vowels: torch.Tensor, tiny_audio: AudioConfig) -> None:
    sound = vowels[None, : 150 * 64]
    assert spectral_error(sound, sound, tiny_audio).tolist() == [0.0]
    assert float(spectral_error(-sound, sound, tiny_audio)) < 1e-2
    louder = float(spectral_error(2 * sound, sound, tiny_audio)) / 150  # a frame
    assert louder == pytest.approx(math.log(2), abs=0.05)
    padded = torch.nn.functional.pad(sound, (0, 50 * 64))
    assert float(spectral_error(2 * padded, padded, tiny_audio)) / 150 == pytest.approx(louder, rel=0.03)
    silent = torch.zeros_like(sound, requires_grad=True)
    spectral_error(silent, sound, tiny_audio).sum().backward()
    assert silent.grad is not None
    assert torch.isfinite(silent.grad).all()


def test_noise_of_the_right_level_is_best(tiny_audio: AudioConfig) -> None:
    """One noise is not another, and yet the error must not pull down what cannot be known."""
    noise, other = torch.randn(2, 40_000, generator=torch.Generator().manual_seed(0))
    errors = [
        float(spectral_error(gain * noise[None], other[None], tiny_audio)) for gain in (0.7, 0.85, 1.0, 1.18, 1.43)
    ]
    assert errors.index(min(errors)) == 2


def test_the_errors_of_a_melody() -> None:
    hertz = torch.tensor([[200.0, 0.0, 100.0]])
    voiced = (hertz > 0).float()
    logits = torch.zeros(1, 3, CLASSES + 1)
    even = melody_errors(logits, hertz, voiced)
    assert torch.allclose(even[0], torch.tensor([[math.log(CLASSES), 0.0, math.log(CLASSES)]]), atol=1e-4)
    assert torch.allclose(even[1], torch.full((1, 3), math.log(2)))
    classes = torch.arange(CLASSES)
    for frame in (0, 2):
        logits[0, frame, :-1] = -0.5 * ((classes - pitch_class(hertz[0, frame])) / 1.5) ** 2
    right = melody_errors(logits, hertz, voiced)[0]
    moved = melody_errors(logits.roll(3, -1), hertz, voiced)[0]
    assert right[0, 0] < moved[0, 0] < even[0][0, 0]


def test_a_melody_has_the_frames_of_the_filters(vowels: torch.Tensor, tiny_audio: AudioConfig) -> None:
    hertz, voiced = melody_of(vowels[None, :6300], tiny_audio, 99)
    assert hertz.shape == voiced.shape == (1, 99 * SPLIT)
    heard = hertz[voiced > 0]
    assert 85 < float(heard.min()) < float(heard.max()) < 155


@torch.no_grad()
def test_a_batch_costs_what_its_samples_cost(corpus: dict[str, Path]) -> None:
    """The loss is a sum over real frames, so padding and the other samples of a batch change nothing."""
    made = task(corpus, "data.crop_seconds=1.0")
    items = [made.sample(index, torch.Generator().manual_seed(index)) for index in range(3)]
    short = made.collate(items[:1]).samples[:, :3000]
    items[0] = type(items[0])(short[0], items[0].reference, 0.0, False, False, items[0].white[: -(-3000 // 64)])
    together = made.module(made.collate(items))[1]
    alone = [made.module(made.collate([item]))[1] for item in items]
    for name in ("spectrum", "pitch", "voicing"):
        assert float(together[name]) == pytest.approx(sum(float(one[name]) for one in alone), rel=2e-3), name


def test_it_learns(corpus: dict[str, Path], tmp_path: Path) -> None:
    made = task(corpus, "run.steps=60", "run.warmup_steps=5", "run.ema=0.0", "run.learning_rate=3e-3")
    assert isinstance(made.module, SourceLosses)
    device = torch.device("cpu")
    before = made.validate(made.module.network, device, 3)
    assert set(before) == {"spectrum", "pitch_off", "voicing_off"}
    trainer = Trainer(made, made.settings.run, tmp_path / "run", {})
    trainer.fit()
    after = made.validate(trainer.network.eval(), device, 3)
    assert after["spectrum"] < 0.85 * before["spectrum"]
    assert after["voicing_off"] < before["voicing_off"] or after["voicing_off"] < 0.2
    with torch.no_grad():
        shown = made.preview(trainer.network, device, 0)
    assert torch.isfinite(shown.sounds["made-in-one-step"]).all()
    again = load_diffusion(tmp_path / "run", load_dvae(corpus["dvae"])[1])
    assert isinstance(again, SourceFilter)
    assert again.config.pitch_blocks == 1


def test_a_run_goes_on_where_it_was(corpus: dict[str, Path], tmp_path: Path) -> None:
    def run(name: str, *settings: str) -> dict[str, torch.Tensor]:
        made = task(corpus, "run.steps=6", *settings)
        Trainer(made, made.settings.run, tmp_path / name, {}).fit()
        return load_tensors(locate(tmp_path / name) / "trainer" / "weights.safetensors")

    whole = run("whole")
    run("broken", "run.stop_at=3")
    broken = run("broken")
    assert whole.keys() == broken.keys()
    assert all(torch.equal(whole[name], broken[name]) for name in whole)


def test_what_belongs_to_a_flow_is_refused(corpus: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="consistency_weight belongs to a flow"):
        task(corpus, "consistency_weight=0.1")
    with pytest.raises(ConfigError, match="magnitude_weight needs"):
        task(corpus, "magnitude_weight=0.1")
    with pytest.raises(ConfigError, match="compiles the call of a flow"):
        task(corpus, "run.compile=true")
    first = task(corpus, "run.steps=2")
    Trainer(first, first.settings.run, tmp_path / "teacher", {}).fit()
    settings = schema.load(distill.DistillSettings, "distill", "tiny", [])
    with pytest.raises(CheckpointError, match="target 'source' predicts in one step already"):
        distill.build(settings, [corpus["shards"]], corpus["dvae"], tmp_path / "teacher")
