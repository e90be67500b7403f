"""The command ``narrate``: what it prints, what it writes, and one clear line for what it cannot do."""

import json
import os
import signal
import subprocess
import time
import zipfile
from pathlib import Path

import av
import feedparser
import pytest

from tests import forks, inside, launch
from tests.books import make_epub
from tests.data.web import server
from tests.triforce_tts.books.test_article import PAGE
from tests.triforce_tts.cli.test_bad_input import assert_refused
from tests.triforce_tts.narrator.test_book_file import jpeg

BOOK = "CHAPTER I\n\nMr. Fox ran in 1884.\n\nCHAPTER II\n\nHe hid 日本.\n\nCHAPTER III\n\nNo.\n"


def run(*words: str | Path, file_limit: int | None = None) -> subprocess.CompletedProcess[str]:
    """Narrate; ``file_limit`` bytes for each file imitate a full disk, in a process of its own."""
    if file_limit is None:
        return inside.run("narrate", *words)
    return forks.run([*forks.CLI, "narrate", *words], file_limit=file_limit)


@pytest.fixture
def book(tmp_path: Path) -> Path:
    path = tmp_path / "fox.txt"
    path.write_text(BOOK, encoding="utf-8")
    return path


@pytest.fixture
def quick(model: Path) -> list[str | Path]:
    """Options for a run that takes a second."""
    return ["--model", model, "--tries", "1", "--no-align", "--threads", "1", "--steps", "0"]


def test_chapters_are_listed_without_a_model(book: Path) -> None:
    done = run(book, "--list", "--model", "nowhere")
    assert done.returncode == 0, done.stderr
    assert [line.split() for line in done.stdout.splitlines()] == [
        ["1", "7", "words", "CHAPTER", "I"],
        ["2", "5", "words", "CHAPTER", "II"],
        ["3", "3", "words", "CHAPTER", "III"],
    ]
    assert run(book, "--list", "--chapters", "2-").stdout.splitlines() == done.stdout.splitlines()[1:]
    assert_refused(
        run(book, "--list", "--chapters", "9"),
        "--chapters '9': expected numbers and ranges such as '3-7,9', from 1 to 3",
    )


