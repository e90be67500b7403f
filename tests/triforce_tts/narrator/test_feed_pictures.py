"""The pictures of a podcast: that of each episode lies beside the feed, and the podcast has one, as Apple Podcasts demands."""

from pathlib import Path

import feedparser
import pytest

from tests.triforce_tts.narrator.test_feed import BASE, DAY
from triforce_tts.narrator.cover import Cover
from triforce_tts.narrator.feed import FEED, Episode, add_episode

GOOD = Cover(b"\xff\xd8\xff good", "mjpeg", "yuvj420p", 1400, 1400)
SMALL = Cover(b"\x89PNG small", "png", "rgb24", 600, 800)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "talks"
    path.mkdir()
    return path


def add(folder: Path, name: str, cover: Cover | None, base: str | None = BASE) -> list[str]:
    path = folder / f"{name}.mp3"
    path.write_bytes(b"x")
    return add_episode(folder, Episode(path, name, name, "", 1.0, DAY, cover=cover), base)


def images(folder: Path) -> tuple[str, dict[str, str]]:
    """The picture of the podcast, and those of its episodes."""
    parsed = feedparser.parse((folder / FEED).read_bytes())
    shown = parsed.feed.image.href if "image" in parsed.feed else ""
    return shown, {entry.id: entry.image.href for entry in parsed.entries if "image" in entry}


def test_the_first_picture_is_that_of_the_podcast_and_each_episode_has_its_own(folder: Path) -> None:
    assert add(folder, "a", GOOD) == []
    assert add(folder, "b", SMALL) == []
    assert add(folder, "c", None) == []
    shown, of_episodes = images(folder)
    assert of_episodes.keys() == {"a", "b"} and shown == of_episodes["a"]
    for name, cover, suffix in (("a", GOOD, ".jpg"), ("b", SMALL, ".png")):
        assert of_episodes[name].endswith(suffix)
        assert (folder / of_episodes[name].removeprefix(f"{BASE}/")).read_bytes() == cover.data
    text = (folder / FEED).read_text()
    assert text.index("itunes:image") < text.index("<item>")


def test_another_picture_of_the_first_episode_is_also_that_of_the_podcast(folder: Path) -> None:
    add(folder, "a", SMALL)
    add(folder, "b", SMALL)
    before, _ = images(folder)
    assert add(folder, "a", GOOD) == []
    shown, of_episodes = images(folder)
    assert shown == of_episodes["a"] != before == of_episodes["b"]  # a new picture has a new address


def test_what_a_user_chose_stays_and_the_address_of_the_folder_may_change(folder: Path) -> None:
    add(folder, "a", GOOD)
    add(folder, "a", GOOD, "https://other.example/")
    shown, of_episodes = images(folder)
    assert shown == of_episodes["a"] and shown.startswith("https://other.example/cover-")
    text, own = (folder / FEED).read_text(), "https://example.org/mine.png"
    (folder / FEED).write_text(text.replace(shown, own, 1))
    add(folder, "a", SMALL)
    assert images(folder)[0] == own


def test_what_apple_podcasts_would_not_take_is_said(folder: Path) -> None:
    (none,) = add(folder, "a", None)
    assert f"{folder / FEED}: the podcast has no picture" in none
    (small,) = add(folder, "b", SMALL)
    assert "600 x 800 pixels" in small and "1400 to 3000" in small
    assert add(folder, "c", Cover(GOOD.data, "mjpeg", "yuvj420p", 10, 10)) == []  # only the podcast's counts
