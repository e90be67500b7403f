"""One vocabulary and the kinds of sequence that the GPT learns. "Throw anything into the sequence."

    <voice> codes of another clip <text> t1..tm <speech> s1..sn <end>     speak
    <voice> codes of another clip <text> t1..tm <read> t1 s.. t2 s.. ... tm s.. <end>     read
    <speech> s1..sn <text> t1..tm <end>                                   listen (the flip)
    <speech> s1..sn <end>                                                 speech alone
    <text> t1..tm <end>                                                   text alone

The text tokens are normalised letters and phonemes where the text is spoken, and lower-case letters alone where it is
listened to. The codes of a frame follow each other, group after group, and each group has ids of its own.

If it is known when each symbol is spoken, the speech is "read": every text token comes once more, right before the
codes that say it (after ELLA-V, Song et al., 2024). The network then always has the next symbol beside its sound, and
sampling can force the order of the text, so that no word is skipped or said twice.

A network that goes by frames takes all codes of a frame in one step. Its sequences have the same ids in the same order;
``Vocabulary.pack`` lays them out as the steps of the network.

This file is the only place that knows token ids.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import torch
from pydantic import Field

from triforce_tts.schema import Config, Layers, Width

PAD, VOICE, TEXT, SPEECH, END = range(5)
N_SPECIAL = 5


class VocabularyConfig(Config):
    """Sizes of the three parts of the vocabulary."""

    n_text: Width  # number of text tokens
    n_codes: Annotated[int, Field(ge=1, le=1 << 20)]  # number of different codes in a group
    groups: Layers  # number of codes in a frame
    reads: bool = False  # whether the text tokens stand among the codes of speech; <read> is then the last id
    by_frames: bool = False  # whether all codes of a frame are one step of the network; else each code is a step


@dataclass(frozen=True)
class TokenSequence:
    """Token ids, and how much each of them counts as a target in training (0: it is context only)."""

    ids: list[int]
    weights: list[float]


class Vocabulary:
    """The ids: first the special tokens, then the text tokens, then the codes of each group, then <read>."""

    def __init__(self, config: VocabularyConfig) -> None:
        self.config = config
        self.text_offset = N_SPECIAL
        self.code_offset = N_SPECIAL + config.n_text
        self.read = self.code_offset + config.groups * config.n_codes
        self.size = self.read + config.reads
        self.width = config.groups if config.by_frames else 1  # ids in a step
        self.frame_steps = config.groups // self.width  # steps that a frame takes

    def pack(self, ids: Sequence[int]) -> torch.Tensor:
        """The steps of a sequence, [steps, width] int64: the codes of a frame, or one id and PAD after it.

        The ids, read row by row without PAD, stand in the order of ``ids``.

        Raises:
            ValueError: a frame lacks a code, or a code stands outside a frame.
        """
        flat = torch.tensor(ids, dtype=torch.long)
        if self.width == 1:
            return flat[:, None]
        is_code = (flat >= self.code_offset) & (flat < self.read)
        group = torch.where(is_code, (flat - self.code_offset) // self.config.n_codes, 0)
        # The group that must come after each id; after the last one no frame may be open.
        following = torch.where(is_code, (group + 1) % self.width, 0)
        if not torch.equal(torch.cat((group, group.new_zeros(1))), torch.cat((group.new_zeros(1), following))):
            raise ValueError("the ids hold a frame that lacks a code, or a code that opens no frame")
        opens = group == 0
        steps = torch.full((int(opens.sum()), self.width), PAD)
        steps[opens.cumsum(0) - 1, group] = flat
        return steps

    def count_steps(self, ids: Sequence[int]) -> int:
        """The number of steps that ``ids`` take."""
        if self.width == 1:
            return len(ids)
        codes = sum(self.code_offset <= i < self.read for i in ids)
        return len(ids) - codes + codes // self.width

    def text_ids(self, tokens: Sequence[int]) -> list[int]:
        """The ids of text tokens."""
        return [token + self.text_offset for token in tokens]

    def text_tokens(self, ids: Sequence[int]) -> list[int]:
        """The text tokens among ``ids``; other ids are left out."""
        return [i - self.text_offset for i in ids if self.text_offset <= i < self.code_offset]

    def code_ids(self, codes: torch.Tensor) -> list[int]:
        """The ids of ``codes`` [frames, groups], frame after frame."""
        shift = self.code_offset + torch.arange(self.config.groups) * self.config.n_codes
        ids: list[int] = (codes.long() + shift).flatten().tolist()
        return ids

    def codes(self, ids: Sequence[int]) -> torch.Tensor:
        """The codes [frames, groups] among ``ids``; text tokens and an incomplete last frame are left out."""
        groups = self.config.groups
        ids = [i for i in ids if i >= self.code_offset]
        whole = torch.tensor(ids[: len(ids) // groups * groups], dtype=torch.long).reshape(-1, groups)
        return whole - self.code_offset - torch.arange(groups) * self.config.n_codes

    def group_range(self, group: int) -> tuple[int, int]:
        """The first id of ``group``, and one past its last id."""
        first = self.code_offset + group * self.config.n_codes
        return first, first + self.config.n_codes

    def speak_prompt(self, voice: torch.Tensor, text: Sequence[int]) -> list[int]:
        """The start of a speak sequence: voice codes [frames, groups] and text tokens, up to <speech>."""
        return [VOICE, *self.code_ids(voice), TEXT, *self.text_ids(text), SPEECH]

    def read_prompt(self, voice: torch.Tensor, text: Sequence[int]) -> list[int]:
        """The start of a read sequence: the same as ``speak_prompt``, but up to <read>."""
        return [*self.speak_prompt(voice, text)[:-1], self.read]

    def listen_prompt(self, codes: torch.Tensor) -> list[int]:
        """The start of a listen sequence: codes [frames, groups], up to <text>."""
        return [SPEECH, *self.code_ids(codes), TEXT]

    def speak(self, voice: torch.Tensor, text: Sequence[int], codes: torch.Tensor, text_weight: float) -> TokenSequence:
        """A whole speak sequence: the voice is context, text tokens count ``text_weight``, codes count fully."""
        n_voice, n_text, n_speech = voice.numel() + 1, len(text) + 1, codes.numel() + 1
        ids = [*self.speak_prompt(voice, text), *self.code_ids(codes), END]
        return TokenSequence(ids, [0.0] * (n_voice + 1) + [text_weight] * (n_text - 1) + [0.0] + [1.0] * n_speech)

    def read_aloud(
        self, voice: torch.Tensor, text: Sequence[int], frames: Sequence[int], codes: torch.Tensor, text_weight: float
    ) -> TokenSequence:
        """A whole read sequence: text token i stands before frame ``frames[i]`` of ``codes`` [n, groups].

        Before <read> a text token counts ``text_weight``. Among the codes it counts fully, as they do: it is there that
        the network learns when to go on to the next symbol.
        """
        prompt, spoken = self.read_prompt(voice, text), self.text_ids(text)
        flat, groups = self.code_ids(codes), self.config.groups
        ids, done = list(prompt), 0
        for token, frame in zip(spoken, frames, strict=True):
            ids += flat[done * groups : frame * groups]
            ids.append(token)
            done = max(done, frame)
        ids += [*flat[done * groups :], END]
        weights = [0.0] * (voice.numel() + 2) + [text_weight] * len(text) + [0.0]
        return TokenSequence(ids, weights + [1.0] * (len(ids) - len(weights)))

    def listen(self, codes: torch.Tensor, text: Sequence[int], speech_weight: float) -> TokenSequence:
        """A whole listen sequence: codes count ``speech_weight``, text tokens count fully."""
        ids = [*self.listen_prompt(codes), *self.text_ids(text), END]
        return TokenSequence(ids, [0.0] + [speech_weight] * codes.numel() + [0.0] + [1.0] * (len(text) + 1))

    def speech_alone(self, codes: torch.Tensor) -> TokenSequence:
        """A sequence of speech without text."""
        return TokenSequence([SPEECH, *self.code_ids(codes), END], [0.0] + [1.0] * (codes.numel() + 1))

    def text_alone(self, text: Sequence[int]) -> TokenSequence:
        """A sequence of text without speech. Its likelihood is the prior in the flip score."""
        return TokenSequence([TEXT, *self.text_ids(text), END], [0.0] + [1.0] * (len(text) + 1))
