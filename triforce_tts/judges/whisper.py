"""Whisper through transformers, from a folder in the form of Hugging Face's hub."""

import hashlib
import inspect
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from triforce_tts.audio.resample import ANALYSIS_RATE, Wave
from triforce_tts.errors import TriforceError
from triforce_tts.files import file_sha256


def unusable(folder: Path, error: Exception) -> TriforceError:
    """The error for a folder whose weights cannot be loaded."""
    return TriforceError(
        f"{folder}: cannot load Whisper from there ({first_line(error)}); give another folder of its weights, or choose "
        "the recogniser pocketsphinx"
    )


def first_line(error: BaseException) -> str:
    """The first line of an error's text, without a full stop; the name of its class if it has no text."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")


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
        # Damaged files can raise any of these errors.
        except (
            OSError,
            ValueError,
            KeyError,
            TypeError,
            RuntimeError,
            SafetensorError,
        ) as error:
            raise unusable(folder, error) from error
        # A sample carries this name, which does not depend on the place of the weights.
        self.name = f"{name}@{digest[:12]}"
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
        # The decoder's probabilities after its first token tell the language, and whether the sound is silent.
        scores = self._expectations(output.logits[:, 0].float().softmax(-1), language)
        tokens, logprobs = self._write(sound, output.logits[:, -1], memory, len(prompt))
        texts = self.processor.batch_decode(tokens, skip_special_tokens=True)
        end = self.network.generation_config.eos_token_id
        for row, score in enumerate(scores):
            # A text that is shorter than others in the batch is padded with end tokens, which do not belong to it.
            real = logprobs[row][tokens[row] != end]
            score["avg_logprob"] = float(real.mean()) if real.numel() else 0.0
        return [(text.strip(), score) for text, score in zip(texts, scores, strict=True)]

    def _prompt(self, language: str) -> list[int]:
        """The first tokens for the decoder: the start, language and task if it knows several, and no time stamps."""
        settings = self.network.generation_config
        prompt = [int(settings.decoder_start_token_id)]
        if getattr(settings, "is_multilingual", True):
            languages: dict[str, int] = getattr(settings, "lang_to_id", None) or {}
            if f"<|{language}|>" not in languages:
                raise TriforceError(f"transcribe.language: Whisper does not know '{language}'; expected such as 'en'")
            prompt += [languages[f"<|{language}|>"], settings.task_to_id["transcribe"]]
        return [*prompt, int(settings.no_timestamps_token_id)]

    def _memory(self) -> dict[str, Any]:
        """The decoder's memory of earlier tokens, under the argument that this version of transformers has for it."""
        from transformers.cache_utils import DynamicCache, EncoderDecoderCache

        return {self.memory: EncoderDecoderCache(DynamicCache(), DynamicCache())}

    def _write(
        self, sound: Any, logits: torch.Tensor, memory: dict[str, Any], prompt_tokens: int
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """The likeliest tokens [batch, n], padded with end tokens, and the log probability of each.

        transformers' own loop for Whisper warns of itself, and hears the sound a second time.
        """
        settings = self.network.generation_config
        end, never = int(settings.eos_token_id), list(settings.suppress_tokens or ())
        most = min(int(settings.max_length), self.network.config.max_target_positions) - prompt_tokens
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
        """The probabilities of ``language`` and of no speech, if the tokenizer has tokens for them."""
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
