"""Lists of recordings on the web: podcast feeds (RSS, Atom) and files with a URL a line."""

import io
import re
import tempfile
from calendar import timegm
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from triforce_tts.errors import AudioError

from .fetch import FetchConfig, download, stem_of
from .sources import UNKNOWN_LICENSE, license_name

URL_LISTS = (".urls", ".txt")
FEEDS = (".xml", ".rss", ".atom")
_MEDIA_URL = re.compile(r"\.(mp3|m4a|m4b|mp4|m4v|mov|ogg|oga|opus|flac|wav|aac|webm)($|[?#])", re.I)


@dataclass(frozen=True)
class Episode:
    """A recording that a feed or a list speaks of, not yet fetched."""

    url: str
    collection: str  # the title of the feed
    guid: str  # what the feed calls it for good; its URL where it does not say
    title: str | None = None
    published: str | None = None  # ISO 8601, UTC
    license: str = UNKNOWN_LICENSE

    @property
    def stem(self) -> str:
        """The name of its file without the suffix, the same as long as the feed gives the same guid."""
        return stem_of(self.guid)


def is_url(word: str) -> bool:
    """Whether ``word`` is a URL that can be fetched, rather than a path."""
    return word.lower().startswith(("http://", "https://"))


def read_feed(url_or_file: str | Path, config: FetchConfig) -> list[Episode]:
    """The episodes of a podcast feed that lies on the web or in a file, at most ``max_episodes`` of them.

    Raises:
        AudioError: it cannot be fetched or read, is not a feed, or holds no recordings.
    """
    if isinstance(url_or_file, str) and is_url(url_or_file):
        with tempfile.TemporaryDirectory() as folder:
            fetched = download(url_or_file, Path(folder), config, feed=True)
            if not fetched.is_feed:
                raise AudioError(f"{url_or_file}: expected a feed, found a recording")
            return parse_feed(Path(fetched.path).read_bytes(), url_or_file, config)
    try:
        return parse_feed(Path(url_or_file).read_bytes(), str(url_or_file), config)
    except OSError as error:
        raise AudioError(f"{url_or_file}: cannot read the feed ({error.strerror})") from error


def parse_feed(data: bytes, name: str, config: FetchConfig) -> list[Episode]:
    """The episodes in the bytes of a feed; ``name`` is its URL or file.

    Raises:
        AudioError: it is not a feed, or holds no recordings.
    """
    import feedparser

    try:
        # A stream, because feedparser takes anything else for a URL or a path and opens it.
        parsed = feedparser.parse(io.BytesIO(data))
    except Exception as error:  # it promises to raise nothing, and the web finds ways
        raise AudioError(f"{name}: the feed cannot be read ({error})") from error
    if not parsed.get("version") and not parsed.entries:
        raise AudioError(f"{name}: not an RSS or Atom feed")
    collection = _text(parsed.feed.get("title")) or stem_of(name)
    base = name if is_url(name) else parsed.feed.get("link", "")
    episodes: dict[str, Episode] = {}
    for entry in parsed.entries:
        if url := _enclosure(entry):
            with suppress(ValueError):  # not a URL: whoever fetches it says so
                url = urljoin(base, url)
            guid = entry.get("id") or url
            episode = Episode(
                url=url,
                collection=collection,
                guid=guid,
                title=_text(entry.get("title")) or None,
                published=_iso(entry.get("published_parsed")),
                license=_license(entry) or _license(parsed.feed) or UNKNOWN_LICENSE,
            )
            episodes.setdefault(guid, episode)
    if not episodes:
        raise AudioError(f"{name}: the feed holds no recordings ({len(parsed.entries)} entries without an enclosure)")
    return list(episodes.values())[: config.max_episodes or None]


def _text(value: object) -> str:
    return " ".join(value.split()) if isinstance(value, str) else ""


def _enclosure(entry: Any) -> str | None:
    """The first recording of an entry; further ones are the same in another format."""
    for link in entry.get("enclosures") or ():
        url, media_type = link.get("href", "").strip(), link.get("type", "")
        if url and (media_type.startswith(("audio/", "video/")) or _MEDIA_URL.search(url)):
            return str(url)
    return None


def _license(node: Any) -> str | None:
    """What an entry or a feed says of its licence: an address of one first, else its rights in words."""
    media = node.get("media_license") or {}
    podcast = node.get("podcast_license") or {}
    if isinstance(podcast, str):  # feedparser gives the attributes of a tag, or its text where it has none
        podcast = {"url": podcast}
    text = media.get("href") or node.get("license") or podcast.get("url") or node.get("rights")
    return license_name(text) if _text(text) else None


def _iso(published: Any) -> str | None:
    try:
        return datetime.fromtimestamp(timegm(published), timezone.utc).isoformat() if published else None
    except (ValueError, OverflowError, OSError):  # a year that does not exist
        return None


def read_url_list(path: Path) -> list[tuple[int, str, str]]:
    """Line number, URL and licence of each line ``URL`` or ``URL<tab>licence``; blank lines and # comments are skipped.

    What does not look like a URL is given too: whoever fetches it says so.

    Raises:
        AudioError: the file cannot be read, or holds no line.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise AudioError(f"{path}: cannot read the list of URLs ({error})") from error
    rows = []
    for number, line in enumerate(lines, 1):
        url, _, licence = line.strip().partition("\t")
        if url and not url.startswith("#"):
            rows.append((number, url.strip(), license_name(licence)))
    if not any(is_url(url) for _, url, _ in rows):
        raise AudioError(f"{path}: it holds no URL; expected one a line")
    return rows