def test_a_dry_run_accounts_for_every_word_and_writes_nothing(book: Path, quick: list[str | Path]) -> None:
    done = run(book, "--dry-run", "--chapters", "1-2", "--out", book.parent / "new" / "fox.m4b", *quick)
    assert done.returncode == 0, done.stderr
    assert "11 words are spoken, each once and in order, in 4 lines" in done.stdout
    assert "1 word skipped: no English reading, such as " in done.stdout
    assert "3 words skipped: chapter not chosen" in done.stdout
    assert "of speech" in done.stdout
    assert [path.name for path in book.parent.iterdir()] == ["fox.txt"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--redo", "99"], "--redo 99: the book has no such line"),
        (["--redo", "x"], "--redo 'x': expected numbers of lines"),
        (["--cover", "fox.txt"], "expected a picture in JPEG, PNG"),
        (["--cover", "nowhere.png"], "nowhere.png"),
        (["--format", ".xyz"], "--format .xyz: expected one of"),
    ],
)
def test_a_dry_run_refuses_what_the_real_one_refuses(
    words: list[str], told: str, book: Path, quick: list[str | Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(book.parent)
    assert_refused(run(book, "--quiet", "--dry-run", *words, *quick), told)
    assert_refused(run(book, "--quiet", *words, *quick), told)


@pytest.mark.parametrize(
    ("word", "told"),
    [("nowhere.epub", "nowhere.epub: no such file"), ("ftp://example.org/book.txt", "an address of 'ftp'")],
)
def test_a_book_that_is_not_there_is_refused(word: str, told: str) -> None:
    assert_refused(run(word, "--list"), told)


def test_a_book_becomes_a_file_and_progress_is_json(book: Path, quick: list[str | Path]) -> None:
    out = book.parent / "fox.m4b"
    done = run(book, "--out", out, "--progress", "json", "--quiet", *quick)
    assert done.returncode == 0, done.stderr
    assert [line for line in done.stderr.splitlines() if "speech" not in line] == []
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert [event["number"] for event in events if event["event"] == "line" and "number" in event] == [1, 2, 3, 4, 5, 6]
    assert events[-1]["event"] == "verify"
    assert len(events) < 250
    with av.open(str(out)) as container:
        titles = [chapter["metadata"]["title"] for chapter in container.chapters()]
        assert titles == ["CHAPTER I", "CHAPTER II", "CHAPTER III"]
        assert "Synthetic speech" in container.metadata["comment"]
    again = run(book, "--out", out, "--progress", "none", *quick)
    assert "1 chapter" not in again.stderr
    assert "3 chapters" in again.stderr


def test_a_cast_gets_its_lines_and_the_dry_run_counts_them(tmp_path: Path, quick: list[str | Path]) -> None:
    book, cast = tmp_path / "two.txt", tmp_path / "cast.yaml"
    book.write_text('"Yes," said Jack. "No," said Jill.\n')
    cast.write_text("Jack: kathleen\nJill: af_heart\n")
    done = run(book, "--dry-run", "--cast", cast, *quick)
    assert done.returncode == 0, done.stderr
    assert [line for line in done.stdout.splitlines() if " by the " in line] == [
        "2 lines by the model's own voice: the narrator 2",
        "1 line by the voice 'kathleen': Jack 1",
        "1 line by the voice 'af_heart': Jill 1",
    ]
    cast.write_text("Jim: kathleen\n")
    done = run(book, "--cast", cast, "--quiet", *quick)
    assert_refused(done, "no speaker 'Jim'; its speakers are Jack, Jill")


def test_articles_become_the_episodes_of_a_feed(book: Path, quick: list[str | Path]) -> None:
    folder = book.parent / "talks"
    with server.serving() as web:
        web.replies["/flood.html"] = server.whole(PAGE.encode(), "text/html")
        web.replies["/song"] = server.whole(b"ID3", "audio/mpeg")
        url = web.url("/flood.html")
        refused = run(url, "--feed", folder, "--quiet", *quick)
        assert_refused(refused, "--allow-private")
        assert_refused(run(web.url("/song"), "--allow-private", "--quiet", *quick), "expected a web page")
        assert not folder.exists()
        listed = run(url, "--list", "--allow-private")
        assert listed.stdout.split()[2:] == ["words", "The", "Flood"]
        done = run(url, book, "--feed", folder, "--feed-url", "https://example.org/t", "--allow-private", *quick)
    assert done.returncode == 0, done.stderr
    parsed = feedparser.parse((folder / "feed.xml").read_bytes())
    assert sorted(entry.title for entry in parsed.entries) == ["The Flood", "fox"]
    for entry in parsed.entries:
        (enclosure,) = entry.enclosures
        path = folder / enclosure.href.removeprefix("https://example.org/t/")
        assert int(enclosure.length) == path.stat().st_size
        with av.open(str(path)) as container:
            assert abs(container.duration / 1e6 - int(entry.itunes_duration)) < 1
    article = next(entry for entry in parsed.entries if entry.title == "The Flood")
    assert (article.author, article.link) == ("Ann Poe", url)
    assert article.published.startswith("Thu, 02 Mar 1899")


def test_a_chapter_is_an_episode_beside_the_book_and_its_cover_is_the_picture(
    book: Path, quick: list[str | Path]
) -> None:
    folder, cover = book.parent / "talks", book.parent / "cover.jpg"
    cover.write_bytes(jpeg())
    assert run(book, "--feed", folder, "--quiet", *quick).returncode == 0
    done = run(book, "--feed", folder, "--chapters", "1", "--cover", cover, *quick)
    assert done.returncode == 0, done.stderr
    assert "the picture of the podcast is 32 x 16 pixels" in done.stderr
    parsed = feedparser.parse((folder / "feed.xml").read_bytes())
    titles = {entry.title: entry.enclosures[0].href.rpartition("/")[2] for entry in parsed.entries}
    assert titles == {"fox": "fox.mp3", "fox: CHAPTER I": "fox-chapters-1.mp3"}
    for title, name in titles.items():
        with av.open(str(folder / name)) as container:
            assert (container.metadata["title"], container.metadata["album"]) == (title, "fox")
    picture = parsed.feed.image.href.rpartition("/")[2]
    assert (folder / picture).read_bytes() == cover.read_bytes()


def test_killed_in_the_middle_it_goes_on_to_the_same_file(book: Path, quick: list[str | Path]) -> None:
    whole, out = book.parent / "whole.flac", book.parent / "fox.flac"
    assert run(book, "--out", whole, *quick).returncode == 0
    words = [*forks.CLI, "narrate", book, "--out", out, "--progress", "json", *quick]
    lines = book.parent / "fox.narration" / "lines"
    program = forks.Program(words)
    deadline = time.monotonic() + 60
    while len(list(lines.glob("*.json"))) < 2 and program.poll() is None and time.monotonic() < deadline:
        time.sleep(0.005)
    os.kill(program.pid, signal.SIGKILL)
    assert program.wait() == -signal.SIGKILL
    assert not out.exists()
    assert run(book, "--out", out, *quick).returncode == 0
    assert out.read_bytes() == whole.read_bytes()
    assert [p.name for p in book.parent.rglob("*") if ".tmp" in p.name] == []


def test_two_launched_processes_make_the_file_of_one(book: Path, quick: list[str | Path]) -> None:
    one, two = book.parent / "one.flac", book.parent / "two.flac"
    assert run(book, "--out", one, *quick).returncode == 0
    words = [str(word) for word in [*forks.CLI, "narrate", book, "--out", two, *quick]]
    codes, _, errors = launch.in_forks(words, 2)
    assert codes == [0, 0], errors
    assert two.read_bytes() == one.read_bytes()
    refused = run(book, "--out", two, "--processes", "-1", *quick)
    assert_refused(refused, "--processes -1: expected a whole number")


def test_two_launched_processes_make_the_episodes_of_one_with_a_cast(book: Path, quick: list[str | Path]) -> None:
    folder, cast = book.parent, book.parent / "cast.yaml"
    book.write_text('"Yes," said Jack.\n')
    other = folder / "sub" / "fox.txt"  # another file with the same name
    other.parent.mkdir()
    other.write_text("Jack hid.\n")
    cast.write_text("chapter 1: kathleen\n")
    words = ["narrate", book, other, "--cast", cast, "--quiet", *quick]
    done = forks.run([*forks.CLI, *words, "--feed", folder / "one"])
    assert done.returncode == 0, done.stderr
    codes, _, errors = launch.in_forks([str(word) for word in [*forks.CLI, *words, "--feed", folder / "two"]], 2)
    assert codes == [0, 0], errors
    episodes = {path.name: path.read_bytes() for path in (folder / "one").glob("*.mp3")}
    assert len(episodes) == 2
    assert {path.name: path.read_bytes() for path in (folder / "two").glob("*.mp3")} == episodes


def hostile(kind: str, folder: Path) -> Path:
    path = folder / f"{kind}.txt"
    if kind == "empty":
        path.touch()
    elif kind == "blank":
        path.write_text(" \n\n  \n")
    elif kind == "unspeakable":
        path.write_text("日本語。\n\n😀")
    elif kind == "not-text":
        path.write_bytes(bytes(range(256)) * 40)
    elif kind == "folder":
        path = folder / "books"
        path.mkdir()
    elif kind == "epub":
        path = folder / "broken.epub"
        path.write_bytes(b"PK\x03\x04 no zip at all")
    elif kind == "bomb":
        path = make_epub(folder / "bomb.epub", {"a.xhtml": "<p>No.</p>"})
        with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("OEBPS/b.xhtml", "a" * 60_000_000)
        _replace(path, b"a.xhtml", b"b.xhtml")
    elif kind == "entities":
        declared = "".join(f"<!ENTITY l{n} '{f'&l{n - 1};' * 10 if n else 'lol'}'>" for n in range(10))
        path = make_epub(
            folder / "lol.epub", {"a.xhtml": f"<!DOCTYPE html [{declared}]><html><body><p>&l9;</p></body></html>"}
        )
    elif kind == "traversal":
        secret = folder / "secret.xhtml"
        secret.write_text("<html><body><p>It is evil.</p></body></html>")
        path = make_epub(folder / "out.epub", {"../../secret.xhtml": ""}, spine=["../../secret.xhtml"])
    elif kind == "spine":
        path = make_epub(folder / "spine.epub", {"a.xhtml": "<p>No.</p>"}, spine=["a.xhtml"] * 20_001)
    elif kind == "no chapters":
        path = make_epub(folder / "none.epub", {})
    elif kind == "long word":
        path.write_text("a" * 1_000_000)
    elif kind == "long word of Markdown":
        path = folder / "long.md"
        path.write_text("[" * 200_000)
    elif kind == "cut zip":
        whole = make_epub(folder / "cut.epub", {"a.xhtml": "<p>No.</p>"}).read_bytes()
        path = folder / "cut.epub"
        path.write_bytes(whole[: len(whole) // 2])
    elif kind == "pdf":
        path = folder / "book.pdf"
        path.write_bytes(b"%PDF-1.7")
    return path


def _replace(path: Path, before: bytes, after: bytes) -> None:
    """Point the package at another page."""
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content.replace(before, after) if name.endswith(".opf") else content)


HOSTILE = (
    "missing", "empty", "blank", "unspeakable", "not-text", "folder", "epub", "pdf", "bomb", "entities", "traversal", "spine",
    "no chapters", "long word", "long word of Markdown", "cut zip",
)  # fmt: skip


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_book_that_cannot_be_read(kind: str, tmp_path: Path, quick: list[str | Path]) -> None:
    path = hostile(kind, tmp_path)
    before = sorted(tmp_path.rglob("*"))
    done = run(path, "--out", tmp_path / "new" / "out.m4b", *quick)
    lines = [line for line in done.stderr.splitlines() if "speech" not in line]
    assert done.returncode == 2, done.stderr
    assert len(lines) == 1, done.stderr
    assert sorted(p for p in tmp_path.rglob("*") if p.is_file()) == [p for p in before if p.is_file()]


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["--chapters", "4"], "from 1 to 3"),
        (["--chapters", ""], "--chapters: expected a value, found an empty text"),
        (["--chapters", "3-1"], "from 1 to 3"),
        (["--out", "out.xyz"], ".m4b"),
        (["--out", "fox.txt"], "is, or holds, the input"),
        (["--out", "fox.txt/out.m4b"], "cannot write the file"),
        (["--out", "."], "is, or holds, the input"),
        (["--out", "audio", "--format", "ogg"], "expected one of"),
        (["--out", "audio", "--subtitles", "a.srt"], "subtitles belong to one file"),
        (["--subtitles", "a.txt"], ".srt, .vtt"),
        (["--tries", "0"], "--tries 0"),
        (["--notes", "some"], "skip, inline, end"),
        (["--master", "loud"], "none, acx, podcast"),
        (["--progress", "loud"], "bar, json, none"),
        (["--seed", "-1"], "--seed -1"),
        (["--chapter-pattern", "("], "pattern"),
        (["--recogniser", "nowhere"], "nowhere"),
        (["--redo", "99"], "no such line"),
        (["fox.txt"], "2 books, expected one"),
        (["fox.txt", "--feed", "talks"], "it is given twice"),
        (["nowhere.txt", "--feed", "talks", "--chapters", "1"], "--chapters: it belongs to one book"),
        (["--feed", "talks", "--out", "a.mp3"], "leave --out away"),
        (["--feed", "fox.txt"], "expected a folder for the feed"),
        (["--feed-url", "https://example.org/"], "expected --feed DIR"),
        (["--overlay", "a.pdf"], "expected a name in .epub"),
        (["--overlay", "fox.txt"], ".epub"),
        (["--cast", "nowhere.yaml"], "nowhere.yaml"),
        (["--cast", "fox.txt"], "has no tab"),
        (["--pronounce", "nowhere.txt"], "nowhere.txt"),
        (["--series", ""], "--series"),
        (["--redo", "x"], "expected numbers"),
        (["--redo", "1="], "empty"),
        (["--out", "/dev/null"], "expected a folder to write, found a file"),
        (["--out", "/"], "is, or holds, the input"),
        (["--title", "a\nb"], "--title"),
        (["--author", " "], "--author"),
        (["--cover", "fox.txt"], "JPEG, PNG, WebP or GIF"),
        (["--cover", "nowhere.jpg"], "nowhere.jpg"),
        (["--voice", "nowhere.wav"], "nowhere.wav"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    words: list[str], what: str, book: Path, quick: list[str | Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(book.parent)
    done = run(book, "--progress", "none", "--quiet", *quick, *words)
    assert_refused(done, what)
    assert not [path for path in book.parent.rglob("*") if path.suffix in (".m4b", ".mp3", ".srt", ".flac")]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--cover", "fox.txt"], "expected a picture in JPEG, PNG"),
        (["--cover", "nowhere.png"], "nowhere.png"),
        (["--redo", "x"], "--redo 'x': expected numbers of lines"),
        (["--voice", "nowhere.wav"], "nowhere.wav: no such file"),
    ],
)
def test_what_needs_no_model_is_refused_before_there_is_one(
    words: list[str], told: str, book: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(book.parent)
    assert_refused(run(book, "--model", "no-model", "--dry-run", *words), told)
    assert_refused(run(book, "--model", "no-model", *words), told)


def test_a_disk_that_is_full(book: Path, quick: list[str | Path]) -> None:
    out = book.parent / "fox.wav"
    for limit in (300, 3_000, 30_000):
        done = run(book, "--out", out, "--progress", "none", "--quiet", *quick, file_limit=limit)
        assert_refused(done, "free some space", out=out)
    assert run(book, "--out", out, *quick).returncode == 0


def test_a_second_process_on_the_same_narration(book: Path, quick: list[str | Path]) -> None:
    out = book.parent / "fox.m4b"
    assert run(book, "--out", out, *quick).returncode == 0
    import fcntl

    with (book.parent / "fox.narration" / ".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = run(book, "--out", out, "--progress", "none", "--quiet", *quick)
    assert_refused(done, "another process is writing here")


def test_names_of_files_that_are_no_text(tmp_path: Path, quick: list[str | Path]) -> None:
    folder = tmp_path / "books"
    folder.mkdir()
    for name in (b"\xff1.txt", b"2\n.txt"):
        (folder / os.fsdecode(name)).write_text("It rained.")
    out = tmp_path / "out.m4b"
    done = run(folder, "--out", out, "--progress", "none", "--quiet", *quick)
    assert done.returncode == 0, done.stderr
    with av.open(str(out)) as container:
        assert sorted(chapter["metadata"]["title"] for chapter in container.chapters()) == ["2", "?1"]
