"""Drawing tokens from the GPT: a loop over a preallocated cache, with one uniform number for each row and id of a step.

Each utterance draws from its own generator, so what is said does not depend on what else is in the batch. All state of
a step is tensors on the model's device: the host never waits for the device inside a step.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch.nn import functional as F

from triforce_tts import bounds
from triforce_tts.models.frame_gpt import FrameGPT
from triforce_tts.models.gpt import GPT, KVCache
from triforce_tts.sequences import END, PAD, Vocabulary
from triforce_tts.text.pace import Hold

_STEPS_BETWEEN_LOOKS = 16  # on an accelerator: a look costs a wait, and up to 15 steps too many cost less


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
    """The ids that may come first in a step of speech, [steps of a frame, vocabulary] bool; <end> between frames."""
    allowed = torch.zeros(vocabulary.frame_steps, vocabulary.size, dtype=torch.bool)
    for group in range(vocabulary.frame_steps):
        first, last = vocabulary.group_range(group)
        allowed[group, first:last] = True
    allowed[0, END] = True
    return allowed


def text_grammar(vocabulary: Vocabulary) -> torch.Tensor:
    """The ids that may come next in text, [1, vocabulary] bool: any text token, or <end>."""
    allowed = torch.zeros(1, vocabulary.size, dtype=torch.bool)
    allowed[0, vocabulary.text_offset : vocabulary.code_offset] = True
    allowed[0, END] = True
    return allowed


class Cycle:
    """A grammar that repeats: step n of every row obeys row n % phases of ``allowed`` [phases, vocabulary] bool."""

    def __init__(self, allowed: torch.Tensor, device: torch.device) -> None:
        self.forbidden, self.step = ~allowed.to(device), 0

    def draw(self, logits: torch.Tensor, uniforms: torch.Tensor, sampling: TokenSampling) -> torch.Tensor:
        """The first id of each row's next step, [batch], of ``logits`` [batch, vocabulary] by ``uniforms`` [batch]."""
        forbidden = self.forbidden[self.step % len(self.forbidden)]
        self.step += 1
        return pick(logits.masked_fill(forbidden, float("-inf")), uniforms, sampling)


class Reading:
    """A grammar for speech with its text in place: between two frames only the next text token may come.

    Before each frame one decision comes first: does the reader go on to the next text token? Its probability is the
    share of all text tokens together, at a temperature of 1. A nucleus would compare the one next token with a thousand
    codes, and the reader would hurry. Which token comes next is known.

    A reader who stays at one token for ``longest`` frames must go on. A token of ``holds`` (one list of holds for each
    text, one hold for each token) must last as long as its hold says before the reader may go on or end.

    Args:
        vocabulary: of the model; it has text in place.
        texts: text tokens of each row.
        longest: frames after which a token is left.
        holds: of each row, one for each text token; without them nothing is held.
        device: of the logits that are drawn from.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        texts: Sequence[Sequence[int]],
        longest: int,
        holds: Sequence[Sequence[Hold]] | None = None,
        device: torch.device | str = "cpu",
    ) -> None:
        self.vocabulary, self.longest = vocabulary, longest
        rows = holds or [[Hold(True, 0)] * len(text) for text in texts]
        # The tables have one column more than the longest text has tokens: after its last token a row waits for <end>.
        self.due = _table([vocabulary.text_ids(text) for text in texts], END, device)
        self.begins = _table([[hold.begins for hold in row] for row in rows], False, device)
        self.holds = _table([[hold.frames for hold in row] for row in rows], 0, device)
        self.texts = torch.tensor([len(text) for text in texts], device=device)  # tokens of each row's text
        self.place = torch.zeros_like(self.texts)  # text tokens that were read
        self.group = torch.zeros_like(self.texts)  # of the code that comes next: steps of the frame so far
        self.frames = torch.zeros_like(self.texts)  # since the last text token
        self.counted = torch.zeros_like(self.texts)  # frames since the count of the hold began
        self.least = torch.zeros_like(self.texts)  # frames to count before the last text token may be left
        shape = (vocabulary.frame_steps, vocabulary.size)
        self.forbidden = torch.ones(shape, dtype=torch.bool, device=device)  # by group: all but its own codes
        for group in range(vocabulary.frame_steps):
            first, last = vocabulary.group_range(group)
            self.forbidden[group, first:last] = False

    def draw(self, logits: torch.Tensor, uniforms: torch.Tensor, sampling: TokenSampling) -> torch.Tensor:
        """The first id of each row's next step, [batch], of ``logits`` [batch, vocabulary] by ``uniforms`` [batch]."""
        between = self.group == 0
        share = self._share_to_go_on(logits.float())
        on = between & ((share > 0.5) if sampling.temperature == 0.0 else (uniforms < share))
        # A row that stays has used the part of its uniform below the share; what is left is uniform again.
        left = torch.where(share < 1.0, (uniforms - share) / (1.0 - share), 0.0)
        codes = logits.masked_fill(self.forbidden[self.group], float("-inf"))
        stay = pick(codes, torch.where(between, left, uniforms).clamp(0.0, 1.0), sampling)
        ids = torch.where(on, self._at_place(self.due), stay)
        self._accept(on)
        return ids

    def _share_to_go_on(self, logits: torch.Tensor) -> torch.Tensor:
        """The probability [batch] that each row goes on, if it stands between two frames."""
        vocabulary = self.vocabulary
        text = logits[:, vocabulary.text_offset : vocabulary.code_offset].logsumexp(-1)
        onward = torch.where(self.place < self.texts, text, logits[:, END])
        first, last = vocabulary.group_range(0)
        share = torch.sigmoid(onward - logits[:, first:last].logsumexp(-1))
        share = torch.where(self.counted < self.least, 0.0, share)
        return torch.where(self.frames >= self.longest, 1.0, share)

    def _accept(self, on: torch.Tensor) -> None:
        """Move every row's state: rows that go ``on`` [batch] have read a text token or <end>, others drew a code."""
        reads = on & (self.place < self.texts)
        self.group = torch.where(on, 0, (self.group + 1) % self.vocabulary.frame_steps)
        full = ~on & (self.group == 0)  # rows whose frame is complete
        self.frames = torch.where(on, 0, self.frames + full)
        self.counted = torch.where(reads & self._at_place(self.begins), 0, self.counted + full)
        self.least = torch.where(reads, self._at_place(self.holds), self.least)
        self.place = self.place + reads

    def _at_place(self, table: torch.Tensor) -> torch.Tensor:
        """The entry [batch] of ``table`` [batch, longest text + 1] where each row stands."""
        return table.gather(1, self.place[:, None])[:, 0]


