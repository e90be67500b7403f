"""Pairs about single words: a recogniser hears a word rightly in one rendition of a line and wrongly in another one.

A line of fifteen words says little by its sum: most of its codes are good in both renditions. Where the network reads its
text in place, the frames of each word are known, so a pair can be about the frames of the words that differ, and nothing
else. A line then gives a pair for each rendition with a wrong word that another rendition says rightly.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from triforce_tts.judges.words import HeardWord, words_heard
from triforce_tts.sampling.takes import word_spans
from triforce_tts.synthesis.script import Line

from .pairs import ChosenPair, Places, Rendition
from .rule import Judgement


@dataclass(frozen=True, eq=False)
class _Heard:
    """A rendition, and how each word of its line was heard."""

    seed: int
    rendition: Rendition
    spans: list[tuple[int, int]]
    words: list[HeardWord]

    def right(self) -> set[int]:
        """The numbers of the words that were heard rightly."""
        return {number for number, word in enumerate(self.words) if word.is_right}

    def about(self, numbers: Sequence[int]) -> Rendition:
        """The rendition in a pair about the words ``numbers``.

        A word reaches into the frame after its last one. If the recogniser heard more after it than the text has, what
        follows up to the next word counts too, and after the last word the end.
        """
        frames, places = len(self.rendition.codes), list[tuple[int, int]]()
        for number in numbers:
            first, end = self.spans[number]
            end = min(end + 1, frames)
            if self.words[number].is_followed:
                end = self.spans[number + 1][0] if number + 1 < len(self.spans) else frames + 1
            places.append((first, max(end, first + 1)))
        return replace(self.rendition, places=_joined(places))


def word_pairs(line: Line, judged: Sequence[Judgement], renditions: Mapping[int, Rendition]) -> list[ChosenPair]:
    """A pair for each rendition of ``line`` with wrong words that some other rendition says rightly.

    The better one is the rendition that says the most of these words rightly, and among equals the one with the fewest wrong
    words. A rendition that was stopped, or whose words cannot be compared one by one, is in no pair.
    """
    heard = [_heard(line, one, renditions[one.seed]) for one in judged if one.ended]
    usable = [one for one in heard if one is not None]
    pairs: list[ChosenPair] = []
    for worse in usable:
        wrong = set(range(len(worse.words))) - worse.right()
        others = [other for other in usable if other.right() & wrong]
        if not others:
            continue
        better = max(others, key=lambda other: (len(other.right() & wrong), len(other.right())))
        numbers = sorted(better.right() & wrong)
        pairs.append(ChosenPair(better.about(numbers), worse.about(numbers), (better.seed, worse.seed)))
    return pairs


def _heard(line: Line, judged: Judgement, rendition: Rendition) -> _Heard | None:
    """How the words of a rendition were heard; None if they or their frames are not known one by one."""
    words = words_heard(line.words, judged.heard)
    spans = word_spans(line.pieces, rendition.starts, len(rendition.codes)) if rendition.starts else ()
    if words is None or len(spans) != len(words):
        return None
    return _Heard(judged.seed, rendition, list(spans), words)


def _joined(places: Sequence[tuple[int, int]]) -> Places:
    """The same frames as ``places``, which begin in rising order, in spans that do not touch."""
    joined: list[tuple[int, int]] = []
    for first, end in places:
        if joined and first <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((first, end))
    return tuple(joined)
