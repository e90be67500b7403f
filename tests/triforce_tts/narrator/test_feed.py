"""A podcast that other programs read, and that keeps the episodes which it has."""

from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

import feedparser
import pytest

from triforce_tts.books.read import read_chapters
from triforce_tts.data.web.feeds import parse_feed
from triforce_tts.errors import ConfigError, TriforceError
from triforce_tts.narrator.feed import (
    FEED,
    Episode,
    PlannedEpisode,
    add_episode,
    check_feed,
    episode_guid,
    name_episodes,
    plan_episode,
    published,
)
from triforce_tts.web.request import FetchConfig

DAY = datetime(2026, 3, 2, 12, tzinfo=timezone.utc)
BASE = "https://example.org/talks"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "talks"
    path.mkdir()
    return path


def episode(folder: Path, name: str, guid: str, day: int = 1, size: int = 1000) -> Episode:
    path = folder / f"{name}.mp3"
    path.write_bytes(b"x" * size)
    return Episode(path, guid, f"Title & <{name}>", "Ann Poe", 61.4, DAY.replace(day=day), "https://example.org/a")


def test_another_reader_finds_everything(folder: Path) -> None:
    add_episode(folder, episode(folder, "a b é", "urn:sha256:1"), BASE)
    data = (folder / FEED).read_bytes()
    parsed = feedparser.parse(data)
    assert not parsed.bozo
    assert (parsed.version, parsed.feed.title, parsed.feed.language) == ("rss20", "talks", "en")
    assert parsed.feed.link == f"{BASE}/"
    assert b"<itunes:explicit>false</itunes:explicit>" in data
    (entry,) = parsed.entries
    assert (entry.id, entry.guidislink, entry.title) == ("urn:sha256:1", False, "Title & <a b é>")
    assert (entry.itunes_duration, entry.author, entry.link) == ("61", "Ann Poe", "https://example.org/a")
    assert entry.published == "Sun, 01 Mar 2026 12:00:00 +0000"
    (enclosure,) = entry.enclosures
    assert (enclosure.href, enclosure.length, enclosure.type) == (f"{BASE}/a%20b%20%C3%A9.mp3", "1000", "audio/mpeg")
    (ours,) = parse_feed(data, "feed", FetchConfig())
    assert (ours.url, ours.guid, ours.published) == (enclosure.href, "urn:sha256:1", "2026-03-01T12:00:00+00:00")


def test_episodes_are_merged_by_content_and_by_file(folder: Path) -> None:
    for name, guid, day in (("a", "1", 1), ("b", "2", 3), ("c", "3", 2)):
        add_episode(folder, episode(folder, name, guid, day), BASE)
    text = (folder / FEED).read_text().replace("<title>talks</title>", "<title>My talks</title>")
    (folder / FEED).write_text(text)
    add_episode(folder, episode(folder, "a", "1", 9, size=2000), None)  # the same words, spoken anew
    add_episode(folder, episode(folder, "c", "4", 2), "https://other.example/x/")  # an article that was edited
    parsed = feedparser.parse((folder / FEED).read_bytes())
    assert parsed.feed.title == "My talks"
    assert parsed.feed.link == "https://other.example/x/"
    assert [(e.id, e.enclosures[0].href, e.enclosures[0].length) for e in parsed.entries] == [
        ("2", "https://other.example/x/b.mp3", "1000"),
        ("4", "https://other.example/x/c.mp3", "1000"),
        ("1", "https://other.example/x/a.mp3", "2000"),
    ]
    assert parsed.entries[2].published == "Sun, 01 Mar 2026 12:00:00 +0000"


def test_without_an_address_episodes_lie_beside_the_feed(folder: Path) -> None:
    add_episode(folder, episode(folder, "a", "1"), None)
    parsed = feedparser.parse((folder / FEED).read_bytes())
    assert parsed.entries[0].enclosures[0].href == (folder / "a.mp3").resolve().as_uri()


def publish(folder: Path, *episodes: PlannedEpisode) -> list[str]:
    """Names episodes and puts them into the feed; the result is the names."""
    paths = name_episodes(folder, episodes)
    for path, one in zip(paths, episodes, strict=True):
        path.write_bytes(b"x")
        add_episode(folder, Episode(path, one.guid, path.stem, "", 1.0, DAY, source=one.source), BASE)
    return [path.name for path in paths]