def _table(rows: Sequence[Sequence[int]], filler: int, device: torch.device | str) -> torch.Tensor:
    """``rows`` as one tensor [rows, longest + 1], filled up with at least one ``filler`` each."""
    width = max(map(len, rows)) + 1
    return torch.tensor([[*row, *[filler] * (width - len(row))] for row in rows], device=device)


def pick(logits: torch.Tensor, uniforms: torch.Tensor, sampling: TokenSampling) -> torch.Tensor:
    """One id a row, [batch] int64, from ``logits`` [batch, vocabulary] (-inf where forbidden).

    Nucleus sampling (Holtzman et al., 2020): the fewest likeliest ids that hold ``top_p`` of the mass, chosen by
    where ``uniforms`` [batch] fall in their cumulative sum.
    """
    if sampling.temperature == 0.0:
        return logits.argmax(dim=-1)
    probabilities, order = (logits.float() / sampling.temperature).softmax(dim=-1).sort(dim=-1, descending=True)
    before = probabilities.cumsum(dim=-1) - probabilities
    nucleus = torch.where(before < sampling.top_p, probabilities, 0.0)
    cumulative = nucleus.cumsum(dim=-1)
    target = uniforms[:, None] * cumulative[:, -1:]
    rank = (cumulative <= target).sum(dim=-1, keepdim=True).clamp_max(logits.shape[-1] - 1)
    # A uniform next to 1 may be rounded past the nucleus; it then means the last id inside.
    rank = torch.minimum(rank, (nucleus > 0).sum(dim=-1, keepdim=True) - 1)
    return order.gather(-1, rank).squeeze(-1)


@torch.inference_mode()
def generate(
    model: GPT,
    prompts: list[list[int]],
    grammar: torch.Tensor | Reading,
    limits: list[int],
    seeds: list[int],
    sampling: TokenSampling,
    look_every: int | None = None,
    prompt_steps: int | None = None,
) -> list[list[int]]:
    """Continuations of ``prompts``, without <end>; each as long as its limit if it did not end by itself.

    A row that has ended draws on until all have; what it draws then is dropped. So the result does not depend on
    ``look_every``, which only says how soon the loop notices that it is done.

    Args:
        model: in eval mode.
        prompts: token ids, one list an utterance.
        grammar: allowed ids, [phases, vocabulary] bool, of which step n obeys row n % phases; or a new ``Reading`` on
            the model's device. It rules over the first id of each step.
        limits: most new steps of each utterance.
        seeds: the generator's seed of each utterance.
        sampling: temperature and nucleus.
        look_every: steps after which the host asks the device whether all rows have ended; by default 1 on a CPU,
            where asking is free, and 16 elsewhere.
        prompt_steps: no prompt has more steps. With it each prompt is read by itself, and the shapes of all other
            products depend on it and on the number of rows alone. So the last bits of a row do not depend on the
            other rows.
    """
    device, longest = model.device, model.config.max_tokens
    packed = [model.pack(prompt) for prompt in prompts]
    rooms = [min(limit, longest - len(prompt)) for prompt, limit in zip(packed, limits, strict=True)]
    steps = max(0, *rooms)
    look_every = look_every or (1 if device.type == "cpu" else _STEPS_BETWEEN_LOOKS)
    if prompt_steps is None:
        cache, last = _read_prompts(model, packed, max(map(sum, zip(map(len, packed), limits, strict=True))))
    else:
        cache, last = _read_one_by_one(model, packed, prompt_steps, prompt_steps + max(limits))
    ends = torch.tensor([len(prompt) for prompt in packed], device=device)
    open_until, running = torch.tensor(rooms, device=device), torch.ones_like(ends, dtype=torch.bool)
    uniforms = _uniforms(seeds, limits, model.width).to(device)
    rules = Cycle(grammar, device) if isinstance(grammar, torch.Tensor) else grammar
    drawn = torch.full((len(prompts), steps, model.width), END, device=device)
    for step in range(steps):
        if step:
            at = (ends + (step - 1)).clamp_max(cache.max_tokens - 1)
            last = model.hidden(drawn[:, step - 1 : step], at[:, None], cache)[:, 0]
        first = rules.draw(model.logits(last), uniforms[:, step, 0], sampling)
        drawn[:, step] = _whole_step(model, last, first, uniforms[:, step, 1:], sampling)
        running = running & (first != END) & (open_until > step + 1)
        if (step + 1) % look_every == 0 and not bool(running.any()):
            break
    return _until_end(drawn, rooms)


