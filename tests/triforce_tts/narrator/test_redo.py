"""Lines that are asked for anew get another take or another text, also after the book was edited."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.triforce_tts.narrator.conftest import STORY, MakePlan
from triforce_tts.errors import TextError
from triforce_tts.narrator.plan import Plan, Speaker
from triforce_tts.narrator.redo import Redo


@pytest.fixture
def plan(plan_of: MakePlan, story: Path) -> Plan:
    return plan_of(story)


def add(redo: Redo, plan: Plan, wanted: Sequence[str], speaker: Speaker) -> None:
    everything = [line.text for chapter in plan.chapters for line in chapter.lines]
    redo.add(plan, wanted, everything, speaker)


def changed(before: Plan, after: Plan) -> list[int]:
    return [old.number for old, new in zip(before.lines, after.lines, strict=True) if old.key != new.key]


def test_only_the_named_lines_change(plan: Plan, plan_of: MakePlan, story: Path, speaker: Speaker) -> None:
    redo = Redo()
    add(redo, plan, ["3, 7"], speaker)
    once = plan_of(story, replacements=redo.replacement)
    assert changed(plan, once) == [3, 7]
    assert [line.text for line in once.lines] == [line.text for line in plan.lines]
    add(redo, plan, ["7"], speaker)
    assert changed(once, plan_of(story, replacements=redo.replacement)) == [7]


def test_a_new_text_is_said_and_the_source_stays(plan: Plan, plan_of: MakePlan, story: Path, speaker: Speaker) -> None:
    redo = Redo()
    add(redo, plan, ["2,4=Yes, sir, said he in 1900."], speaker)
    after = plan_of(story, replacements=redo.replacement)
    assert changed(plan, after) == [2, 4]
    assert after.lines[3].text == "Yes, sir, said he in nineteen hundred."
    assert after.lines[3].source == plan.lines[3].source
    assert [line.number for line in after.lines if line.changed] == [4]
    add(redo, after, ["4"], speaker)
    assert plan_of(story, replacements=redo.replacement).lines[3].text == "Yes, sir, said he in nineteen hundred."


def test_it_outlives_a_restart_and_an_edit(
    plan: Plan, plan_of: MakePlan, story: Path, speaker: Speaker, tmp_path: Path
) -> None:
    redo = Redo()
    add(redo, plan, ["4=No."], speaker)
    redo.write(tmp_path)
    story.write_text(
        STORY.replace("It was dark", "Rain fell. It was dark").replace("Mr. Green", "So it began. Mr. Green")
    )
    after = plan_of(story, replacements=Redo.read(tmp_path).replacement)
    assert [(line.number, line.text) for line in after.lines if line.changed] == [(5, "No.")]


@pytest.mark.parametrize(
    ("wanted", "what"),
    [
        ("0", "no such line, expected 1 to 11"), ("12", "no such line"), ("3,99", "99: the book has no such line"),
        ("", "expected numbers"), ("a", "expected numbers"), ("3-5", "expected numbers"), ("=x", "expected numbers"),
        ("3,=x", "expected numbers"), ("3=", "the new text is empty"), ("3= ", "the new text is empty"),
        ("3=!", "can be spoken"), ("3=😀", "can be spoken"), ("3=One. Two.", "needs 2 lines"), ("9" * 4000, "expected numbers"),
        ("3=Hm. [pause 2s]", "--redo 3: .*asks for a pause"), ("3=[pause 2s] Hm.", "asks for a pause"),
        ("3=Hm [pause 5] hm.", "--redo 3: .*expected a pause in seconds"), ("3=[pause 2s]", "pauses alone"),
        ("3={", "--redo 3: .*brace"), ("³", "expected numbers"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_refused(wanted: str, what: str, plan: Plan, speaker: Speaker) -> None:
    redo = Redo()
    with pytest.raises(TextError, match=what):
        add(redo, plan, [wanted], speaker)


def test_a_line_of_a_chapter_that_is_not_chosen(plan_of: MakePlan, story: Path, speaker: Speaker) -> None:
    with pytest.raises(TextError, match="in a chapter that is not chosen"):
        add(Redo(), plan_of(story, "2-3"), ["1"], speaker)
