"""Drawing tokens from the GPT: our own loop over a preallocated cache, one uniform a row and step.

Each utterance draws from its own generator, so what is said does not depend on what else is in the batch.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from triforce_tts import bounds
from triforce_tts.models.gpt import GPT, KVCache
from triforce_tts.sequences import END, Vocabulary
from triforce_tts.text.pace import Hold


@dataclass(frozen=True)
class TokenSampling:
    """How tokens are drawn. ``temperature`` 0 takes the likeliest."""

    temperature: float = 0.4  # of codes; chosen on held-out synthetic texts (docs/decisions.md)
    top_p: float = 0.9

    def __post_init__(self) -> None:
        """Refuse numbers that no distribution can be drawn with."""
        bounds.TEMPERATURE.check("temperature", self.temperature)
        bounds.TOP_P.check("top_p", self.top_p)


def speech_grammar(vocabulary: Vocabulary) -> torch.Tensor:
    """Which ids may come next in speech, [groups, vocabulary] bool by position in the frame; <end> between frames."""
    allowed = torch.zeros(vocabulary.config.groups, vocabulary.size, dtype=torch.bool)
    for group in range(vocabulary.config.groups):
        first, last = vocabulary.group_range(group)
        allowed[group, first:last] = True
    allowed[0, END] = True
    return allowed


def text_grammar(vocabulary: Vocabulary) -> torch.Tensor:
    """Which ids may come next in text, [1, vocabulary] bool: any text token, or <end>."""
    allowed = torch.zeros(1, vocabulary.size, dtype=torch.bool)
    allowed[0, vocabulary.text_offset : vocabulary.code_offset] = True
    allowed[0, END] = True
    return allowed


class Cycle:
    """A grammar whose allowed ids [phases, vocabulary] bool come round with the steps, for all rows alike."""

    def __init__(self, allowed: torch.Tensor, device: torch.device) -> None:
        self.forbidden, self.step = ~allowed.to(device), 0

    def draw(self, logits: torch.Tensor, uniforms: torch.Tensor, sampling: TokenSampling) -> torch.Tensor:
        """The next id of each row, [batch], of ``logits`` [batch, vocabulary] by ``uniforms`` [batch]."""
        forbidden = self.forbidden[self.step % len(self.forbidden)]
        self.step += 1
        return pick(logits.masked_fill(forbidden, float("-inf")), uniforms, sampling)


class Reading:
    """A grammar for speech with its text in place: the next text token, and no other, may come between two frames.

    Whether to go on is decided first, by all the mass that the model gives to going on, at its own temperature of 1: a
    nucleus would weigh one way on against a thousand codes to stay, and hurry. Where to is known. A token that lasts
    ``longest`` frames is left by force: a reader who is stuck goes on. One that ``holds`` (of each text, a hold a token)
    names is not left before its frames have passed, nor does the speech end: a reader who hurries says it first.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        texts: Sequence[Sequence[int]],
        longest: int,
        holds: Sequence[Sequence[Hold]] | None = None,
    ) -> None:
        self.vocabulary, self.longest = vocabulary, longest
        self.waiting = [vocabulary.text_ids(text)[::-1] for text in texts]  # what is yet to be read, last first
        self.holds = [list(row)[::-1] for row in holds] if holds else [[Hold(True, 0)] * len(text) for text in texts]
        self.group = [0] * len(texts)
        self.frames = [0] * len(texts)  # since the last text token
        self.counted = [0] * len(texts)  # since the count of the hold began
        self.least = [0] * len(texts)  # of ``counted`` before the last text token is left

    def draw(self, logits: torch.Tensor, uniforms: torch.Tensor, sampling: TokenSampling) -> torch.Tensor:
        """The next id of each row, [batch], of ``logits`` [batch, vocabulary] by ``uniforms`` [batch]."""
        codes, rest = torch.full_like(logits, float("-inf")), uniforms.clone()
        on: dict[int, int] = {}  # row to the id that it goes on to
        for row, group in enumerate(self.group):
            first, last = self.vocabulary.group_range(group)
            codes[row, first:last] = logits[row, first:last]
            if group == 0:
                share = self._share_to_go_on(row, logits[row].float())
                if share > 0.5 if sampling.temperature == 0.0 else float(uniforms[row]) < share:
                    on[row] = self.waiting[row][-1] if self.waiting[row] else END
                else:
                    rest[row] = (uniforms[row] - share) / (1.0 - share) if share < 1.0 else 0.0
        ids = pick(codes, rest.clamp(0.0, 1.0), sampling)
        for row, token in on.items():
            ids[row] = token
        self._accept(on)
        return ids

    def _share_to_go_on(self, row: int, logits: torch.Tensor) -> float:
        if self.frames[row] >= self.longest:
            return 1.0
        if self.counted[row] < self.least[row]:
            return 0.0
        vocabulary = self.vocabulary
        onward = logits[vocabulary.text_offset : vocabulary.code_offset] if self.waiting[row] else logits[END : END + 1]
        first, last = vocabulary.group_range(0)
        return float(torch.sigmoid(onward.logsumexp(0) - logits[first:last].logsumexp(0)))

    def _accept(self, on: dict[int, int]) -> None:
        for row in range(len(self.group)):
            if row in on:
                self.frames[row] = 0
                if self.waiting[row]:
                    self.waiting[row].pop()
                    begins, self.least[row] = self.holds[row].pop()
                    self.counted[row] = 0 if begins else self.counted[row]
            else:
                self.group[row] = (self.group[row] + 1) % self.vocabulary.config.groups
                self.frames[row] += self.group[row] == 0
                self.counted[row] += self.group[row] == 0


