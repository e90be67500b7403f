"""Speech to text with the same GPT: the text that it hears in a recording, and how clearly it hears a given text."""

from collections.abc import Sequence
from pathlib import Path

import torch

from triforce_tts.audio.io import Audio
from triforce_tts.errors import TextError
from triforce_tts.sampling.nucleus import TokenSampling
from triforce_tts.sampling.score import Score, heard, score_tokens
from triforce_tts.sampling.takes import Take
from triforce_tts.sampling.tokens import generate, text_grammar
from triforce_tts.synthesis.clips import encode_clip
from triforce_tts.synthesis.model import Model
from triforce_tts.synthesis.script import Line
from triforce_tts.text.normalize import normalize
from triforce_tts.voices import Voice

# Listening stops at so many times the mean speaking rate, because no reader says more letters.
_FASTEST = 3.0
_SPARE_LETTERS = 10  # letters that are allowed beyond that limit, for a short recording


@torch.inference_mode()
def listen(model: Model, clip: Audio | Path | str, seed: int = 0) -> str:
    """What the GPT hears in a recording, lower-case letters (the flip); the likeliest letter at each step.

    Raises:
        TextError: the recording fills the GPT's longest sequence.
        AudioError: the recording cannot be read.
    """
    recording = encode_clip(model, clip, model.heard_s)
    prompt = model.vocabulary.listen_prompt(recording.codes.cpu())
    room = model.gpt.config.max_tokens - model.vocabulary.count_steps(prompt)
    if room < 1:
        raise TextError(f"the recording is too long to listen to: {recording.duration_s:.1f} s")
    limit = min(room, round(_FASTEST * model.characters_per_second * recording.duration_s) + _SPARE_LETTERS)
    grammar, likeliest = text_grammar(model.vocabulary), TokenSampling(temperature=0.0)
    (ids,) = generate(model.gpt, [prompt], grammar, [limit], [seed], likeliest)
    return model.tokenizer.decode(model.vocabulary.text_tokens(ids))


@torch.inference_mode()
def score(model: Model, clip: Audio | Path | str, text: str, voice: Voice) -> Score:
    """How likely the GPT finds that ``clip`` says ``text``, in both directions, token by token.

    Args:
        model: the model that listens.
        clip: a recording of one sentence.
        text: the text as written; it is normalised here.
        voice: the voice prompt for the speaking direction.

    Raises:
        TextError: clip and text together are too long for the model.
    """
    recording = encode_clip(model, clip, model.heard_s)
    codes, normalized = recording.codes.cpu(), normalize(text)
    spoken, letters = model.tokenizer.encode(normalized), model.tokenizer.encode_letters(normalized)
    speech = (len(voice.codes) + len(codes)) * model.vocabulary.frame_steps
    length = speech + len(spoken) + len(letters) + 4
    if length > model.gpt.config.max_tokens:
        raise TextError(
            f"recording ({recording.duration_s:.1f} s) and text are {length} steps, at most "
            f"{model.gpt.config.max_tokens} fit: score it sentence by sentence"
        )
    nats = score_tokens(model.gpt, model.vocabulary, voice.codes, spoken, letters, codes)
    return Score(*nats, model.tokenizer.decode(letters))


def clearest(model: Model, line: Line, takes: Sequence[Take]) -> Take:
    """The take in which the GPT hears ``line`` best; a take that ended by itself comes before one that was stopped."""
    letters = model.tokenizer.encode_letters(line.text)
    scores = heard(model.gpt, model.vocabulary, letters, [take.codes for take in takes])
    return takes[max(range(len(takes)), key=lambda i: (takes[i].ended, scores[i]))]
