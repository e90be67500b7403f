"""The likelihood of a sequence for the GPT: both directions between text and speech, and the flip score.

The same network can listen to speech, so it can check what it said. The flip score is the mean of log P(text | speech)
- log P(text) over the letters. The prior is subtracted because rare words are unlikely whatever was said.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from triforce_tts.models.gpt import GPT
from triforce_tts.sequences import PAD, TokenSequence, Vocabulary


@dataclass(frozen=True)
class Score:
    """Log-probabilities in nats of one utterance and its text."""

    # [codes + 1]: the score of each code and <end>, given voice and text.
    speech_given_text: torch.Tensor
    # [letters + 1]: the score of each letter and <end>, given the speech.
    text_given_speech: torch.Tensor
    # [letters + 1]: the score of each letter and <end>, given nothing.
    text_alone: torch.Tensor
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
    """Log P of each id after the first of each sequence, nats, [n_i - 1] float32. The first id is a step of its own.

    Sequences are padded at their ends. The network is causal, so the padding changes nothing.

    Raises:
        ValueError: a sequence has more steps than the model's longest.
    """
    packed = [model.pack(sequence) for sequence in sequences]
    longest = max(map(len, packed))
    if longest > model.config.max_tokens:
        raise ValueError(f"a sequence has {longest} steps, at most {model.config.max_tokens} fit")
    ids = torch.nn.utils.rnn.pad_sequence(packed, batch_first=True)
    mask = ids != PAD
    mask[:, 0] = False
    nats = model(ids.to(model.device), mask.to(model.device)).cpu()
    return [-row for row in nats.split(mask.sum((1, 2)).tolist())]


def score_tokens(
    model: GPT, vocabulary: Vocabulary, voice: torch.Tensor, text: list[int], letters: list[int], codes: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Log P of the speech given the text, of the text given the speech, and of the text alone; <end> is included.

    Args:
        model: a network in eval mode.
        vocabulary: the model's.
        voice: codes of a clip by the speaker, [frames, groups].
        text: the text tokens of the speaking direction.
        letters: the text tokens of the listening direction.
        codes: the codes of the speech, [frames, groups].
    """
    sequences = (
        vocabulary.speak(voice, text, codes, 0.0),
        vocabulary.listen(codes, letters, 0.0),
        vocabulary.text_alone(letters),
    )
    speech, heard, alone = target_log_probabilities(model, sequences)
    return speech, heard, alone


def target_log_probabilities(model: GPT, sequences: Sequence[TokenSequence]) -> list[torch.Tensor]:
    """Log P of the tokens of each sequence that count fully as targets, nats."""
    rows = log_probabilities(model, [sequence.ids for sequence in sequences])
    return [nats[torch.tensor(sequence.weights[1:]) >= 1.0] for nats, sequence in zip(rows, sequences, strict=True)]


def heard(model: GPT, vocabulary: Vocabulary, letters: list[int], candidates: Sequence[torch.Tensor]) -> list[float]:
    """Mean log P(text | speech) over the letters, nats, of each of ``candidates`` (codes [frames, groups]) of one text.

    All candidates of a text have the same prior, so this ranks them as the flip score does. A candidate that is so long
    that the text does not fit behind it in the model's longest sequence gets minus infinity.
    """
    sequences = [vocabulary.listen(codes, letters, 0.0) for codes in candidates]
    longest = model.config.max_tokens
    fitting = [i for i, sequence in enumerate(sequences) if vocabulary.count_steps(sequence.ids) <= longest]
    scores = [float("-inf")] * len(sequences)
    if fitting:
        log_probs = target_log_probabilities(model, [sequences[i] for i in fitting])
        for i, nats in zip(fitting, log_probs, strict=True):
            scores[i] = float(nats.mean())
    return scores
