"""The written text of each line. If a sentence was divided for speaking, each line shows its own part."""

import re
from collections.abc import Sequence
from itertools import groupby, pairwise

from triforce_tts.books.chapters import letters
from triforce_tts.narrator.edits import differing_runs
from triforce_tts.narrator.plan import PlannedLine
from triforce_tts.synthesis.script import spoken_words
from triforce_tts.text.respelling import readable

_TOKEN = re.compile(r"\S+")


def written_parts(lines: Sequence[PlannedLine]) -> list[str]:
    """The written text of each line of a block; for a sentence that a user changed, the spoken text; phones are in letters.

    The parts of a sentence are in its order and leave nothing out. If a line ends within something
    that is read otherwise, such as a number, the whole of it belongs to the line in which it begins. So a line may have
    no part.
    """
    texts: list[str] = []
    for _, group in groupby(lines, key=lambda line: line.source):
        same = list(group)
        count = _period([line.text for line in same])  # A block may have the same sentence several times in a row.
        for begin in range(0, len(same), count):
            texts += _parts(same[begin : begin + count])
    return texts


def _period(texts: list[str]) -> int:
    """The length of the shortest list of texts of which ``texts`` is a repetition."""
    return next(n for n in range(1, len(texts) + 1) if texts == texts[:n] * (len(texts) // n))


def _parts(lines: list[PlannedLine]) -> list[str]:
    """The part of each line of one sentence."""
    source = readable(lines[0].source.strip())
    texts = [readable(line.text) for line in lines]
    if any(line.changed for line in lines):
        return texts
    if len(lines) == 1:
        return [source]
    spans = [match.span() for match in _TOKEN.finditer(source)]
    tokens = [letters(source[begin:end]) for begin, end in spans]
    line_words = [[letters(word) for word in spoken_words(text)] for text in texts]
    runs = differing_runs(tokens, [word for words in line_words for word in words], substitution=2)
    edges, count = [0], 0
    for words in line_words[:-1]:
        count += len(words)
        edges.append(max(edges[-1], _token_at(count, runs)))
    edges.append(len(spans))
    return [source[spans[i][0] : spans[k - 1][1]] if i < k else "" for i, k in pairwise(edges)]


def _token_at(count: int, runs: Sequence[tuple[int, int, int, int]]) -> int:
    """The number of written tokens that belong to the first ``count`` spoken words."""
    shift = 0
    for i, j, k, m in runs:
        if count <= k:
            break
        if count < m:
            return j
        shift += (j - i) - (m - k)
    return count + shift
