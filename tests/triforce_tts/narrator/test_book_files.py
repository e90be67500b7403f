"""Files that are written at the same time are the files that are written one by one."""

import math
import threading
from pathlib import Path

import pytest

from tests.triforce_tts.narrator.conftest import MakePlan, tones
from triforce_tts.errors import TriforceError
from triforce_tts.narrator import book_files
from triforce_tts.narrator.book_file import Content, write_book
from triforce_tts.narrator.book_files import write_books
from triforce_tts.narrator.master import PROFILES
from triforce_tts.narrator.timeline import lay_out

ACX = PROFILES["acx"]


def contents(plan_of: MakePlan, story: Path, seconds: float = 0.6) -> list[Content]:
    plan = plan_of(story)
    lines, records = tones(plan, seconds)
    return [
        Content(lay_out([part], records, 44_100, ACX.head_s, ACX.tail_s), lines, {"title": part.title})
        for part in plan.parts
    ]


def places(folder: Path, some: list[Content]) -> list[tuple[Path, Content]]:
    folder.mkdir(exist_ok=True)
    return [(folder / f"{number}.mp3", content) for number, content in enumerate(some)]


def test_they_have_the_bytes_and_figures_of_files_written_alone(plan_of: MakePlan, story: Path, tmp_path: Path) -> None:
    some = contents(plan_of, story)
    reports: list[tuple[str, float, float]] = []
    together = list(write_books(places(tmp_path / "a", some), ACX, lambda *report: reports.append(report), 3))
    alone = [write_book(*place, ACX, lambda *_: None) for place in places(tmp_path / "b", some)]
    assert len(some) == 3
    for one, other in zip(together, alone, strict=True):
        assert one.path.name == other.path.name
        assert one.path.read_bytes() == other.path.read_bytes()
        assert (one.loudness, one.results, one.passes) == (other.loudness, other.results, other.passes)
    total = math.fsum(content.timeline.seconds for content in some)
    for event in ("measure", "encode", "verify"):
        done = [seconds for name, seconds, whole in reports if name == event and whole == total]
        assert done == sorted(done)
        assert done[-1] == total or (event == "verify" and done[-1] == pytest.approx(total, rel=0.01))


def test_so_many_are_written_at_the_same_time(
    plan_of: MakePlan, story: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    two_at_once = threading.Barrier(2, timeout=60)
    names: set[str] = set()

    def together(path: Path, *_: object) -> Path:
        two_at_once.wait()
        return path

    def noted(path: Path, *_: object) -> Path:
        names.add(threading.current_thread().name)
        return path

    files = places(tmp_path, contents(plan_of, story) * 2)
    monkeypatch.setattr(book_files, "write_book", together)
    monkeypatch.setattr(book_files, "useful_cores", lambda: 2)
    made: list[object] = list(write_books(files, ACX, lambda *_: None, 2))
    assert made == [path for path, _ in files]
    monkeypatch.setattr(book_files, "write_book", noted)
    made = list(write_books(files, ACX, lambda *_: None, 1))
    assert made == [path for path, _ in files]
    assert len(names) == 1
    assert list(write_books([], ACX, lambda *_: None)) == []


def test_a_second_pass_does_not_count_backwards() -> None:
    reports: list[float] = []
    together = book_files._Together(lambda _, done, __: reports.append(done), 20.0)
    for number, done in ((0, 5.0), (1, 3.0), (0, 10.0), (0, 1.0), (1, 10.0)):
        together.report(number, "encode", done, 10.0)
    assert reports == [5.0, 8.0, 13.0, 13.0, 20.0]


def test_the_last_report_is_of_the_whole_in_whatever_order_files_end() -> None:
    lengths = [0.1 + 0.7 * number for number in range(9)]
    for order in (range(9), reversed(range(9)), (4, 2, 8, 0, 6, 1, 3, 7, 5)):
        reports: list[tuple[float, float]] = []
        total = math.fsum(lengths)
        together = book_files._Together(lambda _, done, whole, reports=reports: reports.append((done, whole)), total)
        for number in order:
            together.report(number, "encode", lengths[number], lengths[number])
        assert reports[-1] == (total, total)


def test_few_files_are_written_ahead_of_the_reader(
    plan_of: MakePlan, story: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[Path] = []
    monkeypatch.setattr(book_files, "write_book", lambda path, *_: begun.append(path) or path)
    monkeypatch.setattr(book_files, "useful_cores", lambda: 2)
    files = places(tmp_path, contents(plan_of, story) * 4)
    for number, path in enumerate(write_books(files, ACX, lambda *_: None, 8)):
        assert path == files[number][0]
        assert len(begun) <= number + 3
    assert sorted(begun) == sorted(path for path, _ in files)


def test_the_first_error_stops_the_others_and_is_the_one_that_is_told(
    plan_of: MakePlan, story: Path, tmp_path: Path
) -> None:
    files = places(tmp_path, contents(plan_of, story, 60.0))
    (tmp_path / "no").write_text("a file where a folder must be")
    files[1] = (tmp_path / "no" / "b.mp3", files[1][1])
    with pytest.raises(TriforceError, match=r"no/b\.mp3"):
        list(write_books(files, ACX, lambda *_: None, 3))
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".mp3" or "tmp" in path.name] == []


def test_a_reader_who_stops_early_stops_the_writing(plan_of: MakePlan, story: Path, tmp_path: Path) -> None:
    files = places(tmp_path, contents(plan_of, story) * 4)
    writing = write_books(files, ACX, lambda *_: None, 1)
    next(writing)
    writing.close()
    made = {path.name for path in tmp_path.glob("*.mp3")}
    assert "0.mp3" in made
    assert len(made) < len(files)
