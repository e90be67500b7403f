"""Drawing tokens from the GPT: a loop over a preallocated cache, with one uniform number for each row and id of a step.

Each utterance draws from its own generator, so what is said does not depend on what else is in the batch. All state of
a step is tensors on the model's device: the host never waits for the device inside a step.
"""

from collections.abc import Generator, Sequence
from typing import NamedTuple

import torch

from triforce_tts import native
from triforce_tts.errors import ConfigError
from triforce_tts.models.gpt import GPT, KVCache
from triforce_tts.sampling.guidance import UNCONDITIONAL, GuidedStepper
from triforce_tts.sampling.nucleus import TokenSampling, pick
from triforce_tts.sampling.stepping import make_stepper
from triforce_tts.sequences import END, PAD, Vocabulary
from triforce_tts.text.pace import Hold

# An accelerator is asked whether all rows have ended only after so many steps: asking means waiting, which costs more
# than up to 15 extra steps.
_STEPS_BETWEEN_LOOKS = 16


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
        """The first id of each row's next step, [batch], of ``logits`` [batch, n] of the first n ids by ``uniforms`` [batch]."""
        forbidden = self.forbidden[self.step % len(self.forbidden), : logits.shape[1]]
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
        urge: added to the logit of the decision to go on: above 0 the reader is faster, below 0 slower.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        texts: Sequence[Sequence[int]],
        longest: int,
        holds: Sequence[Sequence[Hold]] | None = None,
        device: torch.device | str = "cpu",
        urge: float = 0.0,
    ) -> None:
        self.vocabulary, self.longest, self.urge = vocabulary, longest, urge
        rows = holds or [[Hold(True, 0)] * len(text) for text in texts]
        # The tables have one more column than the longest text has tokens, because after its last token a row waits for
        # <end>.
        self.due = _table([vocabulary.text_ids(text) for text in texts], END, device)
        self.begins = _table([[hold.begins for hold in row] for row in rows], False, device)
        self.holds = _table([[hold.frames for hold in row] for row in rows], 0, device)
        # the number of tokens of each row's text
        self.texts = torch.tensor([len(text) for text in texts], device=device)
        self.place = torch.zeros_like(self.texts)  # the number of text tokens that were read
        # the group of the next code, which is the number of steps of the frame so far
        self.group = torch.zeros_like(self.texts)
        self.frames = torch.zeros_like(self.texts)  # the frames since the last text token
        self.counted = torch.zeros_like(self.texts)  # the frames since the count of the hold began
        self.least = torch.zeros_like(self.texts)  # the frames that must pass before the last text token may be left
        shape = (vocabulary.frame_steps, vocabulary.size)
        # the ids that each group forbids: all but its own codes
        self.forbidden = torch.ones(shape, dtype=torch.bool, device=device)
        for group in range(vocabulary.frame_steps):
            first, last = vocabulary.group_range(group)
            self.forbidden[group, first:last] = False

    def draw(self, logits: torch.Tensor, uniforms: torch.Tensor, sampling: TokenSampling) -> torch.Tensor:
        """The first id of each row's next step, [batch], of ``logits`` [batch, n] of the first n ids by ``uniforms`` [batch]."""
        if logits.device.type == "cpu" and logits.dtype == torch.float32 and native.available():
            return self._draw_natively(logits, uniforms, sampling)
        between = self.group == 0
        share = self._share_to_go_on(logits.float())
        on = between & ((share > 0.5) if sampling.temperature == 0.0 else (uniforms < share))
        # A row that stays has a uniform number above the share that it needed for that. The rest, scaled, is uniform
        # again.
        left = torch.where(share < 1.0, (uniforms - share) / (1.0 - share), 0.0)
        codes = logits.masked_fill(self.forbidden[self.group, : logits.shape[1]], float("-inf"))
        stay = pick(codes, torch.where(between, left, uniforms).clamp(0.0, 1.0), sampling)
        ids = torch.where(on, self._at_place(self.due), stay)
        self._accept(on)
        return ids

    def _draw_natively(self, logits: torch.Tensor, uniforms: torch.Tensor, sampling: TokenSampling) -> torch.Tensor:
        """``draw`` by one native operator: sixty small ones take a third of the time of a step."""
        vocabulary = self.vocabulary
        ids: torch.Tensor = torch.ops.triforce_tts.reading_step(
            logits, uniforms, self.place, self.group, self.frames, self.counted, self.least, self.texts, self.due,
            self.begins, self.holds, self.longest, self.urge, vocabulary.text_offset, vocabulary.code_offset,
            vocabulary.config.n_codes, vocabulary.frame_steps, END, sampling.temperature, sampling.top_p,
        )  # fmt: skip
        return ids

    def _share_to_go_on(self, logits: torch.Tensor) -> torch.Tensor:
        """The probability [batch] that each row goes on, if it stands between two frames."""
        vocabulary = self.vocabulary
        text = logits[:, vocabulary.text_offset : vocabulary.code_offset].logsumexp(-1)
        onward = torch.where(self.place < self.texts, text, logits[:, END])
        first, last = vocabulary.group_range(0)
        share = torch.sigmoid(onward - logits[:, first:last].logsumexp(-1) + self.urge)
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
    """``rows`` as one tensor [rows, longest + 1]; each row is padded with at least one ``filler``."""
    width = max(map(len, rows)) + 1
    return torch.tensor([[*row, *[filler] * (width - len(row))] for row in rows], device=device)