def _whole_step(
    model: GPT, state: torch.Tensor, first: torch.Tensor, uniforms: torch.Tensor, sampling: TokenSampling
) -> torch.Tensor:
    """The steps [batch, width] that begin with the ids ``first`` [batch]: a frame gets its other codes."""
    if not isinstance(model, FrameGPT):
        return first[:, None]
    start, end = model.vocabulary.group_range(0)
    is_frame = ((first >= start) & (first < end))[:, None]
    ids = first[:, None]
    if first.device.type == "cpu" and not bool(is_frame.any()):  # a CPU has computed it already: asking costs nothing
        return F.pad(ids, (0, model.width - 1), value=PAD)
    for group in range(1, model.width):
        code = pick(model.code_logits(state, ids), uniforms[:, group - 1], sampling)
        ids = torch.cat((ids, code[:, None] + model.vocabulary.group_range(group)[0]), 1)
    return torch.cat((ids[:, :1], torch.where(is_frame, ids[:, 1:], PAD)), 1)


def _read_prompts(model: GPT, prompts: Sequence[torch.Tensor], room: int) -> tuple[KVCache, torch.Tensor]:
    """A cache for ``room`` positions that holds the prompts, and the hidden state [batch, dim] at the end of each."""
    lengths = torch.tensor([len(prompt) for prompt in prompts])
    cache = KVCache(model.config, len(prompts), min(room, model.config.max_tokens), model.model.norm.weight)
    padded = torch.nn.utils.rnn.pad_sequence(list(prompts), batch_first=True)
    positions = torch.arange(padded.shape[1]).expand(padded.shape[:2])
    hidden = model.hidden(padded.to(model.device), positions.to(model.device), cache)
    return cache, hidden[torch.arange(len(prompts)), lengths - 1]


def _read_one_by_one(
    model: GPT, prompts: Sequence[torch.Tensor], prompt_steps: int, room: int
) -> tuple[KVCache, torch.Tensor]:
    """As ``_read_prompts``; a step sees ``prompt_steps`` positions and those of the steps so far, whatever the prompts."""
    cache = KVCache(model.config, len(prompts), min(room, model.config.max_tokens), model.model.norm.weight)
    states = []
    for row, prompt in enumerate(prompts):
        own, state = _read_prompts(model, [prompt], len(prompt))
        cache.keys[:, row, :, : len(prompt)] = own.keys[:, 0]
        cache.values[:, row, :, : len(prompt)] = own.values[:, 0]
        states.append(state)
    cache.advance(prompt_steps)
    return cache, torch.cat(states)


def _until_end(drawn: torch.Tensor, rooms: list[int]) -> list[list[int]]:
    """The ids of each row of ``drawn`` [batch, steps, width] before its first <end>, of at most its room of steps."""
    rows = [
        [i for ids in row[: max(0, room)] for i in ids if i != PAD]
        for row, room in zip(drawn.tolist(), rooms, strict=True)
    ]
    return [row[: row.index(END)] if END in row else row for row in rows]


def _uniforms(seeds: list[int], limits: list[int], width: int) -> torch.Tensor:
    """Uniforms [batch, max(limits), width]; a row depends on its seed and limit alone."""
    rows = torch.zeros(len(seeds), max(limits), width)
    for row, (seed, limit) in enumerate(zip(seeds, limits, strict=True)):
        rows[row, :limit] = torch.rand(limit, width, generator=torch.Generator().manual_seed(seed))
    return rows
