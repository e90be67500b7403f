"""The report over a whole narration, on lines made by hand."""

import math

from benchmarks.narration import Heard, flags, hourly, share_wrong, windows


def line(number: int, wrong: int = 0, words: int = 10, flagged: bool = False, **figures: float) -> Heard:
    faults = ("word missing",) if flagged else ()
    return Heard(1, number, "text", "heard", wrong, words, 60.0 * number, 5.0, faults, figures)


def test_words_are_counted_over_all_lines_and_not_averaged_by_line() -> None:
    share, low, high = share_wrong([line(0, 1, 2), line(1, 0, 18)])
    assert share == 1 / 20
    assert low <= share <= high


def test_the_drift_is_the_slope_of_an_hour() -> None:
    slope, low, high = hourly([line(n, semitones=3.0 + n / 60 * 0.5) for n in range(120)], "semitones")
    assert math.isclose(slope, 0.5, rel_tol=1e-6)
    assert math.isclose(low, high, rel_tol=1e-6)


def test_short_lines_and_missing_figures_tell_nothing_of_the_drift() -> None:
    short = Heard(1, 1, "I", "I", 0, 1, 0.0, 0.4, (), {"semitones": 40.0})
    assert windows([short, line(0), line(1, semitones=2.0), line(2, semitones=4.0)], "semitones") == [(2.5, 3.0)]


def test_flagged_lines_are_compared_with_the_others() -> None:
    told = flags([line(0, 5, flagged=True), line(1, 0, flagged=True), line(2, 4), line(3, 0)])
    assert (told["flagged"], told["of"], told["flagged lines with a word heard wrongly"]) == (2, 4, 1)
    assert told["words wrong in flagged lines"][0] == 0.25
    assert told["others with a third of their words heard wrongly"] == 1
    assert [row["number"] for row in told["lines"]] == [0, 1]
