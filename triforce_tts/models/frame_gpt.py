"""The GPT whose steps are frames: one step of the Llama for each frame, and a head for the codes inside the frame.

A step's input is the sum of the embeddings of all codes of a frame. The Llama's output predicts the first id of the next
step: a text token, <end>, or the first code of a frame. The head then draws the other codes of that frame one after
another, each given those before it. The Llama makes so many fewer steps for a second of speech as a frame has codes.
Moshi (Defossez et al., 2024) and RQ-Transformer (Lee et al., 2022) are built like that; their heads are transformers
over the codes of a frame. With few codes a small network of its own for each code does the same in less time.
"""

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional as F

from triforce_tts.models.gpt import GPT, GPTConfig, HeadConfig, RMSNorm, SwiGLU, initialise
from triforce_tts.sequences import PAD, Vocabulary


class CodeHead(nn.Module):
    """The state from which one code of a frame is predicted: a residual network of SwiGLUs.

    Its input is the Llama's state and the sum of the embeddings of the frame's codes so far.
    """

    def __init__(self, config: GPTConfig, sizes: HeadConfig) -> None:
        super().__init__()
        self.state_proj = nn.Linear(config.dim, config.dim, bias=False)
        self.code_norm = RMSNorm(config.dim, config.norm_eps)
        self.code_proj = nn.Linear(config.dim, config.dim, bias=False)
        self.norms = nn.ModuleList(RMSNorm(config.dim, config.norm_eps) for _ in range(sizes.layers))
        self.layers = nn.ModuleList(SwiGLU(config.dim, sizes.hidden) for _ in range(sizes.layers))
        self.norm = RMSNorm(config.dim, config.norm_eps)

    def forward(self, state: torch.Tensor, codes: torch.Tensor) -> torch.Tensor:
        """[..., dim] of the Llama's ``state`` [..., dim] and the summed embeddings ``codes`` [..., dim]."""
        x = self.state_proj(state) + self.code_proj(self.code_norm(codes))
        for norm, layer in zip(self.norms, self.layers, strict=True):
            x = x + layer(norm(x))
        out: torch.Tensor = self.norm(x)
        return out


class FrameGPT(GPT):
    """A GPT whose steps are frames and text tokens.

    Args:
        config: the sizes, with those of a head.
        vocabulary: a vocabulary whose steps are frames of two or more codes.

    Raises:
        ValueError: there is no head, or the steps of the vocabulary are not frames of two or more codes.
    """

    def __init__(self, config: GPTConfig, vocabulary: Vocabulary) -> None:
        if config.head is None or vocabulary.width < 2:
            raise ValueError("a GPT by frames needs sizes of a head, and a vocabulary by frames of two or more codes")
        super().__init__(config, vocabulary.size)
        self.vocabulary, self.width = vocabulary, vocabulary.width
        self.head = nn.ModuleList(CodeHead(config, config.head) for _ in range(1, self.width))
        self.head.apply(initialise)

    def pack(self, ids: Sequence[int]) -> torch.Tensor:
        """The steps [steps, width] of a sequence of ids; see ``Vocabulary.pack``."""
        return self.vocabulary.pack(ids)

    @property
    def first_ids(self) -> int:
        """The number of ids, from 0, that hold all that can come first in a step: only the first codes of frames."""
        return self.vocabulary.group_range(0)[1]

    def code_logits(self, state: torch.Tensor, before: torch.Tensor) -> torch.Tensor:
        """Logits [n, codes] of the next code of a frame.

        Args:
            state: the hidden state of the step before the frame, [n, dim].
            before: ids of the codes of the frame so far, [n, 1 to width - 1].
        """
        group, table = before.shape[1], self.model.embed_tokens
        first, last = self.vocabulary.group_range(group)
        return F.linear(self.head[group - 1](state, table(before).sum(1)), table.weight[first:last])

    def _nats(self, hidden: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """-log P [n, width] of the steps ``targets`` [n, width] after hidden states [n, dim]; 0 of PAD."""
        first = super()._nats(hidden, targets)
        frames = targets[:, 1] != PAD
        hidden, codes = hidden[frames], targets[frames]
        nats = [
            F.cross_entropy(
                self.code_logits(hidden, codes[:, :group]).float(),
                codes[:, group] - self.vocabulary.group_range(group)[0],
                reduction="none",
            )
            for group in range(1, self.width)
        ]
        others = first.new_zeros(len(targets), self.width - 1)
        others[frames] = torch.stack(nats, 1)
        return torch.cat((first, others), 1)


def make_gpt(config: GPTConfig, vocabulary: Vocabulary) -> GPT:
    """A new network of these sizes: a ``FrameGPT`` if there is a head, else a ``GPT``."""
    return GPT(config, vocabulary.size) if config.head is None else FrameGPT(config, vocabulary)
