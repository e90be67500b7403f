"""The places where two lists of words differ, by the cheapest edits (Levenshtein)."""

from collections.abc import Hashable, Sequence

Run = tuple[int, int, int, int]  # words i to j of the first list stand against words k to m of the second


def differing_runs(first: Sequence[Hashable], second: Sequence[Hashable], substitution: int = 1) -> list[Run]:
    """The runs in which the lists differ, in order; words between them are equal.

    An insertion or a deletion costs 1. With a ``substitution`` of 2 as many words as possible are equal.
    """
    begin = 0
    while begin < min(len(first), len(second)) and first[begin] == second[begin]:
        begin += 1
    rest = 0
    while rest < min(len(first), len(second)) - begin and first[-1 - rest] == second[-1 - rest]:
        rest += 1
    inner = _path(first[begin : len(first) - rest], second[begin : len(second) - rest], substitution)
    runs: list[Run] = []
    for i, j, k, m in inner:
        i, j, k, m = i + begin, j + begin, k + begin, m + begin
        if runs and runs[-1][1] == i and runs[-1][3] == k:
            runs[-1] = (runs[-1][0], j, runs[-1][2], m)
        else:
            runs.append((i, j, k, m))
    return runs


def _path(first: Sequence[Hashable], second: Sequence[Hashable], substitution: int) -> list[Run]:
    """Each single edit on a cheapest way from ``first`` to ``second``, in order."""
    costs = [list(range(len(second) + 1))]
    for i, word in enumerate(first, 1):
        row = [i]
        for k, other in enumerate(second, 1):
            row.append(min(costs[-1][k - 1] + substitution * (word != other), costs[-1][k] + 1, row[-1] + 1))
        costs.append(row)
    edits: list[Run] = []
    i, k = len(first), len(second)
    while i or k:
        if i and k and costs[i][k] == costs[i - 1][k - 1] + substitution * (first[i - 1] != second[k - 1]):
            if first[i - 1] != second[k - 1]:
                edits.append((i - 1, i, k - 1, k))
            i, k = i - 1, k - 1
        elif i and costs[i][k] == costs[i - 1][k] + 1:
            edits.append((i - 1, i, k, k))
            i -= 1
        else:
            edits.append((i, i, k - 1, k))
            k -= 1
    return edits[::-1]
