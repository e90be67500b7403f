"""One vocabulary and the kinds of sequence that the GPT learns. "Throw anything into the sequence."

    <voice> codes of another clip <text> t1..tm <speech> s1..sn <end>     speak
    <voice> codes of another clip <text> t1..tm <read> t1 s.. t2 s.. ... tm s.. <end>     read
    <speech> s1..sn <text> t1..tm <end>                                   listen (the flip)
    <speech> s1..sn <end>                                                 speech alone
    <text> t1..tm <end>                                                   text alone

Text is normalised letters and phonemes when spoken, lower-case letters alone when listened to. Codes of a frame
lie flat, group after group, each group with ids of its own. Where it is known when each symbol is spoken, speech is
read: every text token comes once more, in its place among the codes (after ELLA-V, Song et al., 2024). What is to be
said is then always next to the sound that says it, and in sampling the order of the text can be kept by force: no word
is skipped or said twice. This file is the only place that knows token ids.
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

    n_text: Width  # text tokens
    n_codes: Annotated[int, Field(ge=1, le=1 << 20)]  # codes a group
    groups: Layers  # codes a frame
    reads: bool = False  # whether speech is read, its text in place; <read> is then the last id


@dataclass(frozen=True)
class TokenSequence:
    """Token ids and the weight of each as a target (0: context only)."""

    ids: list[int]
    weights: list[float]


class Vocabulary:
    """Ids: special tokens, then text tokens, then the codes of each group."""

    def __init__(self, config: VocabularyConfig) -> None:
        self.config = config
        self.text_offset = N_SPECIAL
        self.code_offset = N_SPECIAL + config.n_text
        self.read = self.code_offset + config.groups * config.n_codes
        self.size = self.read + config.reads

    def text_ids(self, tokens: Sequence[int]) -> list[int]:
        """Ids of text tokens."""
        return [token + self.text_offset for token in tokens]

    def text_tokens(self, ids: Sequence[int]) -> list[int]:
        """Text tokens of ids; ids of another part are left out."""
        return [i - self.text_offset for i in ids if self.text_offset <= i < self.code_offset]

    def code_ids(self, codes: torch.Tensor) -> list[int]:
        """Flat ids, frame after frame, of ``codes`` [frames, groups]."""
        shift = self.code_offset + torch.arange(self.config.groups) * self.config.n_codes
        ids: list[int] = (codes.long() + shift).flatten().tolist()
        return ids

    def codes(self, ids: Sequence[int]) -> torch.Tensor:
        """Codes [frames, groups] of flat ``ids``; text in place is left out, an unfinished last frame is dropped."""
        groups = self.config.groups
        ids = [i for i in ids if i >= self.code_offset]
        whole = torch.tensor(ids[: len(ids) // groups * groups], dtype=torch.long).reshape(-1, groups)
        return whole - self.code_offset - torch.arange(groups) * self.config.n_codes

    def group_range(self, group: int) -> tuple[int, int]:
        """First id and one past the last id of ``group``."""
        first = self.code_offset + group * self.config.n_codes
        return first, first + self.config.n_codes

    def speak_prompt(self, voice: torch.Tensor, text: Sequence[int]) -> list[int]:
        """The start of a speak sequence: voice codes [frames, groups] and text tokens, up to <speech>."""
        return [VOICE, *self.code_ids(voice), TEXT, *self.text_ids(text), SPEECH]

    def read_prompt(self, voice: torch.Tensor, text: Sequence[int]) -> list[int]:
        """The start of a read sequence: as ``speak_prompt``, up to <read>."""
        return [*self.speak_prompt(voice, text)[:-1], self.read]

    def listen_prompt(self, codes: torch.Tensor) -> list[int]:
        """The start of a listen sequence: codes [frames, groups], up to <text>."""
        return [SPEECH, *self.code_ids(codes), TEXT]

    def speak(self, voice: torch.Tensor, text: Sequence[int], codes: torch.Tensor, text_weight: float) -> TokenSequence:
        """A whole speak sequence; the voice is context, text counts ``text_weight``, speech counts fully."""
        n_voice, n_text, n_speech = voice.numel() + 1, len(text) + 1, codes.numel() + 1
        ids = [*self.speak_prompt(voice, text), *self.code_ids(codes), END]
        return TokenSequence(ids, [0.0] * (n_voice + 1) + [text_weight] * (n_text - 1) + [0.0] + [1.0] * n_speech)

    def read_aloud(
        self, voice: torch.Tensor, text: Sequence[int], frames: Sequence[int], codes: torch.Tensor, text_weight: float
    ) -> TokenSequence:
        """A whole read sequence: text token i stands before frame ``frames[i]`` of ``codes`` [n, groups].

        The text counts ``text_weight`` where it is announced; where it is read it counts as fully as the codes, for it
        says when to go on.
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
        """A whole listen sequence; speech counts ``speech_weight``, text counts fully."""
        ids = [*self.listen_prompt(codes), *self.text_ids(text), END]
        return TokenSequence(ids, [0.0] + [speech_weight] * codes.numel() + [0.0] + [1.0] * (len(text) + 1))

    def speech_alone(self, codes: torch.Tensor) -> TokenSequence:
        """Speech without text."""
        return TokenSequence([SPEECH, *self.code_ids(codes), END], [0.0] + [1.0] * (codes.numel() + 1))

    def text_alone(self, text: Sequence[int]) -> TokenSequence:
        """Text without speech: the prior of the flip score."""
        return TokenSequence([TEXT, *self.text_ids(text), END], [0.0] + [1.0] * (len(text) + 1))
