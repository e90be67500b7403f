"""What is said in segments, by a recogniser: Whisper, or pocketsphinx where there are no weights and no network.

Which one is a setting; nothing changes from one to the other by itself, and every sample says whose text it holds.
"""

import hashlib
import inspect
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import torch
from pydantic import Field, PositiveInt

from triforce_tts.audio.resample import pcm16
from triforce_tts.errors import TriforceError
from triforce_tts.files import file_sha256
from triforce_tts.schema import Config

from .segments import ANALYSIS_RATE, Segment, Sound, Wave

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

    engine: Literal["whisper", "pocketsphinx", "none"] = "whisper"
    model: str = "openai/whisper-large-v3-turbo"  # of Whisper: a name on the Hugging Face hub, or a folder
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
        whisper = _whisper(config.model, config.revision, _device(config.device))
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


class Pocketsphinx:
    """CMU's small recogniser with its US English model, which lies in its wheel: rough words, lower case."""

    def __init__(self) -> None:
        from pocketsphinx import Config as Settings
        from pocketsphinx import Decoder

        self._decoder: Any = Decoder(Settings(samprate=float(ANALYSIS_RATE), loglevel="FATAL"))

    def __call__(self, samples: Wave) -> str:
        """The words in ``samples`` [n] at ``ANALYSIS_RATE``; they hang on these samples alone."""
        # Its running mean and noise estimate outlive an utterance.
        self._decoder.reinit_feat()
        self._decoder.start_utt()
        self._decoder.process_raw(pcm16(samples), full_utt=True)
        self._decoder.end_utt()
        found = self._decoder.hyp()
        return found.hypstr if found else ""


@lru_cache(maxsize=1)
def pocketsphinx() -> Pocketsphinx:
    """This process's recogniser: its model takes a third of a second to load."""
    return Pocketsphinx()


def weights_folder(config: TranscribeConfig) -> Path:
    """Where Whisper's weights lie on this machine; what is not here is fetched from the hub.

    Raises:
        TriforceError: transformers is not installed, no revision is known, or the hub does not give them.
    """
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
            config.model, f"not on this machine, and the hub does not give it: {_first_line(error)}"
        ) from error
    if not _is_whole(found):
        raise _no_whisper(config.model, f"commit {revision} holds no config.json with model*.safetensors")
    return found


def _is_whole(folder: Path) -> bool:
    return (folder / "config.json").is_file() and any(folder.glob("model*.safetensors"))


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")


def _no_whisper(model: str, reason: str) -> TriforceError:
    return TriforceError(
        f"{model}: cannot load Whisper from there ({reason}); give a folder with its weights as transcribe.model, or choose "
        "transcribe.engine=pocketsphinx"
    )


