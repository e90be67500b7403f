"""Lists of recordings on the web: podcast feeds (RSS, Atom) and files with a URL a line."""

import io
import re
import tempfile
from calendar import timegm
from collections import Counter, defaultdict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from urllib.parse import urljoin
from xml.parsers import expat

from triforce_tts.errors import AudioError, TriforceError
from triforce_tts.files import read_file, read_text_file

from ..common.licences import UNKNOWN_LICENSE, license_name
from .fetch import FEED_BYTES, download, stem_of
from .request import FetchConfig

Skip = Callable[[str, str], None]  # is told the name of what is left out, and why

URL_LISTS = (".urls", ".txt")
FEEDS = (".xml", ".rss", ".atom")
LIST_BYTES = 16 << 20  # the largest list of URLs that is read
# Feeds have a tenth of this. The time that feedparser takes grows with the square of each.
_MOST_ATTRIBUTES, _DEEPEST, _MOST_STRAY = 256, 256, 10_000
_DEEPEST_LOOSELY = 2048  # levels of a feed that is no XML: tags that are never closed add up
_NO_SOUND = ("application/pdf", "application/epub+zip", "application/zip")  # image/ and text/ beside them
_TAG = re.compile(rb"(/?)([A-Za-z][A-Za-z0-9:._-]*)")
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


def read_feed(url_or_file: str | Path, config: FetchConfig, skip: Skip = lambda name, reason: None) -> list[Episode]:
    """The episodes of a podcast feed that lies on the web or in a file, at most ``max_episodes`` of them.

    Raises:
        AudioError: it cannot be fetched or read, is not a feed, or holds no recordings.
    """
    if isinstance(url_or_file, str) and is_url(url_or_file):
        with tempfile.TemporaryDirectory() as folder:
            fetched = download(url_or_file, Path(folder), config, feed=True)
            if not fetched.is_feed:
                raise AudioError(f"{url_or_file}: expected a feed, found a recording")
            return parse_feed(Path(fetched.path).read_bytes(), url_or_file, config, skip)
    try:
        data = read_file(url_or_file, FEED_BYTES)
    except TriforceError as error:
        raise AudioError(str(error)) from error
    return parse_feed(data, str(url_or_file), config, skip)


def parse_feed(data: bytes, name: str, config: FetchConfig, skip: Skip = lambda name, reason: None) -> list[Episode]:
    """The episodes in the bytes of a feed; ``name`` is its URL or file.

    ``skip`` is told of entries with something attached that is no recording, and of entries that are there twice.

    An enclosure without a type is taken: whoever fetches it sees what it is. Entries that share a guid are told apart by
    their addresses.

    Raises:
        AudioError: it is not a feed, holds no recordings, or is made to take for ever.
    """
    import feedparser

    _check_bounds(data, name)
    try:
        # A stream, because feedparser takes anything else for a URL or a path and opens it.
        parsed = feedparser.parse(io.BytesIO(data))
    except Exception as error:  # it promises to raise nothing, and the web finds ways
        raise AudioError(f"{name}: the feed cannot be read ({error})") from error
    if not parsed.get("version") and not parsed.entries:
        raise AudioError(f"{name}: not an RSS or Atom feed")
    collection = _text(parsed.feed.get("title")) or stem_of(name)
    base = name if is_url(name) else parsed.feed.get("link", "")
    episodes: list[Episode] = []
    for number, entry in enumerate(parsed.entries, 1):
        title = _text(entry.get("title")) or None
        if not (url := _enclosure(entry)):
            if attached := _attachments(entry):
                about = title or "without a title"
                skip(f"{name}, entry {number} ({about})", f"no recording, but {attached[0][1]} ({attached[0][0]})")
            continue
        with suppress(ValueError):  # not a URL: whoever fetches it says so
            url = urljoin(base, url)
        episodes.append(
            Episode(
                url=url,
                collection=collection,
                guid=_text(entry.get("id")) or url,
                title=title,
                published=_iso(entry.get("published_parsed")),
                license=_license(entry) or _license(parsed.feed) or UNKNOWN_LICENSE,
            )
        )
    if not episodes:
        raise AudioError(f"{name}: the feed holds no recordings ({len(parsed.entries)} entries without an enclosure)")
    return _told_apart(episodes, name, skip)[: config.max_episodes or None]


