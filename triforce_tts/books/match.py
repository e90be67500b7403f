"""Finds the words of one text in another, such as the words that a recogniser heard in the book that was read.

Groups of ``ANCHOR`` words that occur once in both texts are anchors. The longest chain of anchors that are in the same
order in both is the path. Between anchors, words are matched so that the fewest edits turn one text into the other.
"""

from bisect import bisect_left
from collections.abc import Sequence

import numpy as np

ANCHOR = 3  # the number of words in an anchor
# The most cells of a table of edits. If two anchors are farther apart, nothing between them is matched.
MOST_CELLS = 4_000_000


def match(heard: Sequence[str], words: Sequence[str]) -> list[tuple[int, int]]:
    """Pairs of places with equal words, both rising: along anchors, and with the fewest edits between them."""
    chain = anchors(heard, words)
    pairs: list[tuple[int, int]] = []
    at = (0, 0)
    for end in [*chain, (len(heard), len(words))]:
        if end[0] >= at[0] and end[1] >= at[1]:
            pairs += _match_between(heard, words, at, end)
            if end[0] < len(heard):
                pairs.append(end)
            at = (end[0] + 1, end[1] + 1)
    return pairs


def anchors(heard: Sequence[str], words: Sequence[str]) -> list[tuple[int, int]]:
    """The longest chain of places that rise in both texts, at which ``ANCHOR`` words follow that occur once in each."""
    ours, theirs = _once(heard), _once(words)
    shared = sorted((ours[gram], theirs[gram]) for gram in ours.keys() & theirs.keys())
    # Patience sorting finds the longest rising chain: tails[n] is the end of the best chain of n + 1 places.
    tails: list[int] = []
    ends: list[int] = []
    before: list[int] = []
    for number, (_, where) in enumerate(shared):
        n = bisect_left(tails, where)
        before.append(ends[n - 1] if n else -1)
        if n == len(tails):
            tails.append(where)
            ends.append(number)
        else:
            tails[n], ends[n] = where, number
    chain = []
    number = ends[-1] if ends else -1
    while number >= 0:
        chain.append(shared[number])
        number = before[number]
    chain.reverse()
    # Each word of an anchor is matched by itself, and only once if anchors overlap.
    return sorted({(i + k, j + k) for i, j in chain for k in range(ANCHOR)})


def _once(words: Sequence[str]) -> dict[tuple[str, ...], int]:
    places: dict[tuple[str, ...], int] = {}
    for i in range(len(words) - ANCHOR + 1):
        gram = tuple(words[i : i + ANCHOR])
        places[gram] = -1 if gram in places else i
    return {gram: i for gram, i in places.items() if i >= 0}


def _match_between(
    heard: Sequence[str], words: Sequence[str], start: tuple[int, int], end: tuple[int, int]
) -> list[tuple[int, int]]:
    """Equal words at the places of the fewest edits between ``heard`` and ``words`` from ``start`` to ``end``."""
    a, b = heard[start[0] : end[0]], words[start[1] : end[1]]
    # Far from an anchor the match is not known. Before the first anchor and behind the last one, only the words near it
    # are matched.
    if start == (0, 0):
        b = b[max(0, len(b) - 2 * len(a) - 8) :]
        start = (start[0], end[1] - len(b))
    elif end[1] == len(words):
        b = b[: 2 * len(a) + 8]
    if not a or not b or len(a) * len(b) > MOST_CELLS:
        return []
    codes: dict[str, int] = {}
    left, right = (np.array([codes.setdefault(word, len(codes)) for word in side]) for side in (a, b))
    costs = np.zeros((len(a) + 1, len(b) + 1), np.int32)
    costs[0] = np.arange(len(b) + 1)
    for i in range(1, len(a) + 1):
        # Substitutions and deletions are computed at once. Insertions depend on their left neighbour, so a running
        # minimum finds them.
        row = np.minimum(costs[i - 1, :-1] + 2 * (left[i - 1] != right), costs[i - 1, 1:] + 1)
        row = np.concatenate(([i], row)) - np.arange(len(b) + 1)
        costs[i] = np.minimum.accumulate(row) + np.arange(len(b) + 1)
    pairs = []
    i, j = len(a), len(b)
    while i and j:
        if left[i - 1] == right[j - 1] and costs[i, j] == costs[i - 1, j - 1]:
            pairs.append((start[0] + i - 1, start[1] + j - 1))
            i, j = i - 1, j - 1
        elif costs[i, j] == costs[i - 1, j] + 1:
            i -= 1
        elif costs[i, j] == costs[i, j - 1] + 1:
            j -= 1
        else:
            i, j = i - 1, j - 1
    return pairs[::-1]
