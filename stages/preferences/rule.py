"""Finds the best and the worst of several renditions of a line, and whether they differ enough to be a pair."""

import math
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field, model_validator

from triforce_tts import bounds
from triforce_tts.schema import Config, Record

Price = Annotated[float, Field(ge=0, le=1000, allow_inf_nan=False)]
Pace = Annotated[float, Field(gt=0, le=100, allow_inf_nan=False)]


class RuleSettings(Config):
    """The costs of faults, and how far apart two renditions must be.

    The cost of a rendition is the weighted sum of its faults: the share of wrong words, the share of wrong characters, the
    share of words without a sound, whether it was stopped before its end, how far its pace is off, and how far the voice
    is from the clip. What costs the least is the best. A line gives a pair if its best rendition costs at most
    ``most_of_better`` and at least ``least_apart`` less than its worst.
    """

    words: Price = 0.5  # the cost if all words are wrong, as the recogniser hears them
    # The cost if all characters are wrong. A word that is nearly right costs less than another word.
    characters: Price = 0.5
    unsaid: Price = 1.0  # the cost if all words are without a sound
    stopped: Price = 0.5  # the cost of a rendition that did not end by itself
    # The cost of a length that is e times too long or too short for ``paces``.
    pace: Price = 0.5
    # The range of lengths that cost nothing, as multiples of the length that the text predicts.
    paces: tuple[Pace, Pace] = (0.7, 1.5)
    similarity: Price = 0.5  # the cost of a voice whose vector is at right angles to that of the clip
    least_apart: Price = 0.1
    most_of_better: Price = 0.3

    @model_validator(mode="after")
    def _check(self) -> "RuleSettings":
        if self.paces[0] > self.paces[1]:
            raise ValueError(f"paces must be two rising ratios, found {list(self.paces)}")
        return self


class PreferSettings(Config):
    """The whole of ``configs/prefer/*.yaml``."""

    # What a pair is about: the whole line, of which the rule chooses the best and the worst rendition, or those words that
    # one rendition says rightly and another one wrongly.
    unit: Literal["line", "word"] = "line"
    rule: RuleSettings = RuleSettings()
    # The settings with which candidates are drawn; none: the settings with which the model speaks. A higher temperature
    # makes them differ more.
    temperature: Annotated[float, Field(ge=0, le=bounds.TEMPERATURE.most, allow_inf_nan=False)] | None = None
    lines_together: Annotated[int, Field(ge=1, le=1024)] = 8  # lines whose candidates are drawn in one batch
    # the share of the texts whose pairs are only for validation
    heldout_share: Annotated[float, Field(ge=0, le=0.5)] = 0.05
    pairs_of_shard: Annotated[int, Field(ge=1, le=1 << 20)] = 1000


class Judgement(Record):
    """The judgement of a rendition: a line of ``judged.jsonl``."""

    line: str  # the key of the line, see ``plan``
    seed: int
    text: str  # the text that the rendition should say
    heard: str  # what the recogniser heard
    words_wrong: Annotated[int, Field(ge=0)]
    words: Annotated[int, Field(ge=0)]
    characters_wrong: Annotated[int, Field(ge=0)]
    characters: Annotated[int, Field(ge=0)]
    unsaid: list[str]  # words without a sound
    ended: bool
    seconds: Annotated[float, Field(ge=0)]  # the length without the silence at both ends
    predicted_s: Annotated[float, Field(gt=0)]
    # The cosine with the voice of the clip; none if no network that recognises speakers is installed.
    similarity: float | None


def cost(judged: Judgement, rule: RuleSettings) -> float:
    """The weighted sum of a rendition's faults; 0 if it has none."""
    low, high = rule.paces
    ratio = judged.seconds / judged.predicted_s
    off = max(math.log(low / ratio), math.log(ratio / high), 0.0) if ratio else math.log(1 / low) + 1.0
    similarity = 1.0 if judged.similarity is None else judged.similarity
    return (
        rule.words * judged.words_wrong / max(1, judged.words)
        + rule.characters * judged.characters_wrong / max(1, judged.characters)
        + rule.unsaid * len(judged.unsaid) / max(1, judged.words)
        + rule.stopped * (not judged.ended)
        + rule.pace * off
        + rule.similarity * (1.0 - similarity)
    )


def choose_pair(judged: Sequence[Judgement], rule: RuleSettings) -> tuple[Judgement, Judgement] | None:
    """The best and the worst of the renditions of a line; None if they differ too little, or the best is bad too.

    Of renditions of equal cost the first one counts as better.
    """
    costs = [cost(one, rule) for one in judged]
    order = sorted(range(len(judged)), key=lambda i: costs[i])
    if len(order) < 2:
        return None
    best, worst = order[0], order[-1]
    if costs[best] > rule.most_of_better or costs[worst] - costs[best] < rule.least_apart:
        return None
    return judged[best], judged[worst]
