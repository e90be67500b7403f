"""The runs are those of the fewest edits, as jiwer counts them too."""

import random

from jiwer import process_words

from triforce_tts.narrator.edits import differing_runs


def test_runs_by_hand() -> None:
    assert differing_runs(["a", "b"], ["a", "b"]) == []
    assert differing_runs([], ["a", "b"]) == [(0, 0, 0, 2)]
    assert differing_runs(["a", "b"], []) == [(0, 2, 0, 0)]
    assert differing_runs("it was the best of times".split(), "it was a best time".split()) == [  # noqa: SIM905
        (2, 3, 2, 3),
        (4, 6, 4, 5),
    ]


def test_as_many_edits_as_another_implementation_finds() -> None:
    rng = random.Random(0)
    for _ in range(200):
        first = rng.choices("abcd", k=rng.randint(1, 12))
        second = rng.choices("abcd", k=rng.randint(1, 12))
        runs = differing_runs(first, second)
        found = process_words(" ".join(first), " ".join(second))
        edits = found.substitutions + found.deletions + found.insertions
        assert sum(max(j - i, m - k) for i, j, k, m in runs) <= edits
        joined, at = [], 0
        for i, j, k, m in runs:  # the second list is rebuilt from the first and the runs
            joined += first[at:i] + second[k:m]
            at = j
        assert joined + first[at:] == second
