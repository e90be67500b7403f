"""Opens a voice for a model: the codes and the vector of a clip, and the timbre that the model does not reach by itself.

clip -> speech -> [DVAE] -> codes, the prompt of the GPT
               -> [diffusion] -> the vector of the speaker
codes -> [GPT] -> three sentences in this voice -> their mean spectrum beside the clip's -> timbre
"""

import hashlib
from dataclasses import replace
from pathlib import Path

import torch

from triforce_tts import checkpoint
from triforce_tts.audio.mel import mel_spectrogram
from triforce_tts.audio.timbre import timbre_between
from triforce_tts.errors import CheckpointError
from triforce_tts.files import as_path
from triforce_tts.manifest import DEFAULT_VOICE
from triforce_tts.named_voices import CLIP, find_clip, voices_folder
from triforce_tts.synthesis.model import Model
from triforce_tts.synthesis.script import make_script
from triforce_tts.synthesis.speaking import draw, make_jobs
from triforce_tts.synthesis.stopwatch import Stopwatch
from triforce_tts.text.tokenizer import TextTokenizer
from triforce_tts.voices import Voice, read_reference

_FORMAT = 1  # raise it when a voice is made of its clip in another way
# What a cloned voice says to be measured: some ten seconds with all sounds of English.
SENTENCES = (
    "The boy who watched the old ship leave the harbour could hear music from the far shore.",
    "Nothing pleases a child more than a huge yellow balloon on a quiet Thursday.",
    "Good food and fresh air give us joy, but choose both with care.",
)


@torch.inference_mode()
def open_voice(model: Model, path: Path | str | None = None) -> Voice:
    """The voice of a reference clip; without one the default voice of ``model``, which it was trained on.

    What was kept of an added voice is read, and made again only if its file is damaged. Only a cloned voice has a timbre.

    Raises:
        AudioError: the clip cannot be read, or holds less than a second of speech.
    """
    name = model.voice_name if path is None else as_path(path, "the voice").stem
    clip = find_clip(model.folder / DEFAULT_VOICE if path is None else path)
    if is_added(clip) and (kept := _read_kept(kept_file(model, clip), name, model)) is not None:
        return kept
    speech, note = read_reference(clip if path is None else path, model.audio)
    mel = mel_spectrogram(speech[None].to(model.device), model.audio)
    prompt = mel[:, : model.audio.frames_of_seconds(model.prompt_seconds)]
    speaker = model.diffusion.reference(mel, torch.tensor([mel.shape[1]], device=model.device))
    voice = Voice(name, model.dvae.encode(prompt)[0].cpu(), speaker, note=note)
    return voice if path is None else replace(voice, timbre=_timbre(model, voice, mel))


def _timbre(model: Model, voice: Voice, clip: torch.Tensor) -> torch.Tensor:
    """The timbre [n_mels] that ``model`` lacks when it speaks in ``voice``, whose clip has the mel [1, frames, n_mels]."""
    # A voice does not depend on the user's lexicon, so these sentences are read by the dictionary alone.
    lines = [line for text in SENTENCES for line in make_script(text, TextTokenizer(), model.room)]
    takes = draw(model, make_jobs(lines, voice, seed=0), model.settings, Stopwatch())
    # The mel of the clip goes through stage 1 as well, so that what stage 1 loses counts on neither side.
    spoken = [_decoded(model, take.codes) for take in takes if len(take.codes)]
    wanted = _decoded(model, model.dvae.encode(clip)[0])
    return timbre_between(torch.cat(spoken or [wanted[:0]]), wanted, model.audio).to(model.device)


def _decoded(model: Model, codes: torch.Tensor) -> torch.Tensor:
    """The mel [frames, n_mels] that stage 1 makes of ``codes`` [frames, groups]."""
    lengths = torch.tensor([len(codes) * model.dvae.config.downsampling], device=model.device)
    return model.dvae.decode(codes[None].to(model.device), lengths)[0]


# --- what is kept of an added voice --------------------------------------------------------------------------------


def is_added(clip: Path) -> bool:
    """Whether ``clip`` belongs to an added voice."""
    return clip.name == CLIP and clip.parent.parent == voices_folder()


def keep_voice(model: Model, clip: Path) -> None:
    """Store beside the ``clip`` of an added voice what the networks of ``model`` make of it."""
    voice, file = open_voice(model, clip), kept_file(model, clip)
    assert voice.timbre is not None
    file.parent.mkdir(exist_ok=True)
    tensors = {"codes": voice.codes.to(torch.int64), "speaker": voice.speaker.cpu(), "timbre": voice.timbre.cpu()}
    checkpoint.save_tensors(file, {name: tensor.contiguous() for name, tensor in tensors.items()}, {"note": voice.note})


def kept_file(model: Model, clip: Path) -> Path:
    """The file with what the networks of ``model`` make of the ``clip`` of an added voice."""
    # The id stands for the weights of the GPT, which are too many to be read each time, and for all configurations.
    digest = hashlib.sha256(repr([_FORMAT, model.id, model.audio.model_dump_json(), model.prompt_seconds]).encode())
    for network in (model.dvae, model.diffusion):
        digest.update(checkpoint.fingerprint(network.state_dict()).encode())
    digest.update(clip.read_bytes())
    return clip.parent / "models" / f"{digest.hexdigest()[:16]}.safetensors"


def _read_kept(file: Path, name: str, model: Model) -> Voice | None:
    """The voice in ``file``, as ``keep_voice`` stored it; None if the file is missing or damaged."""
    try:
        tensors = checkpoint.load_tensors(file)
    except CheckpointError:
        return None
    shapes = {key: (tensor.dim(), tensor.shape[-1]) for key, tensor in tensors.items() if tensor.dim()}
    groups, channels = model.dvae.config.groups, model.diffusion.config.reference_channels
    if shapes != {"codes": (2, groups), "speaker": (2, channels), "timbre": (1, model.audio.n_mels)}:
        return None
    speaker, timbre = (tensors[key].to(model.device) for key in ("speaker", "timbre"))
    return Voice(name, tensors["codes"], speaker, timbre)
