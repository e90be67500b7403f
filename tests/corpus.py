"""Small corpora and runs that several tests share.

The library's own synthesiser makes them, so no program is needed.
"""

import hashlib
import json
from pathlib import Path

import soundfile
import torch

from triforce_tts import schema
from triforce_tts.data.common.heldout import HeldOut
from triforce_tts.data.labelled import babble
from triforce_tts.data.labelled.build import build
from triforce_tts.data.labelled.prepare import Recipe
from triforce_tts.data.labelled.synthetic import plan
from triforce_tts.files import write_json
from triforce_tts.manifest import MANIFEST
from triforce_tts.stages import diffusion as diffusion_stage
from triforce_tts.stages import dvae as dvae_stage
from triforce_tts.stages import gpt as gpt_stage
from triforce_tts.stages.bundle import bundle
from triforce_tts.stages.codes import make_codes
from triforce_tts.stages.trainer.loop import Trainer

WORDS = ("a", "cat", "sat", "on", "the", "red", "mat", "and", "saw", "six", "old", "hats", "run", "to", "him")
SAMPLE_RATE = 8000  # Hz; the sample rate of the 'tiny' configurations


def texts(count: int) -> list[str]:
    """``count`` different short sentences."""
    return [" ".join(WORDS[(3 * i + k * (1 + i % 4)) % len(WORDS)] for k in range(3 + i % 2)) for i in range(count)]


def babble_shards(folder: Path, count: int = 12, align: bool = True) -> Path:
    """Shards of short babbled sentences in one voice."""
    recordings, held = plan(texts(count), "babble", ["low"], 0, False, HeldOut())
    build(recordings, held, folder, Recipe(SAMPLE_RATE, align=align))
    return folder


def trained_dvae(run: Path, shards: Path, steps: int) -> Path:
    """A run of the tiny DVAE."""
    settings = schema.load(dvae_stage.DVAESettings, "dvae", "tiny", [f"run.steps={steps}", "run.validate_every=0"])
    Trainer(dvae_stage.build(settings, [shards]), settings.run, run, settings.model_dump(mode="json")).fit()
    return run


def coded_shards(folder: Path, shards: Path, dvae: Path) -> Path:
    """Codes of ``shards``."""
    make_codes(dvae, [shards], folder, workers=1)
    return folder


def voice_clip(path: Path, seconds: float = 2.0) -> Path:
    """A clip of the babbler, written by libsndfile: a machine with a GPU need not have FFmpeg's package."""
    sound = babble.speak("a voice that speaks for a while "[: max(1, round(seconds * 12))], "low")
    soundfile.write(path, sound.samples.numpy(), sound.sample_rate)
    return path


def tiny_model(folder: Path) -> Path:
    """A model folder of hardly trained tiny networks: it speaks noise, but with the same code as a good model.

    Its first weights are always the same, whatever tests ran before in the process.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return _tiny_model(folder)


def _tiny_model(folder: Path) -> Path:
    shards = babble_shards(folder / "shards")
    quick = ["run.steps=2", "run.validate_every=0"]
    dvae = trained_dvae(folder / "dvae", shards, steps=2)
    codes = coded_shards(folder / "codes", shards, dvae)
    gpt = schema.load(gpt_stage.GPTSettings, "gpt", "tiny", quick)
    Trainer(gpt_stage.build(gpt, [codes]), gpt.run, folder / "gpt", gpt.model_dump(mode="json")).fit()
    diffusion = schema.load(diffusion_stage.DiffusionSettings, "diffusion", "tiny", quick)
    task = diffusion_stage.build(diffusion, [shards], dvae)
    Trainer(task, diffusion.run, folder / "diffusion", diffusion.model_dump(mode="json")).fit()
    runs = {stage: folder / stage for stage in ("dvae", "gpt", "diffusion")}
    voice_clip(folder / "voice.wav")  # The cases of benchmarks.hostile need this clip.
    bundle(runs, folder / "model", "tiny", voice_clip(folder / "voice.flac"), None, 1)
    return folder / "model"


def seal(model: Path) -> None:
    """Write the checksums of a model folder again after a test has changed its files."""
    manifest = json.loads((model / MANIFEST).read_text())
    sums = {name: hashlib.sha256((model / name).read_bytes()).hexdigest() for name in manifest["sha256"]}
    write_json(model / MANIFEST, {**manifest, "sha256": sums})
