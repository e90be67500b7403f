"""Guidance of the GPT: codes are drawn away from those that it expects without text and voice.

Beside each row of a batch runs a deaf one. It stands after <speech> alone and takes the same codes, so it predicts what comes
after the sound so far, whatever was to be said. The difference between the two is what text and voice ask for, and guidance
takes more of it: l' = d + scale (l - d) for the logits l of the row and d of the deaf one (Ho and Salimans, "Classifier-free
diffusion guidance", 2022; for language models Sanchez et al., "Stay on topic with classifier-free guidance", 2023). The network
knows such speech from the sequences of kind 'listen' and 'speech'.

Only the choice among codes is guided. When to go on in the text stays as it is.
"""

import torch

from triforce_tts.sampling.nucleus import TokenSampling, guided
from triforce_tts.sampling.stepping import Stepper
from triforce_tts.sequences import END, SPEECH, Vocabulary

# The prompt of a deaf row.
DEAF = [SPEECH]


class GuidedStepper:
    """Makes the steps of the rows and of the deaf rows beside them; a state holds the rows first and then the deaf ones.

    Args:
        stepper: of a cache with twice as many rows; the second half has read ``DEAF``.
        vocabulary: of the network.
        last: the state [2 batch, dim] at the end of all prompts.
        scale: of the guidance.
    """

    def __init__(self, stepper: Stepper, vocabulary: Vocabulary, last: torch.Tensor, scale: float) -> None:
        self.stepper, self.vocabulary, self.scale = stepper, vocabulary, scale
        self.deaf = last.chunk(2)[1]
        self.at = torch.full((len(self.deaf),), len(DEAF), device=last.device)  # the next position of each deaf row

    def hidden(self, ids: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
        """The states [2 batch, dim] after the steps ``ids`` [batch, width] at ``positions`` [batch].

        A deaf row takes part only where the step holds codes. Elsewhere its step is <end>, which the next step overwrites.
        """
        first = ids[:, :1]
        is_code = (first >= self.vocabulary.code_offset) & (first < self.vocabulary.read)
        steps = torch.cat((ids, torch.where(is_code, ids, END)))
        row, deaf = self.stepper.hidden(steps, torch.cat((positions, self.at))).chunk(2)
        self.deaf, self.at = torch.where(is_code, deaf, self.deaf), self.at + is_code[:, 0]
        return torch.cat((row, self.deaf))

    def first_logits(self, state: torch.Tensor) -> torch.Tensor:
        """Guided logits [batch, n]. The codes of a group keep their share of the probability, so that the decision to go on does."""
        logits, deaf = self.stepper.first_logits(state).float().chunk(2)
        start, end = self.vocabulary.code_offset, min(self.vocabulary.read, logits.shape[1])
        shape = (len(logits), -1, self.vocabulary.config.n_codes)
        codes, expected = (some[:, start:end].reshape(shape) for some in (logits, deaf))
        moved = guided(codes, expected, self.scale)
        moved = moved + (codes.logsumexp(-1, keepdim=True) - moved.logsumexp(-1, keepdim=True))
        return torch.cat((logits[:, :start], moved.flatten(1), logits[:, end:]), 1)

    def whole(
        self, state: torch.Tensor, first: torch.Tensor, uniforms: torch.Tensor, sampling: TokenSampling
    ) -> torch.Tensor:
        """The steps [batch, width] that begin with the ids ``first`` [batch]."""
        return self.stepper.whole(state, first, uniforms, sampling)
