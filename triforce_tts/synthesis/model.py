"""A loaded model folder: the three networks, which belong together, and the limits that they were trained for."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from importlib.metadata import version
from pathlib import Path

import torch

from triforce_tts import checkpoint
from triforce_tts.audio.mel import AudioConfig
from triforce_tts.errors import CheckpointError
from triforce_tts.manifest import MANIFEST, STAGES, read_manifest
from triforce_tts.models.dvae import DVAE
from triforce_tts.models.gpt import GPT
from triforce_tts.models.load import load_diffusion, load_dvae, load_gpt, read_stage
from triforce_tts.models.upsampler import Upsampler
from triforce_tts.sampling.nucleus import TokenSampling
from triforce_tts.sequences import Vocabulary
from triforce_tts.synthesis.script import Room, SpeakingLimits, Training
from triforce_tts.synthesis.settings import Settings
from triforce_tts.text.phonemes import Lexicon
from triforce_tts.text.tokenizer import TextTokenizer


@dataclass(frozen=True, eq=False)
class Model:
    """Everything that speaking needs of a model; nothing in it changes."""

    folder: Path
    device: torch.device
    name: str  # the name, id and diffusion_steps of the manifest
    id: str
    diffusion_steps: int  # the steps of stage 3, unless a caller wants another number
    audio: AudioConfig
    dvae: DVAE
    gpt: GPT
    diffusion: Upsampler
    tokenizer: TextTokenizer
    vocabulary: Vocabulary
    limits: SpeakingLimits  # the limits and the two rates below come from the GPT checkpoint
    prompt_seconds: float  # the length of a voice clip that the GPT sees
    characters_per_second: float  # the rate of spoken text in the training data
    voice_name: str = ""  # the name of the default voice; empty if the manifest does not say it

    @property
    def code_rate(self) -> float:
        """The number of code frames in a second."""
        return self.audio.frame_rate / self.dvae.config.downsampling

    @property
    def code_samples(self) -> int:
        """The number of samples that one code frame stands for."""
        return self.audio.hop_length * self.dvae.config.downsampling

    @property
    def room(self) -> Room:
        """The room that this model has for a line."""
        groups, reads = self.vocabulary.config.groups, self.vocabulary.config.reads
        voice_frames = -(-self.audio.frames_of_seconds(self.prompt_seconds) // self.dvae.config.downsampling)
        empty = self.vocabulary.speak_prompt(torch.zeros(voice_frames, groups), [])
        steps = self.gpt.config.max_tokens - self.vocabulary.count_steps(empty)
        rate = self.code_rate * self.vocabulary.frame_steps
        return Room(self.limits, self.characters_per_second, steps, rate, reads)

    @property
    def settings(self) -> Settings:
        """The settings with which this model speaks, unless a caller wants others."""
        return Settings(sampling=TokenSampling(guidance=self.limits.guidance), diffusion_steps=self.diffusion_steps)

    @property
    def heard_s(self) -> float:
        """The seconds of speech that fill the GPT's longest sequence: no longer recording can be heard or scored."""
        return self.gpt.config.max_tokens / self.room.steps_per_second

    def tags(self, seed: int) -> dict[str, str]:
        """The tags of a written file."""
        software = f"triforce-tts {version('triforce-tts')}"
        return {
            "software": software,
            "comment": f"Synthetic speech, made by {software}, model {self.name} ({self.id}), seed {seed}",
        }


def bundled_model() -> Path:
    """The folder of the model inside the package.

    Raises:
        CheckpointError: the package was built without one.
    """
    path = Path(str(resources.files("triforce_tts"))) / "assets" / "nano"
    if not (path / MANIFEST).is_file():
        raise CheckpointError("the package holds no model; train one ('make nano') and give it with --model")
    return path


def choose_device(name: str) -> torch.device:
    """The device called ``name``; ``auto`` is a CUDA device if there is one, else the CPU.

    Raises:
        CheckpointError: this machine has no such device.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, TypeError) as error:
        raise CheckpointError(f"device '{name}' is not available here; use cpu, cuda or auto") from error
    return device


def load_model(folder: Path, device: torch.device, lexicon: Lexicon | None = None) -> Model:
    """The model in ``folder``, its networks in eval mode on ``device``.

    Raises:
        CheckpointError: the folder is no model, is damaged, or mixes networks that were not trained together.
    """
    manifest = read_manifest(folder)
    dvae, audio = load_dvae(folder / "dvae", device)
    gpt, vocabulary = load_gpt(folder / "gpt", device)
    diffusion = load_diffusion(folder / "diffusion", audio, device)
    tokenizer = TextTokenizer(lexicon)
    trained = read_stage(folder / "gpt", "gpt", Training)
    if trained.speaking.guidance != 1.0 and not vocabulary.config.reads:
        raise CheckpointError(
            f"{folder / 'gpt'}: speaking.guidance is {trained.speaking.guidance:g}, and this network does not read its text in "
            "place; set it to 1"
        )
    check_lineage(folder, tokenizer)
    return Model(
        folder, device, manifest.name, manifest.id, manifest.diffusion_steps, audio, dvae, gpt, diffusion, tokenizer,
        vocabulary, trained.speaking, trained.voice_seconds[1], trained.characters_per_second,
        manifest.voice,
    )  # fmt: skip


def check_lineage(folder: Path, tokenizer: TextTokenizer) -> None:
    """Refuse a model ``folder`` whose networks were not trained together.

    Raises:
        CheckpointError: the networks do not belong together; the message names both sides.
    """
    require_together({stage: folder / stage for stage in STAGES}, tokenizer)


def require_together(checkpoints: Mapping[str, Path], tokenizer: TextTokenizer) -> None:
    """Refuse ``checkpoints``, by stage, that were not trained together.

    Raises:
        CheckpointError: they do not belong together; the message names both sides.
    """
    gpt, diffusion = (checkpoint.read_lineage(checkpoints[stage]) for stage in ("gpt", "diffusion"))
    dvae = checkpoint.read_lineage(checkpoints["dvae"])["id"]
    for stage, lineage in (("gpt", gpt), ("diffusion", diffusion)):
        checkpoint.require_same("DVAE", str(checkpoints[stage]), lineage.get("dvae"), str(checkpoints["dvae"]), dvae)
    checkpoint.require_same(
        "text tokenizer",
        str(checkpoints["gpt"]),
        gpt.get("tokenizer"),
        "this version's tokenizer",
        tokenizer.fingerprint,
    )
