"""How likely the GPT finds a sequence: both directions between text and speech, and the flip score.

The same network reads speech to text, so it can check what it said: log P(text | speech) - log P(text), a character.
The prior is taken off because rare words are unlikely whatever was said.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch.nn import functional as F

from triforce_tts.models.gpt import GPT
from triforce_tts.sequences import TokenSequence, Vocabulary


@dataclass(frozen=True)
class Score:
    """Log-probabilities in nats of one utterance and its text."""

    speech_given_text: torch.Tensor  # [codes + 1] of each code and <end>, given voice and text
    text_given_speech: torch.Tensor  # [letters + 1] of each letter and <end>, given the speech
    text_alone: torch.Tensor  # [letters + 1], given nothing
    letters: str

    @property
    def flip(self) -> float:
        """Mean log P(text | speech) - log P(text), nats a letter: the higher, the more clearly the text is heard."""
        return float((self.text_given_speech - self.text_alone).mean())

    @property
    def nats_per_code(self) -> float:
        """Mean -log P of a code given the text."""
        return float(-self.speech_given_text.mean())


@torch.inference_mode()
def log_probabilities(model: GPT, sequences: Sequence[Sequence[int]]) -> list[torch.Tensor]:
    """Log P of each id after the first of each sequence, nats, [n_i - 1] float32.

    Sequences are padded at their ends; causality keeps the padding out of them.

    Raises:
        ValueError: a sequence is longer than the model's.
    """
    longest = max(len(sequence) for sequence in sequences)
    if longest > model.config.max_tokens:
        raise ValueError(f"a sequence has {longest} tokens, at most {model.config.max_tokens} fit")
    ids = torch.nn.utils.rnn.pad_sequence([torch.tensor(sequence) for sequence in sequences], batch_first=True)
    logits = model(ids.to(model.device))[:, :-1].float()
    nats = F.cross_entropy(logits.transpose(1, 2), ids[:, 1:].to(model.device), reduction="none").cpu()
    return [-row[: len(sequence) - 1] for row, sequence in zip(nats, sequences, strict=True)]


def score_tokens(
    model: GPT, vocabulary: Vocabulary, voice: torch.Tensor, text: list[int], letters: list[int], codes: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Log P of speech given text, of text given speech, and of text alone; each with its <end>.

    Args:
        model: in eval mode.
        vocabulary: of the model.
        voice: codes of a clip by the speaker, [frames, groups].
        text: tokens as spoken.
        letters: tokens as listened to.
        codes: of the speech, [frames, groups].
    """
    sequences = (
        vocabulary.speak(voice, text, codes, 0.0),
        vocabulary.listen(codes, letters, 0.0),
        vocabulary.text_alone(letters),
    )
    said, heard, alone = target_log_probabilities(model, sequences)
    return said, heard, alone


def target_log_probabilities(model: GPT, sequences: Sequence[TokenSequence]) -> list[torch.Tensor]:
    """Log P of the tokens of each sequence that count fully as targets, nats."""
    found = log_probabilities(model, [sequence.ids for sequence in sequences])
    return [nats[torch.tensor(sequence.weights[1:]) >= 1.0] for nats, sequence in zip(found, sequences, strict=True)]


def heard(model: GPT, vocabulary: Vocabulary, letters: list[int], candidates: Sequence[torch.Tensor]) -> list[float]:
    """Mean log P(text | speech) a letter, nats, of each of ``candidates`` (codes [frames, groups]) of one text.

    Candidates of one text have its prior in common, so this ranks them as the flip score does. One whose speech leaves
    no room for the text in the model's longest sequence gets minus infinity.
    """
    sequences = [vocabulary.listen(codes, letters, 0.0) for codes in candidates]
    fitting = [i for i, sequence in enumerate(sequences) if len(sequence.ids) <= model.config.max_tokens]
    scores = [float("-inf")] * len(sequences)
    if fitting:
        found = target_log_probabilities(model, [sequences[i] for i in fitting])
        for i, nats in zip(fitting, found, strict=True):
            scores[i] = float(nats.mean())
    return scores
