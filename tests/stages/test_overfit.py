"""Every network can learn one batch by heart within a minute; if training goes wrong, try this first."""

import math
from pathlib import Path

import pytest
import torch

from tests.corpus import babble_shards, coded_shards, trained_dvae
from triforce_tts import schema
from triforce_tts.models.load import load_dvae, load_gpt
from triforce_tts.sampling.nucleus import TokenSampling
from triforce_tts.sampling.tokens import generate, speech_grammar
from triforce_tts.stages import diffusion as diffusion_stage
from triforce_tts.stages import dvae as dvae_stage
from triforce_tts.stages import gpt as gpt_stage
from triforce_tts.stages.codes import decode_codes
from triforce_tts.stages.trainer.loop import Outcome, Trainer
from triforce_tts.stages.trainer.task import Task

QUIET = ["run.validate_every=0", "run.save_every=0", "run.ema=0.0", "run.warmup_steps=10"]


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return babble_shards(tmp_path_factory.mktemp("overfit") / "shards", 9)


@pytest.fixture(scope="module")
def dvae(tmp_path_factory: pytest.TempPathFactory, shards: Path) -> Path:
    return trained_dvae(tmp_path_factory.mktemp("overfit") / "dvae", shards, steps=20)


def fit(task: Task, settings: object, run: Path) -> Outcome:
    return Trainer(task, settings.run, run, settings.model_dump(mode="json")).fit()  # type: ignore[attr-defined]


def test_dvae_learns_one_batch_to_an_eighth_of_a_neper(shards: Path, tmp_path: Path) -> None:
    # The quantiser's grid has the size of that of 'nano', which is large enough; the learning rate is constant, and
    # the budget is a minute of CPU.
    settings = schema.load(
        dvae_stage.DVAESettings, "dvae", "tiny",
        [*QUIET, "run.steps=1500", "run.overfit=0.12", "model.levels=[8,8,8,5,5]", "model.groups=4", "model.channels=128",
         "run.batch_size=4", "data.crop_seconds=0.5", "run.learning_rate=2e-3"],
    )  # fmt: skip
    outcome = fit(dvae_stage.build(settings, [shards]), settings, tmp_path / "run")
    assert outcome.reached
    assert outcome.metrics["l1"] <= 0.12


def test_gpt_learns_one_batch_and_says_it_back(shards: Path, dvae: Path, tmp_path: Path) -> None:
    codes = coded_shards(tmp_path / "codes", shards, dvae)
    settings = schema.load(
        gpt_stage.GPTSettings, "gpt", "tiny",
        [*QUIET, "run.steps=600", "run.overfit=0.05", "data.mixture=[1.0,0.0,0.0,0.0]", "run.learning_rate=2e-3",
         "data.text_weight=0.0"],
    )  # fmt: skip
    task = gpt_stage.build(settings, [codes])
    trainer = Trainer(task, settings.run, tmp_path / "run", settings.model_dump(mode="json"))
    batch = next(trainer._batches())
    first = float(task.module(batch)[0].detach()) / task.weight(batch)
    assert first == pytest.approx(math.log(task.vocabulary.size), rel=0.1)
    assert trainer.fit().metrics["nats"] <= 0.05

    network, vocabulary = load_gpt(tmp_path / "run")
    for ids, (_, _, start, end) in zip(batch.ids[..., 0].tolist(), batch.spans.tolist(), strict=True):
        prompt, said = ids[:start], ids[start:end]
        greedy = TokenSampling(temperature=0.0)
        (heard,) = generate(network, [prompt], speech_grammar(vocabulary), [len(said) + 8], [0], greedy)
        assert heard == said


@pytest.mark.parametrize("target", ["magnitude", "complex"])
def test_diffusion_learns_one_batch(target: str, shards: Path, dvae: Path, tmp_path: Path) -> None:
    sizes = {"magnitude": [], "complex": ["model.target=complex", "model.bands=4", "model.band_overlap=4"]}[target]
    settings = schema.load(
        diffusion_stage.DiffusionSettings, "diffusion", "tiny",
        [*QUIET, *sizes, "run.steps=600", "model.channels=128", "model.hidden=256", "run.batch_size=2",
         "data.crop_seconds=0.5"],
    )  # fmt: skip
    task = diffusion_stage.build(settings, [shards], dvae)
    trainer = Trainer(task, settings.run, tmp_path / "run", settings.model_dump(mode="json"))
    batch = next(trainer._batches())
    with torch.no_grad():
        start = float(task.module(batch)[0]) / task.weight(batch)
    trainer.settings = settings.run.model_copy(update={"overfit": 0.15 * start})
    outcome = trainer.fit()
    assert outcome.reached
    assert outcome.metrics["loss"] <= 0.15 * start


def test_a_bound_out_of_reach_is_said(shards: Path, tmp_path: Path) -> None:
    settings = schema.load(
        dvae_stage.DVAESettings, "dvae", "tiny", [*QUIET, "run.steps=2", "run.overfit=0.001"]
    )  # fmt: skip
    assert not fit(dvae_stage.build(settings, [shards]), settings, tmp_path / "run").reached


def test_codes_survive_their_shards(shards: Path, dvae: Path, tmp_path: Path) -> None:
    from triforce_tts.audio.io import decode_audio
    from triforce_tts.audio.mel import mel_spectrogram
    from triforce_tts.shards import ShardSet

    folder = coded_shards(tmp_path / "codes", shards, dvae)
    network, audio = load_dvae(dvae)
    coded, sounds = ShardSet.open([folder], "train", "codes"), ShardSet.open([shards], "train", "audio")
    assert coded.keys == sounds.keys
    sound = decode_audio(sounds.payload(3), "3", audio.sample_rate).samples
    with torch.inference_mode():
        expected = network.encode(mel_spectrogram(sound[None], audio))[0]
    assert torch.equal(decode_codes(coded.payload(3)), expected)
