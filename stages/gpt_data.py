"""The coded samples that stage 2 can train on, and the properties of their codes."""

import math
import re
import weakref
from typing import Any, NamedTuple

from triforce_tts.errors import CheckpointError, ConfigError
from triforce_tts.shards import ShardSet
from triforce_tts.text.tokenizer import TextTokenizer

from .codes import read_details, read_text
from .gpt_settings import GPTSettings

_MARKS = 4  # the number of tokens that open the parts of a spoken sequence and end it
# A word may have so many more symbols than letters: 'fyi' has 12 more in the dictionary, and an ending adds 2.
_MOST_MORE = 14
# The parts of a key that ends with a number: what stands before it, the number, and the marks of a copy (``codes.Copy``).
_NUMBERED = re.compile(r"(.*?)(\d+)((?:-x[\d_]+)?(?:-\d+of\d+)?)")
_previous: "weakref.WeakKeyDictionary[ShardSet, dict[int, int]]" = weakref.WeakKeyDictionary()


def frame_steps(settings: GPTSettings, code: dict[str, Any]) -> int:
    """The steps that a frame of codes takes in the network of ``settings``, as in ``Vocabulary.frame_steps``."""
    return 1 if settings.model.head else int(code["groups"])


class Usable(NamedTuple):
    """The samples that stage 2 can use, the characters of their texts, and a note for the user about the others."""

    samples: ShardSet
    characters: tuple[int, ...]
    note: str


def fitting(
    what: str, shards: ShardSet, settings: GPTSettings, code: dict[str, Any], tokenizer: TextTokenizer
) -> Usable:
    """The samples whose longest sequence fits into the model."""
    limit, texts = settings.model.max_tokens, 1 + settings.data.reads
    steps = frame_steps(settings, code)
    voice = max(1, round(settings.data.voice_seconds[1] * code["code_rate"])) * steps + _MARKS
    left_out: dict[int, int] = {}
    characters: list[int] = []
    for index, seconds in enumerate(shards.durations_s):
        rest = voice + math.ceil(seconds * code["code_rate"] + 1) * steps
        text = read_text(shards, index).normalized
        characters.append(len(text))
        # A sample that fails this rough test is surely short enough.
        if rest + texts * (len(text) + _MOST_MORE * (text.count(" ") + 1)) > limit:
            tokens = rest + texts * most_symbols(tokenizer, text)
            if tokens > limit:
                left_out[index] = tokens
    if not left_out:
        return Usable(shards, tuple(characters), "")
    first = next(iter(left_out))
    message = (
        f"{len(left_out)} of {len(shards)} {what} samples may make sequences of more than model.max_tokens ({limit}), "
        f"the first is '{shards.keys[first]}' with {left_out[first]}"
    )
    if len(left_out) == len(shards):
        raise ConfigError(f"{message}: no sample is left; raise model.max_tokens or lower data.voice_seconds")
    kept = [index for index in range(len(shards)) if index not in left_out]
    return Usable(shards.select(kept), tuple(characters[index] for index in kept), f"{message}: they are left out")


def previous_samples(shards: ShardSet) -> dict[int, int]:
    """The sample before each sample that has one: the same reader and key, with a number one lower."""
    previous = _previous.get(shards)
    if previous is None:
        places: dict[int, tuple[str, str, int, str]] = {}
        for index, (speaker, key) in enumerate(zip(shards.speakers, shards.keys, strict=True)):
            if match := _NUMBERED.fullmatch(key):
                stem, number, marks = match.groups()
                places[index] = (speaker, stem, int(number), marks)
        by_place = {place: index for index, place in places.items()}
        before = {index: (speaker, stem, number - 1, marks) for index, (speaker, stem, number, marks) in places.items()}
        previous = _previous[shards] = {index: by_place[place] for index, place in before.items() if place in by_place}
    return previous


def most_symbols(tokenizer: TextTokenizer, text: str) -> int:
    """The number of symbols of ``text`` if each word is written the longer way, in letters or in phonemes."""
    spellings = zip(tokenizer.spell(text), tokenizer.spell(text, letters_share=1.0), strict=True)
    return sum(max(len(one.symbols), len(other.symbols)) for one, other in spellings)


def code_details(shards: ShardSet) -> dict[str, Any]:
    """The properties of the codes, which the indices of all folders name.

    Raises:
        CheckpointError: two folders were coded by different DVAEs.
    """
    stamps = [(folder, read_details(folder, details)) for folder, details in shards.details.items()]
    for folder, code in stamps[1:]:
        if code != stamps[0][1]:
            raise CheckpointError(
                f"{stamps[0][0]} was coded by DVAE {stamps[0][1].dvae}, {folder} by {code.dvae}; code both with one"
            )
    return stamps[0][1].model_dump()