def _told_apart(episodes: list[Episode], name: str, skip: Skip) -> list[Episode]:
    """``episodes`` with guids of their own; an entry that repeats guid and address of another one is skipped."""
    urls: defaultdict[str, set[str]] = defaultdict(set)
    for episode in episodes:
        urls[episode.guid].add(episode.url)
    found: dict[str, Episode] = {}
    for episode in episodes:
        if len(urls[episode.guid]) > 1:
            episode = replace(episode, guid=f"{episode.guid} {episode.url}")
        if episode.guid in found:
            skip(f"{name}, {episode.title or episode.url}", "the feed has the same entry twice")
        found.setdefault(episode.guid, episode)
    return list(found.values())


def _check_bounds(data: bytes, name: str) -> None:
    """Refuse a feed on which feedparser would spend hours.

    It reads with expat first, and what is no XML by rules of its own: so both are looked at.
    """
    depth = 0

    def begin(tag: str, attributes: list[str]) -> None:
        nonlocal depth
        depth += 1
        if len(attributes) > 2 * _MOST_ATTRIBUTES:
            raise _bomb(name, f"an element with {len(attributes) // 2} attributes")
        if depth > _DEEPEST:
            raise _bomb(name, f"elements in more than {_DEEPEST} levels")

    def end(tag: str) -> None:
        nonlocal depth
        depth -= 1

    def declare(entity: str, is_parameter: bool, value: str | None, *_: object) -> None:
        if is_parameter or (value is not None and ("&" in value or "%" in value)):
            raise _bomb(name, f"an entity ('{entity[:40]}') that is made of entities")

    parser = expat.ParserCreate()
    parser.ordered_attributes = True
    parser.StartElementHandler, parser.EndElementHandler, parser.EntityDeclHandler = begin, end, declare
    with suppress(expat.ExpatError, ValueError, LookupError):  # no XML, or in an encoding that expat does not know
        parser.Parse(data, True)
        return
    _check_loosely(data, name)


def _check_loosely(data: bytes, name: str) -> None:
    stray = 0
    levels: list[bytes] = []
    there: Counter[bytes] = Counter()  # of the tags in levels
    for piece in data.split(b"<")[1:]:
        found = _TAG.match(piece)
        if found is None:
            stray += piece[:1] not in (b"!", b"?")
            if stray > _MOST_STRAY:
                raise _bomb(name, f"more than {_MOST_STRAY} signs '<' that begin nothing")
            continue
        if piece.count(b'="') + piece.count(b"='") > _MOST_ATTRIBUTES:
            raise _bomb(name, f"an element with more than {_MOST_ATTRIBUTES} attributes")
        tag = found[2].lower()
        if found[1]:
            closed = b"" if there[tag] else tag
            while closed != tag:  # what was opened within it ends with it
                closed = levels.pop()
                there[closed] -= 1
        elif not piece.rstrip().endswith(b"/>"):
            levels.append(tag)
            there[tag] += 1
        if len(levels) > _DEEPEST_LOOSELY:
            raise _bomb(name, f"elements in more than {_DEEPEST_LOOSELY} levels")


def _bomb(name: str, found: str) -> AudioError:
    return AudioError(f"{name}: the feed has {found}, which no feed has; it is not read")


def _text(value: object) -> str:
    return " ".join(value.split()) if isinstance(value, str) else ""


def _enclosure(entry: Any) -> str | None:
    """The first recording of an entry; further ones are the same in another format.

    What says that it is one comes first, then what looks like one, then what does not say what it is.
    """
    best: tuple[int, str] | None = None
    for url, media_type in _attachments(entry):
        if media_type.startswith(("audio/", "video/")):
            rank = 0
        elif _MEDIA_URL.search(url):
            rank = 1
        elif media_type.startswith(("image/", "text/")) or media_type in _NO_SOUND:
            continue
        else:
            rank = 2
        if best is None or rank < best[0]:
            best = rank, url
    return best[1] if best else None


def _attachments(entry: Any) -> list[tuple[str, str]]:
    """Address and media type, in lower case, of all that is attached to an entry."""
    links = [(link.get("href"), link.get("type")) for link in entry.get("enclosures") or ()]
    for media in entry.get("media_content") or ():
        links.append((media.get("url"), media.get("type") or f"{_text(media.get('medium')) or 'unknown'}/*"))
    return [(_text(url), _text(media_type).lower()) for url, media_type in links if _text(url)]


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
        lines = read_text_file(path, LIST_BYTES).splitlines()
    except TriforceError as error:
        raise AudioError(str(error)) from error
    rows = []
    for number, line in enumerate(lines, 1):
        url, _, licence = line.strip().partition("\t")
        if url and not url.startswith("#"):
            rows.append((number, url.strip(), license_name(licence)))
    if not any(is_url(url) for _, url, _ in rows):
        raise AudioError(f"{path}: it holds no URL; expected one a line")
    return rows