def pick(logits: torch.Tensor, uniforms: torch.Tensor, sampling: TokenSampling) -> torch.Tensor:
    """One id a row, [batch] int64, from ``logits`` [batch, vocabulary] (-inf where forbidden).

    Nucleus sampling (Holtzman et al., 2020): the fewest likeliest ids that hold ``top_p`` of the mass, chosen by
    where ``uniforms`` [batch] fall in their cumulative sum.
    """
    if sampling.temperature == 0.0:
        return logits.argmax(dim=-1)
    probabilities, order = (logits.float() / sampling.temperature).softmax(dim=-1).sort(dim=-1, descending=True)
    before = probabilities.cumsum(dim=-1) - probabilities
    kept = torch.where(before < sampling.top_p, probabilities, 0.0)
    cumulative = kept.cumsum(dim=-1)
    target = uniforms[:, None] * cumulative[:, -1:]
    rank = (cumulative <= target).sum(dim=-1, keepdim=True).clamp_max(logits.shape[-1] - 1)
    # A uniform next to 1 may round past the nucleus: the last id inside it is meant.
    rank = torch.minimum(rank, (kept > 0).sum(dim=-1, keepdim=True) - 1)
    return order.gather(-1, rank).squeeze(-1)


@torch.inference_mode()
def generate(
    model: GPT,
    prompts: list[list[int]],
    grammar: torch.Tensor | Reading,
    limits: list[int],
    seeds: list[int],
    sampling: TokenSampling,
) -> list[list[int]]:
    """Continuations of ``prompts``, without <end>; each as long as its limit if it did not end by itself.

    Args:
        model: in eval mode.
        prompts: token ids, one list an utterance.
        grammar: allowed ids, [phases, vocabulary] bool, of which step n obeys row n % phases; or a new ``Reading``.
        limits: most new tokens of each utterance.
        seeds: the generator's seed of each utterance.
        sampling: temperature and nucleus.
    """
    device = model.model.embed_tokens.weight.device
    lengths = torch.tensor([len(prompt) for prompt in prompts])
    room = max(len(prompt) + limit for prompt, limit in zip(prompts, limits, strict=True))
    cache = KVCache(model.config, len(prompts), min(room, model.config.max_tokens), model.model.norm.weight)
    padded = torch.nn.utils.rnn.pad_sequence([torch.tensor(prompt) for prompt in prompts], batch_first=True)
    positions = torch.arange(padded.shape[1]).expand_as(padded)
    hidden = model.hidden(padded.to(device), positions.to(device), cache)
    last = hidden[torch.arange(len(prompts)), lengths - 1]
    uniforms = _uniforms(seeds, limits)
    rules = Cycle(grammar, device) if isinstance(grammar, torch.Tensor) else grammar
    outputs: list[list[int]] = [[] for _ in prompts]
    running = [True] * len(prompts)
    for step in range(min(max(limits), model.config.max_tokens - int(lengths.min()))):
        ids = rules.draw(model.logits(last), uniforms[:, step].to(device), sampling)
        for row, token in enumerate(ids.tolist()):
            full = len(outputs[row]) >= limits[row] or len(prompts[row]) + step >= model.config.max_tokens
            if token == END or full:
                running[row] = False
            if running[row]:
                outputs[row].append(token)
        if not any(running):
            break
        at = (lengths + step).clamp_max(cache.keys.shape[3] - 1)
        last = model.hidden(ids[:, None], at[:, None].to(device), cache)[:, 0]
    return outputs


def _uniforms(seeds: list[int], limits: list[int]) -> torch.Tensor:
    """Uniforms [batch, max(limits)]; a row depends on its seed and limit alone."""
    rows = torch.zeros(len(seeds), max(limits))
    for row, (seed, limit) in enumerate(zip(seeds, limits, strict=True)):
        rows[row, :limit] = torch.rand(limit, generator=torch.Generator().manual_seed(seed))
    return rows
