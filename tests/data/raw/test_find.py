import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.data.web import server as w
from tests.data.web.test_fetch import MP3, config
from triforce_tts.audio.io import Audio, write_audio
from triforce_tts.data.labelled.babble import VOICES, speak
from triforce_tts.data.raw.find import find_recordings
from triforce_tts.data.web.feeds import parse_feed, read_feed, read_url_list
from triforce_tts.errors import AudioError, ShardError

FEED = """<?xml version="1.0"?>
<rss version="2.0" xmlns:creativeCommons="http://backend.userland.com/creativeCommonsRssModule"><channel>
<title>A <b>show</b></title><link>{base}/</link>
<creativeCommons:license>http://creativecommons.org/licenses/by/4.0/</creativeCommons:license>
<item><title>One &amp; only</title><guid>tag:1</guid><enclosure url="{base}/one.mp3" type="audio/mpeg" length="1"/>
<pubDate>Mon, 02 Mar 2020 10:00:00 GMT</pubDate></item>
<item><title>Text</title><guid>tag:2</guid></item>
<item><title>Gone</title><guid>tag:3</guid><enclosure url="/gone.mp3" type="audio/mpeg"/></item>
<item><title>Trap</title><guid>tag:4</guid><enclosure url="file:///etc/passwd.mp3" type="audio/mpeg"/></item>
</channel></rss>"""


def sound(path: Path, text: str = "a plain sentence") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_audio(path, Audio(speak(text, next(iter(VOICES))).samples, 16000))
    return path


@pytest.fixture
def web() -> Iterator[w.Web]:
    with w.serving() as serving:
        yield serving


def test_folders_are_searched_through(tmp_path: Path) -> None:
    top = tmp_path / "in"
    sound(top / "b.wav", "two words")
    sound(top / "deep" / "a.MP3".lower(), "one word")
    (top / "deep" / "a.mp3").rename(top / "deep" / "A.MP3")
    (top / "notes.txt").write_text("no sound")
    sound(top / ".hidden.wav", "hidden")
    (top / "empty.wav").touch()
    (top / "loop").symlink_to(top)
    (top / "nowhere.wav").symlink_to(top / "missing.wav")
    sources, failures = find_recordings([str(top)], tmp_path / "d", config())
    assert [Path(s.path).name for s in sources] == ["b.wav", "A.MP3"]
    assert {Path(f.name).name for f in failures} == {"empty.wav", "nowhere.wav"}
    assert all(f.reason for f in failures)


def test_an_id_hangs_on_the_content_alone_and_equal_files_are_one(tmp_path: Path) -> None:
    first, second = sound(tmp_path / "x" / "same.wav"), sound(tmp_path / "y" / "same.wav")
    alone, _ = find_recordings([str(first)], tmp_path / "d", config())
    moved, _ = find_recordings([str(second)], tmp_path / "d", config())
    assert alone[0].id == moved[0].id
    both, failures = find_recordings([str(first), str(second)], tmp_path / "d", config())
    assert len(both) == 1
    assert failures[0].reason == f"same file as {first}"


def test_odd_names_become_keys(tmp_path: Path) -> None:
    for name in ("ä ö.wav", "…" * 60 + ".wav", "a.b.c.wav", "x" * 200 + ".wav"):
        sound(tmp_path / "in" / name, f"text {len(name)}")
    sources, failures = find_recordings([str(tmp_path / "in")], tmp_path / "d", config())
    assert not failures
    assert len({s.id for s in sources}) == 4
    assert all(s.id.isascii() and len(s.id) <= 84 and "." not in s.id for s in sources)


def test_text_and_licence_beside_recordings(tmp_path: Path) -> None:
    top = tmp_path / "book"
    sound(top / "one.wav", "first chapter"), sound(top / "two.wav", "second chapter")
    (top / "one.txt").write_text("First chapter.")
    (top / "all.epub").write_bytes(b"")
    (top / "LICENSE").write_text("CC0-1.0\nmore")
    sources, _ = find_recordings([str(top)], tmp_path / "d", config())
    assert [Path(s.text or "").name for s in sources] == ["one.txt", "all.epub"]
    assert {s.license for s in sources} == {"CC0-1.0"}
    assert {s.collection for s in sources} == {"book"}


def test_what_the_user_mistypes_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ShardError, match="nothing to build"):
        find_recordings([], tmp_path, config())
    with pytest.raises(ShardError, match="no such file"):
        find_recordings([str(tmp_path / "missing")], tmp_path, config())
    for empty in ("", " "):
        with pytest.raises(ShardError, match="one of the sources is an empty name"):
            find_recordings([str(tmp_path), empty], tmp_path, config())


