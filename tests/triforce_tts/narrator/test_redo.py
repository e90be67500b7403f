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
        ("3={", "--redo 3: .*brace"), ("3=So 日本 it is.", "signs without an English reading .日本."), ("³", "expected numbers"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_refused(wanted: str, what: str, plan: Plan, speaker: Speaker) -> None:
    redo = Redo()
    with pytest.raises(TextError, match=what):
        add(redo, plan, [wanted], speaker)


def test_a_line_of_a_chapter_that_is_not_chosen(plan_of: MakePlan, story: Path, speaker: Speaker) -> None:
    with pytest.raises(TextError, match="in a chapter that is not chosen"):
        add(Redo(), plan_of(story, "2-3"), ["1"], speaker)


TWICE = 'He came. "Yes," he said. She left.\n\nIt rained. "Yes," he said. The wind rose.\n'
MORE = 'At first nobody spoke. "Yes," he said. Then they spoke.\n\n'


def texts(plan: Plan) -> list[str]:
    return [line.text for line in plan.lines]


def asked(plan_of: MakePlan, path: Path, speaker: Speaker, number: int, said: str = "=No.") -> tuple[Redo, Plan]:
    """A wish for a line of the text with equal lines, and the plan with it."""
    path.write_text(TWICE)
    plan, redo = plan_of(path), Redo()
    assert texts(plan)[1] == texts(plan)[4]
    redo.add(plan, [f"{number}{said}"], texts(plan), speaker)
    return redo, plan_of(path, replacements=redo.replacement)


def edited(plan_of: MakePlan, path: Path, redo: Redo, text: str) -> tuple[bool, Plan]:
    """Whether the wish moved in the edited book, and its plan."""
    path.write_text(text)
    moved = redo.follow(texts(plan_of(path)))
    return moved, plan_of(path, replacements=redo.replacement)


@pytest.mark.parametrize("number", [2, 5])
def test_a_wish_stays_with_its_line_behind_a_new_equal_one(
    number: int, plan_of: MakePlan, story: Path, speaker: Speaker, tmp_path: Path
) -> None:
    redo, before = asked(plan_of, story, speaker, number)
    redo.write(tmp_path)
    redo = Redo.read(tmp_path)
    moved, after = edited(plan_of, story, redo, MORE + TWICE)
    assert moved and redo.is_changed
    assert [line.number for line in after.lines if line.changed] == [number + 3]
    assert after.lines[number + 2].key == before.lines[number - 1].key  # its sound stays
    assert edited(plan_of, story, redo, MORE + TWICE)[0] is False
    moved, back = edited(plan_of, story, redo, TWICE)
    assert moved and [line.key for line in back.lines if line.changed] == [before.lines[number - 1].key]
    redo.add(back, [str(number)], texts(plan_of(story)), speaker)
    assert plan_of(story, replacements=redo.replacement).lines[number - 1].key != before.lines[number - 1].key


def test_all_wishes_for_equal_lines_move_together(plan_of: MakePlan, story: Path, speaker: Speaker) -> None:
    redo, _ = asked(plan_of, story, speaker, 2)
    redo.add(plan_of(story), ["5=Never."], texts(plan_of(story)), speaker)
    moved, after = edited(plan_of, story, redo, MORE + TWICE)
    assert moved
    assert [(line.number, line.text) for line in after.lines if line.changed] == [(5, "No."), (8, "Never.")]


def test_where_it_is_not_certain_a_wish_stays(plan_of: MakePlan, story: Path, speaker: Speaker) -> None:
    redo, _ = asked(plan_of, story, speaker, 2)
    moved, after = edited(plan_of, story, redo, 'He went. "Yes," he said. She left.\n\n' * 3)
    assert not moved and [line.number for line in after.lines if line.changed] == [2]
    other = 'Nobody came. "Yes," he said. Nobody left.\n\n'
    moved, _ = edited(plan_of, story, redo, other * 2)
    assert not moved
    moved, after = edited(plan_of, story, redo, other + 'He went. "Yes," he said. She left.\n')
    assert moved and [line.number for line in after.lines if line.changed] == [5]  # it had kept its neighbours
    moved, after = edited(plan_of, story, redo, "It was dark.\n")
    assert not moved and redo.entries  # the wish waits for its line
    moved, after = edited(plan_of, story, redo, TWICE)
    assert [line.number for line in after.lines if line.changed] == [2]


def test_a_wish_of_an_earlier_version_learns_its_neighbours(plan_of: MakePlan, story: Path, speaker: Speaker) -> None:
    redo, _ = asked(plan_of, story, speaker, 2)
    ((key, entry),) = redo.entries.items()
    redo = Redo({key: entry.model_copy(update={"before": "", "after": ""})})
    assert not edited(plan_of, story, redo, TWICE)[0]
    assert redo.is_changed and redo.entries == {key: entry}
