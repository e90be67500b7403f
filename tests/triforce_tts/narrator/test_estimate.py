"""The length of a narration before it is spoken."""

from pathlib import Path

import pytest

from triforce_tts.narrator.estimate import USUAL_SHARE, expected_s
from triforce_tts.narrator.master import PROFILES
from triforce_tts.narrator.plan import Plan
from triforce_tts.synthesis.script import spoken_length

from .conftest import RATE, MakePlan, record


def _parts(plan: Plan) -> tuple[float, float]:
    """The seconds that the texts predict, and the seconds of the pauses."""
    predicted_s = sum(spoken_length(line.text) / plan.characters_per_second for line in plan.lines)
    return predicted_s, sum(line.pause_s for line in plan.lines)


def test_lines_are_expected_without_the_silence_that_the_training_data_has_around_them(
    plan_of: MakePlan, story: Path
) -> None:
    plan = plan_of(story)
    predicted_s, pauses_s = _parts(plan)
    assert expected_s(plan, {}, PROFILES["none"]) == pytest.approx(USUAL_SHARE * predicted_s + pauses_s)


def test_a_profile_changes_the_silence_around_each_chapter(plan_of: MakePlan, story: Path) -> None:
    plan = plan_of(story)
    more = expected_s(plan, {}, PROFILES["podcast"]) - expected_s(plan, {}, PROFILES["none"])
    assert more == pytest.approx(len(plan.chosen) * (0.3 + 1.0 - 2.0))


def test_lines_that_are_spoken_count_as_long_as_they_are(plan_of: MakePlan, story: Path) -> None:
    plan = plan_of(story)
    first = plan.lines[0]
    short = expected_s(plan, {first.key: record(RATE)}, PROFILES["none"])
    predicted_s = spoken_length(first.text) / plan.characters_per_second
    assert short - expected_s(plan, {}, PROFILES["none"]) == pytest.approx(1.0 - USUAL_SHARE * predicted_s)


def test_enough_spoken_lines_say_how_fast_the_voice_is(plan_of: MakePlan, story: Path) -> None:
    plan = plan_of(story)
    predicted_s, pauses_s = _parts(plan)
    first = plan.lines[0]
    slow = 100.0 / (spoken_length(first.text) / plan.characters_per_second)
    found = expected_s(plan, {first.key: record(100 * RATE)}, PROFILES["none"])
    assert found == pytest.approx(slow * predicted_s + pauses_s)