def test_a_feed_is_fetched_and_what_fails_is_told(web: w.Web, tmp_path: Path) -> None:
    web.replies["/feed"] = w.whole(FEED.format(base=web.url("")).encode(), "application/rss+xml")
    web.replies["/one.mp3"] = w.whole(MP3)
    web.replies["/gone.mp3"] = lambda handler: w.send(handler, 404, {"Content-Length": "0"})
    sources, failures = find_recordings([web.url("/feed")], tmp_path / "d", config(retries=0))
    (source,) = sources
    assert (source.title, source.url) == ("One & only", web.url("/one.mp3"))
    assert source.license.lower().startswith("cc-by-4.0")
    assert Path(source.path).read_bytes() == MP3
    assert {f.name for f in failures} == {web.url("/gone.mp3"), "file:///etc/passwd.mp3"}
    assert "404" in failures[0].reason


def test_lists_of_urls(web: w.Web, tmp_path: Path) -> None:
    web.replies["/one.mp3"] = w.whole(MP3)
    listed = tmp_path / "mine.urls"
    listed.write_text(f"# comment\n\n{web.url('/one.mp3')}\tCC0-1.0\nnot a url\n")
    assert read_url_list(listed) == [(3, web.url("/one.mp3"), "CC0-1.0"), (4, "not a url", "unknown")]
    sources, failures = find_recordings([str(listed)], tmp_path / "d", config())
    assert [(s.license, s.collection) for s in sources] == [("CC0-1.0", "mine")]
    assert "line 4" in failures[0].name


def test_a_dry_run_fetches_nothing(web: w.Web, tmp_path: Path) -> None:
    (tmp_path / "feed.xml").write_text(FEED.format(base=web.url("")))
    local = sound(tmp_path / "a.wav")
    words = [str(tmp_path / "feed.xml"), web.url("/x.mp3"), str(local)]
    sources, failures = find_recordings(words, tmp_path / "d", config(), fetch=False)
    assert [Path(s.path) for s in sources] == [local]
    assert [f.name for f in failures] == [
        web.url("/one.mp3"), "/gone.mp3" if failures[1].name.startswith("/") else web.url("/gone.mp3"),
        "file:///etc/passwd.mp3", web.url("/x.mp3"),
    ]  # fmt: skip
    assert not web.seen


def test_feeds_by_hand() -> None:
    one, gone, trap = parse_feed(FEED.format(base="https://x.org").encode(), "https://x.org/feed", config())
    assert one.published == "2020-03-02T10:00:00+00:00"
    assert gone.url == "https://x.org/gone.mp3"
    assert (one.guid, trap.guid) == ("tag:1", "tag:4")
    assert len(parse_feed(FEED.format(base="https://x.org").encode(), "x", config(max_episodes=2))) == 2