class Shape(NamedTuple):
    """The sizes that the tensors of a batch have, whatever stands in it."""

    prompt_steps: int  # no prompt has more steps
    room: int  # no prompt and its new steps are more together


class Step(NamedTuple):
    """The ids that one step of ``draw_steps`` drew."""

    ids: torch.Tensor  # [batch, width]; a row that ended before this step has <end> here
    running: torch.Tensor  # [batch] bool: the rows that have not ended


def generate(
    model: GPT,
    prompts: list[list[int]],
    grammar: torch.Tensor | Reading,
    limits: list[int],
    seeds: list[int],
    sampling: TokenSampling,
    look_every: int | None = None,
    shape: Shape | None = None,
) -> list[list[int]]:
    """Continuations of ``prompts``, without <end>; each as long as its limit if it did not end by itself.

    The result does not depend on ``look_every``, which only says how soon the loop notices that it is done.

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
        shape: with it each prompt is read by itself, and the sizes of all other products depend on it and on the
            number of rows alone. So the last bits of a row do not depend on the other rows.
    """
    look_every = look_every or (1 if model.device.type == "cpu" else _STEPS_BETWEEN_LOOKS)
    drawn: list[torch.Tensor] = []
    for step in draw_steps(model, prompts, grammar, limits, seeds, sampling, shape):
        drawn.append(step.ids)
        if len(drawn) % look_every == 0 and not bool(step.running.any()):
            break
    return _until_end(torch.stack(drawn, 1)) if drawn else [[] for _ in prompts]


@torch.inference_mode()
def draw_steps(
    model: GPT,
    prompts: list[list[int]],
    grammar: torch.Tensor | Reading,
    limits: list[int],
    seeds: list[int],
    sampling: TokenSampling,
    shape: Shape | None = None,
) -> Generator[Step, None, None]:
    """The steps that continue ``prompts``, one after another, as many as the longest row has room for.

    A row that has ended draws <end> from then on. The caller stops when no row is running any more.
    The arguments are those of ``generate``. Nothing here waits for the device.

    Raises:
        ConfigError: guidance, and a grammar that is no ``Reading``.
    """
    is_guided = sampling.guidance != 1.0
    if is_guided and not isinstance(grammar, Reading):
        raise ConfigError(
            f"guidance {sampling.guidance:g} of stage 2: only speech with its text in place is guided; use 1"
        )
    device, longest = model.device, model.config.max_tokens
    packed = [model.pack(prompt) for prompt in prompts]
    rows = [*prompts, *[UNCONDITIONAL] * len(prompts)] if is_guided else prompts
    packed_rows = packed + [model.pack(row) for row in rows[len(prompts) :]]
    rooms = [min(limit, longest - len(prompt)) for prompt, limit in zip(packed, limits, strict=True)]
    longest_row = max(map(sum, zip(map(len, packed), limits, strict=True)))
    room = longest_row if shape is None else shape.room
    cache, last = _read_prompts(model, rows, packed_rows, room, None if shape is None else shape.prompt_steps)
    ends, open_until = (torch.tensor(row, device=device) for row in (list(map(len, packed)), rooms))
    uniforms = _uniforms(seeds, limits, model.width).to(device)
    rules = Cycle(grammar, device) if isinstance(grammar, torch.Tensor) else grammar
    running, ids, stepper = open_until > 0, torch.zeros(0), make_stepper(model, cache)
    if is_guided and isinstance(rules, Reading):
        stepper = GuidedStepper(stepper, rules.vocabulary, last, sampling.guidance)
    for step in range(max(0, *rooms)):
        if step:
            last = stepper.hidden(ids, (ends + (step - 1)).clamp_max(cache.max_tokens - 1))
        drawn = rules.draw(stepper.first_logits(last), uniforms[:, step, 0], sampling)
        first = torch.where(running, drawn, END)
        ids = stepper.whole(last, first, uniforms[:, step, 1:], sampling)
        running = running & (first != END) & (open_until > step + 1)
        yield Step(ids, running)


