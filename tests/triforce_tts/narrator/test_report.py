"""The report shows the worst line first, and what was heard beside what is written."""

from pathlib import Path

from tests.triforce_tts.narrator.conftest import MakePlan, record
from triforce_tts.narrator.report import PAGE, write_report


def test_the_worst_line_comes_first_and_wrong_words_are_marked(plan_of: MakePlan, story: Path, tmp_path: Path) -> None:
    plan = plan_of(story)
    records = {line.key: record(1000, heard=line.text) for line in plan.lines}
    doubtful, worst = plan.lines[3], plan.lines[5]
    records[doubtful.key] = record(1000, figures={"wrong phones": 3.0, "read wrongly": 3.0})
    records[worst.key] = record(1000, heard="It was dork <b>", flags=("a word is missing",))
    write_report(tmp_path, plan, records, [])
    page = (tmp_path / PAGE).read_text(encoding="utf-8")
    order = sorted((page.index(f'<tr id="{line.number}">'), line.key) for line in plan.lines)
    assert [key for _, key in order][:2] == [worst.key, doubtful.key]
    assert "<mark>dork</mark>" in page
    assert "<mark>&lt;b&gt;</mark>" in page
    assert page.count("<mark>") <= 4 + 1
