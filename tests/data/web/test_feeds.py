"""Feeds like those on the web, and feeds that somebody made to do harm."""

import os
import time
from pathlib import Path

import pytest

from tests.data.raw.test_find import web as web  # a fixture
from tests.data.web import server as w
from tests.data.web.test_fetch import MP3, config
from triforce_tts.data.raw.find import find_recordings
from triforce_tts.data.web.feeds import parse_feed, read_feed, read_url_list
from triforce_tts.errors import AudioError


def feed(*items: str) -> bytes:
    head = (
        '<?xml version="1.0"?><rss version="2.0" xmlns:media="http://search.yahoo.com/mrss/"><channel><title>c</title>'
    )
    return f"{head}{''.join(f'<item>{item}</item>' for item in items)}</channel></rss>".encode()


def episodes(*items: str) -> tuple[list[str], list[tuple[str, str]]]:
    """The addresses of the episodes, and the reasons for the entries that were skipped."""
    skipped: list[tuple[str, str]] = []
    found = parse_feed(feed(*items), "http://x/feed", config(), lambda *told: skipped.append(told))
    return [episode.url for episode in found], skipped


OK = '<enclosure url="http://x/ok.mp3" type="audio/mpeg" length="1"/>'


@pytest.mark.parametrize(
    ("item", "url"),
    [
        ('<enclosure url="http://x/episode?id=5" length="1"/>', "http://x/episode?id=5"),
        ('<enclosure url="http://x/5" type=""/>', "http://x/5"),
        ('<enclosure url="http://x/5" type="application/octet-stream"/>', "http://x/5"),
        ('<enclosure url="http://x/5" type="AUDIO/MPEG"/>', "http://x/5"),
        ('<enclosure url="/5" type="x-audio/mp3"/>', "http://x/5"),
        ('<enclosure url="http://x/a.jpg" type="image/jpeg"/><enclosure url="http://x/5" type=""/>', "http://x/5"),
        ('<enclosure url="http://x/5" type=""/><enclosure url="http://x/6" type="audio/ogg"/>', "http://x/6"),
        ('<enclosure url="http://x/5.mp3" type="text/plain"/>', "http://x/5.mp3"),
        ('<media:content url="http://x/5" medium="audio"/>', "http://x/5"),
        ('<media:content url="http://x/5" type="audio/mpeg"/>', "http://x/5"),
        ('<enclosure url="http://x/v" type="video/mp4"/><enclosure url="http://x/5" type="audio/mp4"/>', "http://x/5"),
        ('<enclosure url="http://x/v.mp4" type="video/mp4"/><enclosure url="/5.mp3" type=""/>', "http://x/5.mp3"),
        ('<enclosure url="http://x/v.mp4" type="video/mp4"/><enclosure url="http://x/5" type=""/>', "http://x/v.mp4"),
    ],
)
def test_recordings_are_taken_whatever_their_type_is_called(item: str, url: str) -> None:
    assert episodes(item) == ([url], [])


@pytest.mark.parametrize("media_type", ["image/jpeg", "application/pdf", "text/html"])
def test_what_is_attached_and_no_recording_is_told(media_type: str) -> None:
    found, skipped = episodes(
        OK, f'<title>Notes</title><enclosure url="http://x/b" type="{media_type}"/>', "<title>-</title>"
    )
    assert found == ["http://x/ok.mp3"]
    assert skipped == [("http://x/feed, entry 2 (Notes)", f"no recording, but {media_type} (http://x/b)")]


ITUNES = b'<rss version="2.0" xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"><channel>'


@pytest.mark.parametrize(
    "content",
    [
        b"<redirect><newLocation>https://new/feed</newLocation></redirect>",
        ITUNES + b"<itunes:new-feed-url>https://new/feed</itunes:new-feed-url></channel></rss>",
    ],
)
def test_a_feed_that_has_moved_names_its_new_address(content: bytes) -> None:
    with pytest.raises(AudioError, match=r"^f: the feed has moved; give its new address \(https://new/feed\)$"):
        parse_feed(content, "f", config())


def test_a_feed_that_names_its_own_address_has_not_moved() -> None:
    content = ITUNES + b"<itunes:new-feed-url>http://x/feed</itunes:new-feed-url></channel></rss>"
    with pytest.raises(AudioError, match="holds no recordings"):
        parse_feed(content, "http://x/feed", config())


