"""What is said in segments, by a recogniser: Whisper, or pocketsphinx where there are no weights and no network.

Which one is a setting; nothing changes from one to the other by itself, and every sample says whose text it holds.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import torch
from pydantic import PositiveInt

from triforce_tts.errors import TriforceError
from triforce_tts.schema import Config

from .segments import ANALYSIS_RATE, Segment, Sound, Wave, pcm16

TRANSCRIBER, PUNCT = "transcriber", "punct"  # in a sample's JSON


class TranscribeConfig(Config):
    """Who writes down what is said."""

    engine: Literal["whisper", "pocketsphinx", "none"] = "whisper"
    model: str = "openai/whisper-large-v3-turbo"  # of Whisper: a name on the Hugging Face hub, or a folder
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
        whisper = _whisper(config.model, _device(config.device))
        # Like lengths together change nothing: Whisper hears 30 s whatever there is. Order is kept.
        for batch in _batches(kept, config.batch_size):
            waves = [sound.read(segment.start_s, segment.end_s, ANALYSIS_RATE) for segment in batch]
            for segment, (text, scores) in zip(batch, whisper(waves, config.language), strict=True):
                segment.text = text
                segment.scores |= scores
                segment.details[TRANSCRIBER] = config.model
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


class Whisper:
    """Whisper through transformers, greedy, without time stamps; half precision on a GPU."""

    def __init__(self, model: str, device: str) -> None:
        try:
            from transformers import WhisperForConditionalGeneration, WhisperProcessor
        except ImportError as error:
            raise TriforceError("transformers is not installed; pip install 'triforce-tts[whisper]'") from error
        dtype = torch.float16 if device.startswith("cuda") else torch.float32
        # What was fetched once needs no network: without one, minutes go by until the hub is given up.
        for here in [True] if Path(model).is_dir() else [True, False]:
            try:
                self.processor: Any = WhisperProcessor.from_pretrained(model, local_files_only=here)
                network: Any = WhisperForConditionalGeneration.from_pretrained(
                    model, dtype=dtype, use_safetensors=True, local_files_only=here
                )
                break
            except (OSError, ValueError) as error:
                failure = error
        else:
            raise TriforceError(
                f"{model}: cannot load Whisper from there ({str(failure).splitlines()[0]}); give a folder with its weights as "
                "transcribe.model, or choose transcribe.engine=pocketsphinx"
            ) from failure
        self.network = network.to(device).eval()
        self.device, self.dtype = device, dtype

    @torch.inference_mode()
    def __call__(self, waves: Sequence[Wave], language: str) -> list[tuple[str, dict[str, float]]]:
        """The text and the scores of each of ``waves`` [n] at ``ANALYSIS_RATE``."""
        features = self.processor(
            list(waves), sampling_rate=ANALYSIS_RATE, return_tensors="pt", return_attention_mask=True
        )
        sound = features.input_features.to(self.device, self.dtype)
        scores = self._first_look(sound, language)
        multilingual = bool(getattr(self.network.generation_config, "is_multilingual", True))
        told = {"language": language, "task": "transcribe"} if multilingual else {}
        made = self.network.generate(
            sound,
            attention_mask=features.attention_mask.to(self.device),
            do_sample=False,
            num_beams=1,
            return_dict_in_generate=True,
            output_scores=True,
            **told,
        )
        texts = self.processor.batch_decode(made.sequences, skip_special_tokens=True)
        sure = self.network.compute_transition_scores(made.sequences, made.scores, normalize_logits=True).float()
        # A text that ends before its batch mates is filled up with end tokens, which are none of its own.
        written = made.sequences[:, -sure.shape[1] :] != self.network.generation_config.eos_token_id
        for row, values in enumerate(sure):
            real = values[written[row]]
            scores[row]["avg_logprob"] = float(real.mean()) if real.numel() else 0.0
        return [(text.strip(), score) for text, score in zip(texts, scores, strict=True)]

    def _first_look(self, sound: torch.Tensor, language: str) -> list[dict[str, float]]:
        """The probabilities of ``language`` and of no speech: what the decoder expects after its first token."""
        settings, tokenizer = self.network.generation_config, self.processor.tokenizer
        start = torch.full((len(sound), 1), int(settings.decoder_start_token_id), device=self.device)
        likely = self.network(sound, decoder_input_ids=start).logits[:, 0].float().softmax(-1)
        scores: list[dict[str, float]] = [{} for _ in range(len(sound))]
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


@lru_cache(maxsize=1)
def _whisper(model: str, device: str) -> Whisper:
    """This process's Whisper."""
    return Whisper(model, device)
