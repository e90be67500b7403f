"""Classifier-free guidance of the GPT: codes are drawn away from those that it expects without text and voice.

Beside each row of a batch runs an unconditional row. It stands after <speech> alone and takes the same codes, so it
predicts what follows the sound so far, whatever is to be said. What the two predict differently is due to text and voice,
and guidance takes more of it: l' = u + scale (l - u), where l are the logits of the row and u those of the unconditional
row (Ho and Salimans, "Classifier-free diffusion guidance", 2022; for language models Sanchez et al., "Stay on topic with
classifier-free guidance", 2023). The network knows speech without text from the sequences 'listen' and 'speech'.

Only the choice among codes is guided. The decision to go on in the text is not, so the pace stays as it is.
"""

import torch

from triforce_tts.sampling.nucleus import TokenSampling, guided
from triforce_tts.sampling.stepping import Stepper
from triforce_tts.sequences import END, SPEECH, Vocabulary

# The prompt of an unconditional row.
UNCONDITIONAL = [SPEECH]


class GuidedStepper:
    """Makes the steps of rows and of their unconditional rows. A state holds the rows first, then the unconditional ones.

    Args:
        stepper: of a cache with twice as many rows; the second half has read ``UNCONDITIONAL``.
        vocabulary: of the network.
        last: the state [2 batch, dim] at the end of all prompts.
        scale: of the guidance.
    """

    def __init__(self, stepper: Stepper, vocabulary: Vocabulary, last: torch.Tensor, scale: float) -> None:
        self.stepper, self.vocabulary, self.scale = stepper, vocabulary, scale
        self.without = last.chunk(2)[1]  # the states of the unconditional rows
        # The next position of each unconditional row, which has fewer steps than its row.
        self.places = torch.full((len(self.without),), len(UNCONDITIONAL), device=last.device)

    def hidden(self, ids: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
        """The states [2 batch, dim] after the steps ``ids`` [batch, width] at ``positions`` [batch].

        An unconditional row takes part only if the step holds codes. Otherwise its step is <end>, its state stays, and its
        next step overwrites what <end> left in the cache.
        """
        first = ids[:, :1]
        is_code = (first >= self.vocabulary.code_offset) & (first < self.vocabulary.read)
        steps = torch.cat((ids, torch.where(is_code, ids, END)))
        states, without = self.stepper.hidden(steps, torch.cat((positions, self.places))).chunk(2)
        self.without, self.places = torch.where(is_code, without, self.without), self.places + is_code[:, 0]
        return torch.cat((states, self.without))

    def first_logits(self, state: torch.Tensor) -> torch.Tensor:
        """Guided logits [batch, n]. The codes of a group keep their probability together, so the decision to go on stays."""
        logits, without = self.stepper.first_logits(state).float().chunk(2)
        start, end = self.vocabulary.code_offset, min(self.vocabulary.read, logits.shape[1])
        shape = (len(logits), -1, self.vocabulary.config.n_codes)
        codes, expected = (some[:, start:end].reshape(shape) for some in (logits, without))
        moved = guided(codes, expected, self.scale)
        moved = moved + (codes.logsumexp(-1, keepdim=True) - moved.logsumexp(-1, keepdim=True))
        return torch.cat((logits[:, :start], moved.flatten(1), logits[:, end:]), 1)

    def whole(
        self, state: torch.Tensor, first: torch.Tensor, uniforms: torch.Tensor, sampling: TokenSampling
    ) -> torch.Tensor:
        """The steps [batch, width] that begin with the ids ``first`` [batch]; ``sampling`` holds the same guidance."""
        return self.stepper.whole(state, first, uniforms, sampling)