def published_files(folder: Path) -> dict[str, str]:
    entries = feedparser.parse((folder / FEED).read_bytes()).entries
    return {entry.id: entry.enclosures[0].href.rpartition("/")[2] for entry in entries}


def test_sources_of_one_name_are_two_episodes_in_one_run_and_in_two(folder: Path) -> None:
    first, second = PlannedEpisode("index", "/a/index.html", "1"), PlannedEpisode("Index", "/b/Index.txt", "2")
    assert publish(folder, first) == ["index.mp3"]
    (name,) = publish(folder, second)
    assert name.startswith("Index-")
    assert published_files(folder) == {"1": "index.mp3", "2": name}
    other = folder.parent / "other"
    other.mkdir()
    assert publish(other, first, second) == ["index.mp3", name]  # the name does not depend on the runs
    assert b"/a/" not in (folder / FEED).read_bytes()


def test_an_episode_keeps_its_file_when_others_come_and_when_it_changes(folder: Path) -> None:
    first, second = PlannedEpisode("index", "/a/index.html", "1"), PlannedEpisode("index", "/b/index.html", "2")
    names = publish(folder, first, second)
    edited, moved = PlannedEpisode("index", "/b/index.html", "3"), PlannedEpisode("start", "/c/start.html", "1")
    assert publish(folder, PlannedEpisode("index", "/d/index.html", "4"), edited, moved)[1:] == [names[1], names[0]]
    files = published_files(folder)
    assert (files["1"], files["3"]) == ("index.mp3", names[1])
    assert set(files) == {"1", "3", "4"}
    assert len(set(files.values())) == 3


def test_an_episode_of_an_earlier_version_is_replaced_by_its_name(folder: Path) -> None:
    add_episode(folder, episode(folder, "index", "1"), BASE)  # this feed names no source of the episode
    assert publish(folder, PlannedEpisode("index", "/a/index.html", "2")) == ["index.mp3"]
    assert published_files(folder) == {"2": "index.mp3"}


def test_what_is_given_twice_is_refused(folder: Path) -> None:
    one = PlannedEpisode("index", "/a/index.html", "1")
    with pytest.raises(ConfigError, match="given twice"):
        name_episodes(folder, [one, one])
    with pytest.raises(ConfigError, match=r"the same words as /a/index\.html"):
        name_episodes(folder, [one, replace(one, source="/b/index.html")])


def test_the_guid_is_that_of_the_words(story: Path) -> None:
    book = read_chapters(story)
    assert episode_guid(book) == episode_guid(read_chapters(story))
    assert episode_guid(replace(book, chapters=book.chapters[:-1])) != episode_guid(book)


def test_some_chapters_of_a_book_are_an_episode_beside_the_whole_and_other_ones(folder: Path, story: Path) -> None:
    book = read_chapters(story)
    wishes = (None, "1", "1-3", "2-3", "1,3")
    whole, first, all_of_them, rest, two = (plan_episode("story", "/a/story.txt", book, wish) for wish in wishes)
    assert whole == all_of_them == PlannedEpisode("story", "/a/story.txt", episode_guid(book))
    assert [one.part for one in (first, rest, two)] == [": CHAPTER I", ", chapters 2-3", ", chapters 1,3"]
    names = ["story.mp3", "story-chapters-1.mp3", "story-chapters-2-3.mp3", "story-chapters-1_3.mp3"]
    assert [publish(folder, one) for one in (whole, first, rest, two)] == [[name] for name in names]
    assert sorted(published_files(folder).values()) == sorted(names)
    edited = replace(book, chapters=(replace(book.chapters[0], blocks=book.chapters[1].blocks), *book.chapters[1:]))
    assert publish(folder, plan_episode("story", "/a/story.txt", edited, "1")) == [names[1]]
    assert len(published_files(folder)) == 4  # a new version of a part replaces the part
    untitled = replace(book, chapters=tuple(replace(chapter, title="") for chapter in book.chapters * 20))
    assert plan_episode("story", "s", untitled, "60").part == ", chapter 60"
    odd = plan_episode("story", "s", untitled, ",".join(str(number) for number in range(1, 60, 2)))
    assert len(odd.stem) < 30 and odd.part.endswith("57,59")


