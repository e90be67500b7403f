"""Small corpora and runs that several tests share: made by the library's own generator, no outside program."""

from pathlib import Path

from triforce_tts import schema
from triforce_tts.data import babble
from triforce_tts.data.build import build
from triforce_tts.data.sources import HeldOut
from triforce_tts.data.synthetic import plan
from triforce_tts.stages import dvae as dvae_stage
from triforce_tts.stages.codes import make_codes
from triforce_tts.stages.loop import Trainer

WORDS = ("a", "cat", "sat", "on", "the", "red", "mat", "and", "saw", "six", "old", "hats", "run", "to", "him")
SAMPLE_RATE = 8000  # of the 'tiny' configurations


def texts(count: int) -> list[str]:
    """``count`` different short sentences."""
    return [" ".join(WORDS[(3 * i + k * (1 + i % 4)) % len(WORDS)] for k in range(3 + i % 2)) for i in range(count)]


def babble_shards(folder: Path, count: int = 12) -> Path:
    """Shards of short babbled sentences in one voice."""
    recordings, held = plan(texts(count), "babble", ["low"], 0, False, HeldOut())
    build(recordings, held, folder, SAMPLE_RATE, workers=1)
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
    """A clip of the babbler."""
    babble.speak("a voice that speaks for a while "[: max(1, round(seconds * 12))], "low").save(path)
    return path
