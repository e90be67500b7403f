"""Pairs of renditions of a line, of which one is better: what 'prefer' writes and 'train dpo' reads.

A pair is a sample of shards of the kind ``pairs``. Its payload ``key.codes.npy`` (uint16) holds the codes of the voice's
prompt, of the better and of the worse rendition, one after the other; its JSON says how many frames each has, which text
tokens were read, and before which frame each of them stands. The two renditions thus become the very sequences that
the model drew, without any alignment.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Any

import torch
from pydantic import Field, model_validator

from triforce_tts.errors import ShardError
from triforce_tts.sampling.takes import text_starts
from triforce_tts.schema import Record
from triforce_tts.sequences import END, TokenSequence, Vocabulary
from triforce_tts.shards import INDEX, Sample, ShardSet

from ..codes import CodeDetails, checked, decode_codes, encode_codes

EXTENSION = "codes.npy"
COMMAND = "prefer"
AGAIN = f"run 'triforce-tts {COMMAND}' again"
Frames = Annotated[int, Field(ge=0, le=1 << 24)]
Places = tuple[tuple[int, int], ...]
Span = Annotated[list[Frames], Field(min_length=2, max_length=2)]


@dataclass(frozen=True, eq=False)
class Rendition:
    """A line as a model drew it."""

    codes: torch.Tensor  # [frames, groups] int64
    # For each text token, the frame before which it stands; empty if the text has no place in the speech.
    starts: tuple[int, ...]
    ended: bool  # whether the model ended the line by itself
    # The frames that a pair is about, as spans of a first one and one past the last; none: the whole rendition. <end>
    # belongs to the frame after the last one.
    places: Places = ()

    @classmethod
    def of(cls, vocabulary: Vocabulary, ids: Sequence[int], ended: bool) -> "Rendition":
        """The rendition in the ``ids`` that were drawn after a prompt, without <end>."""
        starts = tuple(text_starts(vocabulary, ids)) if vocabulary.config.reads else ()
        return cls(vocabulary.codes(ids), starts, ended)


@dataclass(frozen=True, eq=False)
class Pair:
    """Two renditions of one line in one voice."""

    voice: torch.Tensor  # codes of the voice's prompt, [frames, groups]
    tokens: tuple[int, ...]  # text tokens of the line
    better: Rendition
    worse: Rendition


@dataclass(frozen=True, eq=False)
class ChosenPair:
    """Two renditions of a line that are chosen as a pair, and their seeds; a rendition in a file has none."""

    better: Rendition
    worse: Rendition
    seeds: tuple[int | None, int | None]


class RenditionRecord(Record):
    """What the JSON of a pair says of one of its renditions."""

    frames: Frames
    starts: list[Frames]
    ended: bool
    seed: int | None = None
    places: list[Span] = Field(default_factory=list)

    @model_validator(mode="after")
    def _check(self) -> "RenditionRecord":
        if any(not first < end <= self.frames + 1 for first, end in self.places):
            raise ValueError("places are no spans of its frames")
        if any(after < before for before, after in pairwise(self.starts)):
            raise ValueError("starts must never fall")
        if self.starts and self.starts[-1] > self.frames:
            raise ValueError("starts lie beyond the last frame")
        return self


class PairRecord(Record):
    """What the JSON of a pair says."""

    tokens: Annotated[list[Frames], Field(min_length=1)]
    voice_frames: Frames
    better: RenditionRecord
    worse: RenditionRecord

    @model_validator(mode="after")
    def _check(self) -> "PairRecord":
        if any(len(rendition.starts) > len(self.tokens) for rendition in (self.better, self.worse)):
            raise ValueError("a rendition has more starts than there are text tokens")
        return self


class PairDetails(CodeDetails):
    """What the index of pairs says: its codes, its text tokens, and the model that drew them."""

    tokenizer: Annotated[str, Field(min_length=1, max_length=64)]
    gpt: Annotated[str, Field(min_length=1, max_length=64)]
    reads: bool


def pair_sample(key: str, pair: Pair, details: PairDetails, about: dict[str, Any], seeds: tuple[Any, Any]) -> Sample:
    """A pair as a sample; ``about`` holds further fields of its JSON, such as its text and the name of the voice."""
    renditions = (pair.better, pair.worse)
    records = [
        RenditionRecord(
            frames=len(rendition.codes),
            starts=list(rendition.starts),
            ended=rendition.ended,
            seed=seed,
            places=[list(place) for place in rendition.places],
        )
        for rendition, seed in zip(renditions, seeds, strict=True)
    ]
    record = PairRecord(
        tokens=list(pair.tokens), voice_frames=len(pair.voice), better=records[0], worse=records[1]
    )  # fmt: skip
    seconds = sum(len(rendition.codes) for rendition in renditions) / details.code_rate
    codes = torch.cat([pair.voice, *(rendition.codes for rendition in renditions)])
    meta = {**about, **record.model_dump(mode="json"), "duration_s": round(seconds, 4)}
    return Sample(key, meta, encode_codes(codes), EXTENSION)


def read_pair(shards: ShardSet, index: int, details: PairDetails) -> Pair:
    """Pair ``index`` of shards of pairs.

    Raises:
        ShardError: a field is missing or of a wrong type, or the codes are not as many as it says, or out of range.
    """
    where = f"pair '{shards.keys[index]}'"
    record = checked(PairRecord, shards.meta(index), where, COMMAND)
    codes = decode_codes(shards.payload(index), where)
    frames = [record.voice_frames, record.better.frames, record.worse.frames]
    if list(codes.shape) != [sum(frames), details.groups]:
        raise ShardError(f"{where}: codes {list(codes.shape)}, expected {[sum(frames), details.groups]}; {AGAIN}")
    if len(codes) and not (int(codes.min()) >= 0 and int(codes.max()) < details.n_codes):
        raise ShardError(
            f"{where}: codes from {int(codes.min())} to {int(codes.max())}, expected 0 to {details.n_codes - 1}; {AGAIN}"
        )
    voice, better, worse = torch.split(codes, frames)
    renditions = [
        Rendition(part, tuple(entry.starts), entry.ended, tuple((first, end) for first, end in entry.places))
        for part, entry in ((better, record.better), (worse, record.worse))
    ]
    return Pair(voice, tuple(record.tokens), renditions[0], renditions[1])


def read_pair_details(shards: ShardSet) -> PairDetails:
    """The details of the pairs, which the indices of all folders name.

    Raises:
        ShardError: a field is missing, or two folders differ in more than the model that drew the renditions.
    """
    stamps = [
        (folder, checked(PairDetails, fields, f"{folder}/{INDEX}: details", COMMAND))
        for folder, fields in shards.details.items()
    ]
    first_folder, first = stamps[0]
    for folder, stamp in stamps[1:]:
        if stamp.model_copy(update={"gpt": first.gpt}) != first:
            raise ShardError(
                f"{first_folder} and {folder}: the pairs are of other codes or text tokens; draw both with one DVAE"
            )
    return first


def sequence_of(
    vocabulary: Vocabulary, voice: torch.Tensor, tokens: Sequence[int], rendition: Rendition
) -> TokenSequence:
    """The sequence of a rendition as it was drawn: the prompt is context, everything after it counts fully.

    If the rendition has places, only what lies in them counts. A rendition that was stopped has no <end>, and it may lack
    the last text tokens.
    """
    if not vocabulary.config.reads:
        whole = vocabulary.speak(voice, tokens, rendition.codes, 0.0)
        prompt, body = vocabulary.speak_prompt(voice, tokens), whole.ids
        body = body[len(prompt) :]
    else:
        part = list(tokens[: len(rendition.starts)])
        whole = vocabulary.read_aloud(voice, part, rendition.starts, rendition.codes, 0.0)
        prompt, body = vocabulary.read_prompt(voice, tokens), whole.ids[len(vocabulary.read_prompt(voice, part)) :]
    if not rendition.ended and body[-1] == END:
        body = body[:-1]
    weights = _weights(vocabulary, body, rendition.places) if rendition.places else [1.0] * len(body)
    return TokenSequence([*prompt, *body], [0.0] * len(prompt) + weights)


def _weights(vocabulary: Vocabulary, body: Sequence[int], places: Places) -> list[float]:
    """1 for each of the ids of ``body`` that lies in ``places``, else 0; a text token lies in the frame that it stands before."""
    frames = {frame for first, end in places for frame in range(first, end)}
    weights: list[float] = []
    codes = 0
    for token in body:
        weights.append(float(codes // vocabulary.config.groups in frames))
        codes += vocabulary.code_offset <= token < vocabulary.read
    return weights