def test_dates_of_articles() -> None:
    assert published("2020-02-03") == datetime(2020, 2, 3, 12, tzinfo=timezone.utc)
    now = datetime.now(timezone.utc)
    for date in ("", "2020", "2020-13-01", "9999-12-31"):
        assert abs((published(date) - now).total_seconds()) < 60


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("<rss", "cannot read it"),
        ("", "cannot read it"),
        ("<html/>", "no feed of this program"),
        ("<rss><channel><title>Mine</title></channel></rss>", "no feed of this program"),
        ("<rss><channel><generator>triforce-tts</generator><item/></channel></rss>", "no enclosure"),
        ('<!DOCTYPE a [<!ENTITY b "x">]><rss><channel><generator>&b;</generator></channel></rss>', "no feed of this program"),
    ],
)  # fmt: skip
def test_a_feed_that_is_not_ours_is_left_alone(content: str, what: str, folder: Path) -> None:
    (folder / FEED).write_text(content)
    with pytest.raises(TriforceError, match=what) as caught:
        check_feed(folder, BASE)
    assert "\n" not in str(caught.value)
    with pytest.raises(TriforceError, match=what):
        add_episode(folder, episode(folder, "a", "1"), BASE)
    assert (folder / FEED).read_text() == content


@pytest.mark.parametrize(
    "base",
    [
        "",
        "example.org",
        "ftp://example.org/",
        "https://example.org/a b",
        "https://example.org/?q",
        "https://",
        "https://[x/",
    ],
)
def test_addresses_that_no_file_can_follow(base: str, folder: Path) -> None:
    with pytest.raises(TriforceError, match="expected the address of the folder"):
        check_feed(folder, base)


@pytest.mark.parametrize("given", [True, False])
def test_an_address_in_other_letters_is_written_as_a_uri(given: bool, folder: Path) -> None:
    base = "https://exämple.org:8080/t&ü/"
    check_feed(folder, base)
    add_episode(folder, episode(folder, "a", "1"), base)
    text = (folder / FEED).read_text()
    if not given:
        (folder / FEED).write_text(text.replace("xn--exmple-cua", "exämple"))
    linked = replace(episode(folder, "b", "2"), link="https://exämple.org/b?ü=%20#é")
    add_episode(folder, linked, base if given else None)
    assert (folder / FEED).read_bytes().isascii()
    parsed = feedparser.parse((folder / FEED).read_bytes())
    place = "https://xn--exmple-cua.org:8080/t&%C3%BC/"
    assert parsed.feed.link == place
    assert {entry.enclosures[0].href for entry in parsed.entries} == {f"{place}a.mp3", f"{place}b.mp3"}
    assert "https://xn--exmple-cua.org/b?%C3%BC=%20#%C3%A9" in {entry.link for entry in parsed.entries}


def test_what_a_user_changed_around_and_in_the_head_stays(folder: Path) -> None:
    add_episode(folder, episode(folder, "a", "1"), BASE)
    text = (folder / FEED).read_text()
    style, hub = '<?xml-stylesheet href="feed.css"?>', '<atom:link rel="hub" href="https://hub.example.org/"/>'
    kinds = '<!DOCTYPE rss [<!ENTITY nbsp "&#160;">]>'
    text = text.replace("<rss", f"{kinds}\n{style}\n<rss", 1).replace("<channel>", f"<channel>{hub}", 1)
    text = text.replace("<title>talks</title>", "<title>My&nbsp;talks</title>").replace(f"<link>{BASE}/</link>", "")
    (folder / FEED).write_text(text)
    for number in (2, 3):
        add_episode(folder, episode(folder, f"b{number}", str(number)), None)
    after = (folder / FEED).read_text()
    assert style in after and hub in after and "<!ENTITY nbsp" in after and "My&nbsp;talks" in after
    parsed = feedparser.parse(after)
    assert parsed.feed.link == f"{BASE}/"
    assert {entry.enclosures[0].href for entry in parsed.entries} == {f"{BASE}/{n}.mp3" for n in ("a", "b2", "b3")}