class Whisper:
    """Whisper through transformers, greedy, without time stamps; half precision on a GPU."""

    def __init__(self, folder: Path, name: str, device: str) -> None:
        try:
            from safetensors import SafetensorError
            from transformers import WhisperForConditionalGeneration, WhisperProcessor
            from transformers.utils import logging
        except ImportError as error:
            raise TriforceError("transformers is not installed; pip install 'triforce-tts[whisper]'") from error
        dtype = torch.float16 if device.startswith("cuda") else torch.float32
        quiet: Any = logging.disable_progress_bar
        quiet()
        try:
            self.processor: Any = WhisperProcessor.from_pretrained(folder, local_files_only=True)
            network: Any = WhisperForConditionalGeneration.from_pretrained(
                folder, dtype=dtype, use_safetensors=True, local_files_only=True
            )
            weights = sorted(folder.glob("model*.safetensors"))
            digest = file_sha256(weights[0]) if len(weights) == 1 else _digest([file_sha256(path) for path in weights])
        except (
            OSError,
            ValueError,
            KeyError,
            TypeError,
            RuntimeError,
            SafetensorError,
        ) as error:  # damaged files raise any of them
            raise _no_whisper(str(folder), _first_line(error)) from error
        self.name = f"{name}@{digest[:12]}"  # what a sample says: the same wherever the weights lie
        self.network = network.to(device).eval()
        self.device, self.dtype = device, dtype
        self.memory = "cache" if "cache" in inspect.signature(network.forward).parameters else "past_key_values"

    @torch.inference_mode()
    def __call__(self, waves: Sequence[Wave], language: str) -> list[tuple[str, dict[str, float]]]:
        """The text and the scores of each of ``waves`` [n] at ``ANALYSIS_RATE``."""
        features = self.processor(list(waves), sampling_rate=ANALYSIS_RATE, return_tensors="pt")
        sound = self.network.model.encoder(features.input_features.to(self.device, self.dtype))
        prompt = self._prompt(language)
        first = torch.tensor([prompt] * len(waves), device=self.device)
        memory = self._memory()
        output = self.network(encoder_outputs=sound, decoder_input_ids=first, use_cache=True, **memory)
        # What the decoder expects after its first token tells language and silence.
        scores = self._expectations(output.logits[:, 0].float().softmax(-1), language)
        tokens, logprobs = self._write(sound, output.logits[:, -1], memory, len(prompt))
        texts = self.processor.batch_decode(tokens, skip_special_tokens=True)
        end = self.network.generation_config.eos_token_id
        for row, score in enumerate(scores):
            # A text that ends before its batch mates is filled up with end tokens, which are none of its own.
            real = logprobs[row][tokens[row] != end]
            score["avg_logprob"] = float(real.mean()) if real.numel() else 0.0
        return [(text.strip(), score) for text, score in zip(texts, scores, strict=True)]

    def _prompt(self, language: str) -> list[int]:
        """What the decoder is given first: the start, the language and the task where it knows several, no time stamps."""
        settings = self.network.generation_config
        prompt = [int(settings.decoder_start_token_id)]
        if getattr(settings, "is_multilingual", True):
            languages: dict[str, int] = getattr(settings, "lang_to_id", None) or {}
            if f"<|{language}|>" not in languages:
                raise TriforceError(f"transcribe.language: Whisper does not know '{language}'; expected such as 'en'")
            prompt += [languages[f"<|{language}|>"], settings.task_to_id["transcribe"]]
        return [*prompt, int(settings.no_timestamps_token_id)]

    def _memory(self) -> dict[str, Any]:
        """What the decoder keeps of the tokens before, as the argument that this version of transformers takes it by."""
        from transformers.cache_utils import DynamicCache, EncoderDecoderCache

        return {self.memory: EncoderDecoderCache(DynamicCache(), DynamicCache())}

    def _write(
        self, sound: Any, logits: torch.Tensor, memory: dict[str, Any], given: int
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """The likeliest tokens [batch, n], filled up with end tokens, and the log probability of each.

        transformers' own loop for Whisper warns of itself, and hears the sound a second time.
        """
        settings = self.network.generation_config
        end, never = int(settings.eos_token_id), list(settings.suppress_tokens or ())
        most = min(int(settings.max_length), self.network.config.max_target_positions) - given
        tokens, logprobs = [], []
        over = torch.zeros(len(logits), dtype=torch.bool, device=self.device)
        for place in range(most):
            logits = logits.float()
            logits[:, never if place else never + list(settings.begin_suppress_tokens or ())] = -torch.inf
            likely, token = logits.log_softmax(-1).max(-1)
            token = token.masked_fill(over, end)
            over = over | (token == end)
            tokens.append(token)
            logprobs.append(likely)
            if bool(over.all()):
                break
            step = self.network(encoder_outputs=sound, decoder_input_ids=token[:, None], use_cache=True, **memory)
            logits = step.logits[:, -1]
        return torch.stack(tokens, 1), torch.stack(logprobs, 1)

    def _expectations(self, likely: torch.Tensor, language: str) -> list[dict[str, float]]:
        """The probabilities of ``language`` and of no speech, where the tokenizer knows them."""
        settings, tokenizer = self.network.generation_config, self.processor.tokenizer
        scores: list[dict[str, float]] = [{} for _ in range(len(likely))]
        silence = tokenizer.convert_tokens_to_ids("<|nospeech|>")
        if silence is not None and silence != tokenizer.unk_token_id:
            for row, score in enumerate(scores):
                score["no_speech_probability"] = float(likely[row, silence])
        languages: dict[str, int] = getattr(settings, "lang_to_id", None) or {}
        if f"<|{language}|>" in languages:
            among = likely[:, list(languages.values())]
            own = likely[:, languages[f"<|{language}|>"]] / among.sum(-1).clamp_min(1e-12)
            for row, score in enumerate(scores):
                score["language_probability"] = float(own[row])
        return scores


def _digest(checksums: Sequence[str]) -> str:
    return hashlib.sha256("".join(checksums).encode()).hexdigest()


@lru_cache(maxsize=1)
def _whisper(model: str, revision: str | None, device: str) -> Whisper:
    """This process's Whisper."""
    folder = weights_folder(TranscribeConfig(model=model, revision=revision))
    return Whisper(folder, model_name(model), device)


def model_name(model: str) -> str:
    """The name of a model on the hub, or of its folder: where that lies is nobody else's business."""
    return Path(model).resolve().name if Path(model).is_dir() else model