@pytest.mark.parametrize(
    "data", [b"", b"<html></html>", b"\x00\xff" * 100, b"<rss version='2.0'><channel></channel></rss>"]
)
def test_what_is_no_feed(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.xml").write_bytes(data)
    with pytest.raises(AudioError, match=r"x\.xml"):
        read_feed(tmp_path / "x.xml", config())


def test_an_entity_of_a_feed_reads_no_file(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("SECRET")
    evil = (
        FEED.format(base="https://x.org")
        .replace("<rss", f'<!DOCTYPE r [<!ENTITY e SYSTEM "file://{secret}">]><rss', 1)
        .replace("One &amp; only", "&e;")
    )
    try:
        found = parse_feed(evil.encode(), "x.xml", config())
    except AudioError:
        return
    assert "SECRET" not in str(found)


@pytest.mark.skipif(os.name != "posix", reason="names are bytes on Linux")
def test_a_name_that_is_no_text_is_told(tmp_path: Path) -> None:
    sound(tmp_path / "in" / "a.wav")
    (tmp_path / "in" / "a.wav").rename(os.fsdecode(os.fsencode(tmp_path / "in") + b"/\xff.wav"))
    sources, failures = find_recordings([str(tmp_path / "in")], tmp_path / "d", config())
    assert not sources
    assert "UTF-8" in failures[0].reason


BY = "https://creativecommons.org/licenses/by/4.0/"


@pytest.mark.parametrize(
    ("element", "licence"),
    [
        (f"<creativeCommons:license>{BY}</creativeCommons:license>", "CC-BY-4.0"),
        (f'<cc:license rdf:resource="{BY}"/>', "CC-BY-4.0"),
        (f'<media:license type="text/html" href="{BY}">by</media:license>', "CC-BY-4.0"),
        (f'<podcast:license url="{BY}">cc-by-4.0</podcast:license>', "CC-BY-4.0"),
        ("<podcast:license>cc-by-4.0</podcast:license>", "cc-by-4.0"),
        ("<dc:rights>Public\n domain</dc:rights>", "Public domain"),
        ("<copyright>2020 A. Reader</copyright>", "2020 A. Reader"),
        ("", "unknown"),
    ],
)
def test_licences_of_feeds(element: str, licence: str) -> None:
    feed = f"""<rss version="2.0" xmlns:creativeCommons="http://backend.userland.com/creativeCommonsRssModule"
        xmlns:media="http://search.yahoo.com/mrss/" xmlns:podcast="https://podcastindex.org/namespace/1.0"
        xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:cc="http://creativecommons.org/ns#"
        xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><channel><title>x</title><item>
        <enclosure url="http://a.example/x.mp3" type="audio/mpeg"/>{element}</item></channel></rss>"""
    assert [episode.license for episode in parse_feed(feed.encode(), "x", config())] == [licence]


def test_a_folder_that_is_named_twice_has_the_licence_of_each_place(tmp_path: Path) -> None:
    for name in ("one", "two"):
        sound(tmp_path / "library" / "book" / f"{name}.wav", f"number {name}")
    (tmp_path / "library" / "LICENSE").write_text("CC0-1.0\n")
    words = [str(tmp_path / "library" / "book" / "one.wav"), str(tmp_path / "library")]
    found, failures = find_recordings(words, tmp_path / "out", config())
    # the first source is the file alone, so the licence in the library does not count for it
    assert [source.license for source in found] == ["unknown", "CC0-1.0"]
    assert [Path(failure.name).name for failure in failures] == ["one.wav"]


def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.urls").write_text("http://a.example/x.mp3\n")
    find_recordings([str(tmp_path / "a.urls"), "http://a.example/"], tmp_path / "out", config(), fetch=False)
    assert not (tmp_path / "out").exists()


# --- other files in folders ---


def test_odd_things_beside_recordings_are_a_line_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    top = tmp_path / "in"
    sound(top / "good.wav")
    (top / "folder.wav").mkdir()
    sound(top / "folder.wav" / "inner.wav", "another sentence")
    os.mkfifo(top / "fifo.wav")
    os.mkfifo(top / "good.txt")
    (top / "text.txt").mkdir()
    (top / "gone.epub").symlink_to(top / "nowhere.epub")
    (top / "dangling.wav").symlink_to(top / "nowhere.wav")
    (top / "itself.wav").symlink_to(top / "itself.wav")
    (top / os.fsdecode(b"caf\xe9.wav")).write_bytes((top / "good.wav").read_bytes())
    (top / os.fsdecode(b"caf\xe9.txt")).write_text("text")
    monkeypatch.chdir(top)
    server = socket.socket(socket.AF_UNIX)
    server.bind("s.wav")
    server.close()
    (top / "two\nlines.wav").touch()
    (top / "built").mkdir()
    (top / "built" / ".triforce-tts.json").write_text('{"kind": "shards"}')
    sound(top / "built" / "downloads" / "x.wav", "what was fetched")
    sources, failures = find_recordings([str(top)], tmp_path / "d", config())
    assert [Path(source.path).name for source in sources] == ["good.wav", "inner.wav"]
    assert all(source.text is None for source in sources)
    names = [Path(failure.name).name for failure in failures]
    assert sorted(names) == ["built", "caf?.txt", "caf?.wav", "dangling.wav", "fifo.wav", "gone.epub", "good.txt",
                             "itself.wav", "s.wav", "text.txt", "two lines.wav"]  # fmt: skip
    assert all("\n" not in failure.name + failure.reason and failure.reason for failure in failures)


def test_what_cannot_be_read_is_told_and_the_rest_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test replaces functions of the system, because it may run as root, who may read every file."""
    top = tmp_path / "in"
    for name in ("a/one.wav", "b/two.wav", "c/three.wav"):
        sound(top / name, name)
    (top / "c" / "LICENSE").write_text("CC0-1.0")
    scandir, opened = os.scandir, Path.open

    def scan(path: Path) -> object:
        if Path(path).name == "a":
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    def refuse(self: Path, *more: object, **named: object) -> object:
        if self.name in ("two.wav", "LICENSE"):
            raise PermissionError(13, "Permission denied", str(self))
        return opened(self, *more, **named)  # type: ignore[call-overload]

    monkeypatch.setattr(os, "scandir", scan)
    monkeypatch.setattr(Path, "open", refuse)
    sources, failures = find_recordings([str(top)], tmp_path / "d", config())
    assert [(Path(source.path).name, source.license) for source in sources] == [("three.wav", "unknown")]
    assert sorted(Path(failure.name).name for failure in failures) == ["LICENSE", "a", "two.wav"]
    assert all("Permission denied" in failure.reason for failure in failures)


def test_titles_of_any_kind_can_be_written_down(web: w.Web, tmp_path: Path) -> None:
    web.replies["/a.mp3"] = w.whole(MP3)
    finder_feed = (
        FEED.format(base=web.url("")).replace("One &amp; only", "x \ufffe [/red] \u2028 y").replace("/one", "/a")
    )
    (tmp_path / "feed.xml").write_text(finder_feed)
    sources, _ = find_recordings([str(tmp_path / "feed.xml")], tmp_path / "d", config(retries=0))
    assert len(sources) == 1
    for source in sources:
        (source.title or "").encode()