def test_the_title_may_be_that_of_itunes() -> None:
    content = ITUNES + f"<item><itunes:title>One</itunes:title>{OK}</item></channel></rss>".encode()
    assert [episode.title for episode in parse_feed(content, "f", config())] == ["One"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_feed_that_breaks_off_is_told(encoding: str) -> None:
    whole = feed(OK, OK.replace("ok", "second")).decode().replace('"1.0"?', f'"1.0" encoding="{encoding}"?')
    skipped: list[tuple[str, str]] = []
    for content in (whole, whole + "<!-- cached -->", whole[: whole.index("second")]):
        assert not skipped
        found = parse_feed(content.encode(encoding), "f", config(), lambda *told: skipped.append(told))
    assert [episode.url for episode in found] == ["http://x/ok.mp3"]
    assert skipped == [("f", "the feed breaks off before its end; what was behind that is missing")]


def test_relative_addresses_in_a_file_begin_at_its_xml_base() -> None:
    content = feed(OK.replace("http://x/", "")).replace(b"<rss ", b'<rss xml:base="https://base/p/" ')
    assert [episode.url for episode in parse_feed(content, "f.xml", config())] == ["https://base/p/ok.mp3"]


def test_entries_of_one_guid_are_told_apart_and_repeats_are_told() -> None:
    items = [
        f'<title>{n}</title><guid>same</guid><enclosure url="http://x/{n}.mp3" type="audio/mpeg"/>' for n in "aabc"
    ]
    skipped: list[tuple[str, str]] = []
    found = parse_feed(feed(*items), "f", config(), lambda *told: skipped.append(told))
    assert [episode.title for episode in found] == ["a", "b", "c"]
    assert len({episode.stem for episode in found}) == 3
    assert skipped == [("f, a", "the feed has the same entry twice")]
    again = parse_feed(feed(*items[::-1]), "f", config())
    assert {episode.stem for episode in again} == {episode.stem for episode in found}


def test_what_an_untyped_enclosure_is_shows_when_it_comes(web: w.Web, tmp_path: Path) -> None:
    web.replies["/feed"] = w.whole(
        feed(*(f'<guid>{n}</guid><enclosure url="{web.url(f"/{n}")}"/>' for n in (1, 2))), "application/rss+xml"
    )
    web.replies["/1"] = w.whole(MP3, "application/octet-stream")
    web.replies["/2"] = w.whole(b"%PDF-1.4 no sound", "application/octet-stream")
    told: list[str] = []
    sources, failures = find_recordings([web.url("/feed")], tmp_path / "d", config(), told.append)
    assert [source.url for source in sources] == [web.url("/1")]
    assert [failure.name for failure in failures] == [web.url("/2")]
    assert "begins with '%PDF" in failures[0].reason
    assert len(told) == 3


def many(text: str, count: int) -> str:
    return "".join(text.replace("#", str(n)) for n in range(count))


ENTITIES = "<!DOCTYPE r [<!ENTITY a0 'xxxxxxxxxx'>" + many("<!ENTITY b# '&a0;&a0;&a0;&a0;'>", 20) + "]>"
BOMBS = {
    "attributes": feed(OK + "<a " + many("a#='1' ", 40_000) + "/>"),
    "attributes of the enclosure": feed("<enclosure " + many("a#='>' ", 40_000) + "url='http://x/a.mp3'/>"),
    "attributes, not well-formed": feed(OK + "</b><a " + many('a#="1" ', 40_000) + "/>"),
    "depth": feed(OK + "<a>" * 100_000 + "</a>" * 100_000),
    "depth in a text": feed(OK + "<description>" + "<div>" * 100_000 + "</div>" * 100_000 + "</description>"),
    "never closed": feed(OK + "<a>" * 100_000),
    "never closed, names of their own": feed(OK + "</x>" + many("<a#>", 50_000) + many("</b#>", 50_000)),
    "stray signs": feed(OK + "<" * 1_000_000),
    "stray signs with spaces": feed(OK + "< " * 500_000),
    "entities": ENTITIES.encode() + feed(OK + "<description>&b19;</description>")[21:],
    "parameter entities": b"<!DOCTYPE r [<!ENTITY % a 'x'>%a;]>" + feed(OK)[21:],
}


@pytest.mark.parametrize("name", BOMBS)
def test_what_would_take_for_ever_is_refused_at_once(name: str, tmp_path: Path) -> None:
    began = time.process_time()
    with pytest.raises(AudioError, match=r"^f: the feed has .*, which no real feed has; it is not read$"):
        parse_feed(BOMBS[name], "f", config())
    assert time.process_time() - began < 3


def test_honest_feeds_of_some_size_are_read() -> None:
    html = "<description><![CDATA[" + "<p class='a'>text<br>" * 3000 + "]]></description>"
    assert len(episodes(*(OK.replace("ok", str(n)) + html for n in range(20)))[0]) == 20
    broken = [OK.replace("ok", str(n)) + "<description>a <br> b & c <p>d</description>" for n in range(500)]
    assert len(episodes(*broken)[0]) == 500
    named = b"<!DOCTYPE rss [<!ENTITY nbsp '&#160;'>]>" + feed(OK)[21:]
    with pytest.raises(AudioError, match="made of entities"):
        parse_feed(named.replace(b"&#160;", b"&amp;b;"), "f", config())
    assert len(parse_feed(named.replace(b"&#160;", b"x"), "f", config())) == 1


def test_feeds_and_lists_that_are_no_files_are_one_line(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "feed.xml")
    os.mkfifo(tmp_path / "list.urls")
    (tmp_path / "utf16.urls").write_bytes("http://x/a.mp3".encode("utf-16"))
    with pytest.raises(AudioError, match=r"feed\.xml: expected a file, found a pipe"):
        read_feed(tmp_path / "feed.xml", config())
    for name in ("list.urls", "utf16.urls"):
        with pytest.raises(AudioError, match=name):
            read_url_list(tmp_path / name)
    words = [str(tmp_path / name) for name in ("feed.xml", "list.urls", "utf16.urls")]
    sources, failures = find_recordings(words, tmp_path / "d", config())
    assert not sources
    assert [failure.name for failure in failures] == words
