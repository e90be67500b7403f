"""Whole narrations by a tiny model: what is done is not done again, and whatever happens in between, the bytes are the same."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tests.triforce_tts.narrator.conftest import STORY, tone
from tests.triforce_tts.narrator.readalong import read_along
from triforce_tts.books.read import read_chapters
from triforce_tts.errors import TriforceError
from triforce_tts.judges.recognisers import Recogniser
from triforce_tts.narrator import speaking
from triforce_tts.narrator.checks import Checker
from triforce_tts.narrator.narrate import Outcome, narrate
from triforce_tts.narrator.order import Order, check_order
from triforce_tts.narrator.plan import PLAN, PlannedLine
from triforce_tts.narrator.report import PAGE
from triforce_tts.narrator.speaking import Studio, voice_identity
from triforce_tts.speech import Spoken
from triforce_tts.synthesis import Synthesizer

Events = list[tuple[str, float, float]]
Run = Callable[..., tuple[Outcome, Events]]
_speak_really = speaking._take


def hum(studio: Studio, line: PlannedLine, number: int) -> Spoken:
    """A take without a model: a tone as long as the text predicts, whose pitch comes from the seed and the voice."""
    seconds = len(line.text) / studio.synthesizer.model.characters_per_second
    pitch = 150 + (line.seed + 7 * number + int(voice_identity(studio.voice), 16)) % 200
    samples = tone(seconds, pitch, rate=studio.synthesizer.audio.sample_rate)
    return Spoken(line.text, samples, torch.zeros(1, 1), True, seconds, line.pause_s)


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speaking, "_take", hum)


@pytest.fixture(scope="module")
def studio(model: Path) -> Studio:
    synthesizer = Synthesizer.load(model, "cpu")
    return Studio(synthesizer, synthesizer.voice(), Checker(None, None), 1)


@pytest.fixture
def run(studio: Studio, story: Path, one_thread: None) -> Run:
    """Narrates the story; returns what came of it and the events of progress."""

    def work(out: Path, by: Studio = studio, **more: object) -> tuple[Outcome, Events]:
        events: Events = []

        def note(event: str, done: float, total: float, left_s: float | None, **values: object) -> None:
            events.append((event, done, total))

        order = Order(story, out, **more)  # type: ignore[arg-type]
        book = read_chapters(story)
        check_order(order, book)
        return narrate(order, book, by, note), events

    return work


def spoken(events: Events) -> int:
    """How many lines were spoken in a run."""
    return len([event for event in events if event[0] == "line"]) - 1


def stopping(progress_after: int) -> Callable[..., None]:
    def stop(event: str, done: float, total: float, left_s: float | None, **values: object) -> None:
        if event == "line" and done >= progress_after:
            raise KeyboardInterrupt

    return stop


def test_a_narration_has_its_file_plan_lines_and_report(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(speaking, "_take", _speak_really)
    out = tmp_path / "book.m4b"
    outcome, events = run(out, subtitles=tmp_path / "book.srt")
    folder = tmp_path / "book.narration"
    plan = json.loads((folder / PLAN).read_text())
    lines = [line for chapter in plan["chapters"] for block in chapter["blocks"] for line in block["lines"]]
    assert len(lines) == spoken(events) == 11
    for line in lines:
        assert (folder / "lines" / f"{line['key']}.json").is_file()
    page = (folder / PAGE).read_text()
    assert page.count("<tr id=") == 11
    assert "http" not in page.replace("http-equiv", "")
    assert page.count("class=fault") == sum(len(record.flags) for record in outcome.records.values())
    assert (tmp_path / "book.srt").read_text().count(" --> ") == sum(r.samples > 0 for r in outcome.records.values())
    assert outcome.files[0].chapters == 3


def test_a_second_run_speaks_nothing_and_writes_the_same(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "book.flac"
    run(out)
    before = out.read_bytes()
    _, events = run(out)
    assert spoken(events) == 0
    assert out.read_bytes() == before


def test_after_interruptions_and_damage_the_file_is_that_of_an_undisturbed_run(
    run: Run, studio: Studio, story: Path, tmp_path: Path
) -> None:
    run(tmp_path / "whole.flac")
    out = tmp_path / "book.flac"
    book = read_chapters(story)
    for count in (2, 5):
        with pytest.raises(KeyboardInterrupt):
            narrate(Order(story, out), book, studio, stopping(count))
        assert not out.exists()
    files = sorted((tmp_path / "book.narration" / "lines").iterdir())
    files[0].write_bytes(files[0].read_bytes()[:50])
    files[-1].unlink()
    _, events = run(out)
    assert spoken(events) == 11 - 5 + 2
    assert out.read_bytes() == (tmp_path / "whole.flac").read_bytes()


def test_an_edited_book_speaks_what_is_new(run: Run, story: Path, tmp_path: Path) -> None:
    run(tmp_path / "book.flac")
    story.write_text(STORY.replace("Another day.", "Another night. It rained."))
    _, events = run(tmp_path / "book.flac")
    assert spoken(events) == 2
    run(tmp_path / "fresh.flac")
    assert (tmp_path / "book.flac").read_bytes() == (tmp_path / "fresh.flac").read_bytes()


def test_lines_are_spoken_anew_and_stay_so(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "book.flac"
    before, _ = run(out)
    after, events = run(out, redo=("3,5=In other words.",))
    assert spoken(events) == 2
    assert after.plan.lines[4].text == "In other words."
    assert after.plan.lines[2].seed != before.plan.lines[2].seed
    changed = out.read_bytes()
    assert spoken(run(out)[1]) == 0
    assert out.read_bytes() == changed


def test_a_line_spoken_anew_is_the_same_behind_a_new_equal_one(run: Run, story: Path, tmp_path: Path) -> None:
    out = tmp_path / "book.flac"
    before, _ = run(out, redo=("3=In other words.",))
    story.write_text(STORY.replace("Mr. Green", '"Yes," he said. "Yes," he said. Mr. Green'))
    for _ in range(2):
        outcome, _ = run(out)
        changed = [line for line in outcome.plan.lines if line.changed]
        assert [line.number for line in changed] == [5]
        assert changed[0].key == before.plan.lines[2].key


def test_another_voice_or_seed_is_another_sound(run: Run, studio: Studio, tmp_path: Path) -> None:
    out = tmp_path / "book.flac"
    run(out, chapters="2")
    assert spoken(run(out, chapters="2", seed=1)[1]) == 3
    other = replace(studio.voice, speaker=studio.voice.speaker + 1)
    assert voice_identity(other) != voice_identity(studio.voice)
    assert spoken(run(out, replace(studio, voice=other), chapters="2")[1]) == 3
    assert spoken(run(out, chapters="2")[1]) == 0


def test_one_file_a_chapter(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "audio"
    outcome, _ = run(out, chapters="1,3", chapter_format=".opus")
    names = [path.name for path in sorted(out.iterdir()) if not path.name.startswith(".")]
    assert names == ["1 CHAPTER I.opus", "3 CHAPTER III.opus"]
    assert (tmp_path / "audio.narration" / PLAN).is_file()
    assert [written.path.name for written in outcome.files] == names


def test_a_chapter_that_got_another_title_is_not_there_twice(run: Run, story: Path, tmp_path: Path) -> None:
    out = tmp_path / "audio"
    run(out, chapter_format=".opus")
    (out / "notes.opus").write_bytes(b"mine")
    story.write_text(STORY.replace("CHAPTER II\n", "CHAPTER II. THE WIND\n"))
    outcome, _ = run(out, chapter_format=".opus")
    names = {path.name for path in out.iterdir() if not path.name.startswith(".")}
    assert names == {"notes.opus", *(written.path.name for written in outcome.files)}
    assert len(outcome.files) == 3
    assert any("'2 CHAPTER II.opus'" in remark for remark in outcome.remarks)


def test_a_line_is_tried_until_the_checks_are_content_and_the_best_is_kept(
    studio: Studio, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults = {0: ("a", "b", "c"), 1: ("a",), 2: ("a", "b")}
    seeds: list[int] = []

    def take(by: Studio, line: object, number: int) -> Spoken:
        seeds.append(number)
        samples = torch.full((1000 + number,), 0.05)
        return Spoken(f"{number}", samples, torch.zeros(1, 1), True, 1.0, 0.1, unsaid=faults[number])

    monkeypatch.setattr(speaking, "_take", take)
    outcome, _ = run(tmp_path / "book.wav", replace(studio, tries=3), chapters="3")
    assert seeds == [0, 1, 2] * 2
    assert [(r.take, r.tries, r.samples) for r in outcome.records.values()] == [(1, 3, 1001)] * 2
    assert [line.number for line in outcome.flagged] == [10, 11]
    run(tmp_path / "book.wav", replace(studio, tries=3), chapters="3")
    assert len(seeds) == 6  # each line was tried as often as allowed


def test_takes_of_a_line_differ(studio: Studio, run: Run, tmp_path: Path) -> None:
    outcome, _ = run(tmp_path / "book.wav", chapters="3")
    line = outcome.plan.lines[1]
    first, again, second = (_speak_really(studio, line, number) for number in (0, 0, 1))
    assert torch.equal(first.samples, again.samples)
    assert not torch.equal(first.codes, second.codes)


def test_a_stricter_check_looks_at_the_sound_again_and_speaks_only_what_fails(
    studio: Studio, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "book.wav"
    run(out, chapters="3")
    before = out.read_bytes()
    takes: list[int] = []

    def take(by: Studio, line: PlannedLine, number: int) -> Spoken:
        takes.append(line.number)
        return hum(by, line, number)

    monkeypatch.setattr(speaking, "_take", take)
    aligned = replace(studio, checker=Checker(lambda audio, text: [[0.0, 0.5]], None))
    outcome, _ = run(out, aligned, chapters="3")
    assert takes == []
    assert {record.checks for record in outcome.records.values()} == {("engine", "sound", "alignment")}
    assert spoken(run(out, chapters="3")[1]) == 0  # fewer checks need nothing new
    assert out.read_bytes() == before
    strict = replace(studio, checker=Checker(lambda audio, text: None, Recogniser("deaf", lambda wave: "")))
    run(out, strict, chapters="3")
    assert takes == [10, 11]


def test_two_narrations_at_once_are_refused(studio: Studio, story: Path, tmp_path: Path) -> None:
    out = tmp_path / "book.flac"
    book = read_chapters(story)

    def second(event: str, done: float, total: float, left_s: float | None, **values: object) -> None:
        with pytest.raises(TriforceError, match="another process is writing here"):
            narrate(Order(story, out), book, studio, lambda *_, **__: None)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        narrate(Order(story, out), book, studio, second)


def test_a_folder_of_somebody_else_is_left_alone(run: Run, tmp_path: Path) -> None:
    (tmp_path / "book.narration").mkdir()
    (tmp_path / "book.narration" / "letters.txt").write_text("mine")
    with pytest.raises(TriforceError, match=r"letters\.txt"):
        run(tmp_path / "book.m4b")


@pytest.mark.parametrize(
    ("given", "own", "number", "show", "grouping"),
    [
        ("Holmes #3", "Other", "1", "Holmes", "Holmes #3"),
        ("Holmes", "Other", "1", "Holmes", "Holmes"),
        (None, "Other", "1", "Other", "Other #1"),
        (None, "Other", "", "Other", "Other"),
    ],
)
def test_a_series_is_in_the_tags(
    given: str | None, own: str, number: str, show: str, grouping: str, studio: Studio, story: Path, tmp_path: Path
) -> None:
    import av

    book = read_chapters(story)
    book = replace(book, about=replace(book.about, series=own, number=number, date="1892"))
    out = tmp_path / "book.m4b"
    overlay = tmp_path / "along.epub"
    order = Order(story, out, chapters="3", series=given, credits=True, overlay=overlay)
    narrate(order, book, studio, lambda *_, **__: None)
    assert [len(lines) for lines in read_along(overlay)] == [2, 2, 3]
    with av.open(str(out)) as container:
        tags = dict(container.metadata)
        titles = [chapter["metadata"]["title"] for chapter in container.chapters()]
    assert (tags["show"], tags["grouping"], tags["date"]) == (show, grouping, "1892")
    assert titles == ["Opening credits", "CHAPTER III", "Closing credits"]


@pytest.mark.parametrize(
    ("voice", "given", "composer"),
    [("af_heart", None, "synthetic voice 'af_heart'"), ("", None, "synthetic voice"), ("af_heart", "Ann", "Ann")],
)
def test_the_tags_name_the_voice_or_say_only_that_it_is_one(
    voice: str, given: str | None, composer: str, run: Run, studio: Studio, tmp_path: Path
) -> None:
    import av

    out = tmp_path / "book.m4b"
    run(out, replace(studio, voice=replace(studio.voice, name=voice)), chapters="3", narrator=given)
    with av.open(str(out)) as container:
        assert container.metadata["composer"] == composer


def test_several_takes_of_every_line_are_compared_also_after_a_run_with_one(
    run: Run, studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[tuple[int, int]] = []

    def count(studio: Studio, line: PlannedLine, number: int) -> Spoken:
        made.append((line.number, number))
        return hum(studio, line, number)

    monkeypatch.setattr(speaking, "_take", count)
    likeness = Checker(None, None, likeness=lambda audio: float(len(made)) / 1000 + 0.8)  # the last take is the best
    best = replace(studio, takes=3, checker=likeness)
    out = tmp_path / "book.flac"
    run(out, by=replace(studio, checker=likeness))
    assert {number for _, number in made} == {0}
    made.clear()
    outcome, _ = run(out, by=best)
    assert made == [(line, number) for line in range(1, 12) for number in range(3)]
    longer = [record for record in outcome.records.values() if "likeness" in record.figures]
    assert longer
    assert {record.take for record in longer} == {2}
    assert {record.tries for record in outcome.records.values()} == {3}
    made.clear()
    run(out, by=best)
    run(out, by=replace(studio, checker=likeness))
    assert made == []  # a line with three takes needs no more