def _read_prompts(
    model: GPT, prompts: Sequence[Sequence[int]], packed: Sequence[torch.Tensor], room: int, prompt_steps: int | None
) -> tuple[KVCache, torch.Tensor]:
    """A cache for ``room`` positions that holds the prompts, and the hidden state [batch, dim] at the end of each.

    Equal prompts, those of the candidates of a line, are read once. A CPU reads one prompt after another: that takes as
    long as all at once, and the rounding of a row then does not depend on the rows beside it. With ``prompt_steps`` every
    device does so, and a step sees so many positions and those of the steps so far, whatever the prompts.
    """
    cache = KVCache(model.config, len(prompts), min(room, model.config.max_tokens), model.model.norm.weight)
    firsts = [prompts.index(prompt) for prompt in prompts]
    unique = sorted(set(firsts))
    groups = [[row] for row in unique] if model.device.type == "cpu" or prompt_steps else [unique]
    last = torch.empty(len(prompts), model.config.dim, device=model.device, dtype=model.dtype)
    for group in groups:
        places = {first: place for place, first in enumerate(group)}
        rows = [row for row, first in enumerate(firsts) if first in places]
        states, part = _read_together(model, [packed[first] for first in group])
        chosen = torch.tensor([places[firsts[row]] for row in rows])
        last[rows] = states[chosen]
        cache.keys[:, rows, :, : part.used] = part.keys[:, chosen]
        cache.values[:, rows, :, : part.used] = part.values[:, chosen]
    cache.used = prompt_steps or max(map(len, packed))
    return cache, last


def _read_together(model: GPT, prompts: Sequence[torch.Tensor]) -> tuple[torch.Tensor, KVCache]:
    """The hidden state [prompts, dim] at the end of each prompt [steps, width], and a cache that holds the prompts."""
    lengths = torch.tensor([len(prompt) for prompt in prompts])
    padded = torch.nn.utils.rnn.pad_sequence(list(prompts), batch_first=True)
    positions = torch.arange(padded.shape[1]).expand(padded.shape[:2])
    part = KVCache(model.config, len(prompts), padded.shape[1], model.model.norm.weight)
    hidden = model.hidden(padded.to(model.device), positions.to(model.device), part)
    return hidden[torch.arange(len(prompts)), lengths - 1], part


def _until_end(drawn: torch.Tensor) -> list[list[int]]:
    """The ids of each row of ``drawn`` [batch, steps, width] before its first <end>."""
    rows = [[i for ids in row for i in ids if i != PAD] for row in drawn.tolist()]
    return [row[: row.index(END)] if END in row else row for row in rows]


def _uniforms(seeds: list[int], limits: list[int], width: int) -> torch.Tensor:
    """Uniforms [batch, max(limits), width]; a row depends on its seed and limit alone."""
    rows = torch.zeros(len(seeds), max(limits), width)
    for row, (seed, limit) in enumerate(zip(seeds, limits, strict=True)):
        rows[row, :limit] = torch.rand(limit, width, generator=torch.Generator().manual_seed(seed))
    return rows
