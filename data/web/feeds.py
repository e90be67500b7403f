"""Reads lists of recordings on the web: podcast feeds (RSS, Atom) and files with a URL on each line."""

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
from triforce_tts.web.names import is_url, stem_of
from triforce_tts.web.request import FetchConfig

from ..common.licences import UNKNOWN_LICENSE, license_name
from .fetch import FEED_BYTES, download

Skip = Callable[[str, str], None]  # it is called with the name of an entry that is left out, and the reason

URL_LISTS = (".urls", ".txt")
FEEDS = (".xml", ".rss", ".atom")
LIST_BYTES = 16 << 20  # bytes; a larger list of URLs is not read
# The most attributes of an element, levels of elements, and stray signs '<' in a feed. Real feeds have a tenth of
# these numbers, and the time that feedparser takes grows with the square of each.
_MOST_ATTRIBUTES, _DEEPEST, _MOST_STRAY = 256, 256, 10_000
_DEEPEST_LOOSELY = 2048  # the most levels in a feed that is not valid XML, where tags that are never closed add up
_NO_SOUND = ("application/pdf", "application/epub+zip", "application/zip")  # image/ and text/ count as no sound too
_TAG = re.compile(rb"(/?)([A-Za-z][A-Za-z0-9:._-]*)")
_SOUND_URL = re.compile(r"\.(mp3|m4a|m4b|ogg|oga|opus|flac|wav|aac)($|[?#])", re.I)
_VIDEO_URL = re.compile(r"\.(mp4|m4v|mov|webm)($|[?#])", re.I)
_END = re.compile(rb"</\s*(\w+:)?(rss|feed|rdf)\s*>", re.I)  # the end of a feed


@dataclass(frozen=True)
class Episode:
    """A recording that a feed or a list names; it is not fetched yet."""

    url: str
    collection: str  # the title of the feed
    guid: str  # the permanent name that the feed gives it; if there is none, its URL
    title: str | None = None
    published: str | None = None  # ISO 8601, UTC
    license: str = UNKNOWN_LICENSE

    @property
    def stem(self) -> str:
        """The name of its file without the suffix; it depends only on the guid."""
        return stem_of(self.guid)


def read_feed(url_or_file: str | Path, config: FetchConfig, skip: Skip = lambda name, reason: None) -> list[Episode]:
    """The episodes of a podcast feed on the web or in a file, at most ``max_episodes`` of them.

    Raises:
        AudioError: the feed cannot be fetched or read, is not a feed, or holds no recordings.
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

    ``skip`` is called for each entry whose attachment is no recording, and for each entry that repeats another one. An
    enclosure without a media type counts as a recording; its first bytes tell what it is when it is fetched. If entries
    share a guid, their addresses are added to their guids.

    Raises:
        AudioError: it is not a feed, holds no recordings, or is built so that reading it would take for ever.
    """
    import feedparser

    _check_bounds(data, name)
    try:
        # The argument is a stream, because feedparser takes anything else for a URL or a path and opens it.
        parsed = feedparser.parse(io.BytesIO(data))
    except Exception as error:  # feedparser should raise nothing, but some feeds of the web make it raise errors
        raise AudioError(f"{name}: the feed cannot be read ({error})") from error
    moved = _text(parsed.feed.get("newlocation") or parsed.feed.get("itunes_new-feed-url"))
    if moved and moved != name and not parsed.entries:  # many feeds name their own address here
        raise AudioError(f"{name}: the feed has moved; give its new address ({moved})")
    if not parsed.get("version") and not parsed.entries:
        raise AudioError(f"{name}: not an RSS or Atom feed")
    if parsed.get("bozo") and not _END.search(data.replace(b"\0", b"")):  # UTF-16 has zeros between its letters
        skip(name, "the feed breaks off before its end; what was behind that is missing")
    collection = _text(parsed.feed.get("title")) or stem_of(name)
    base = _base(parsed.feed, name)
    episodes: list[Episode] = []
    for number, entry in enumerate(parsed.entries, 1):
        title = _text(entry.get("title")) or _text(entry.get("itunes_title")) or None
        if not (url := _enclosure(entry)):
            if attached := _attachments(entry):
                about = title or "without a title"
                skip(f"{name}, entry {number} ({about})", f"no recording, but {attached[0][1]} ({attached[0][0]})")
            continue
        with suppress(ValueError):  # if it is not a URL, the download reports it
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


def _base(feed: Any, name: str) -> str:
    """The address that relative addresses in a feed begin at; ``name`` is the feed's own URL or its file."""
    own = name if is_url(name) else _text(feed.get("link"))
    named = _text((feed.get("title_detail") or {}).get("base"))  # feedparser puts the feed's xml:base here
    try:
        return urljoin(own, named)
    except ValueError:  # it is no address
        return own


def _told_apart(episodes: list[Episode], name: str, skip: Skip) -> list[Episode]:
    """``episodes`` with unique guids; an entry with the guid and the address of an earlier one is skipped."""
    urls: defaultdict[str, set[str]] = defaultdict(set)
    for episode in episodes:
        urls[episode.guid].add(episode.url)
    by_guid: dict[str, Episode] = {}
    for episode in episodes:
        if len(urls[episode.guid]) > 1:
            episode = replace(episode, guid=f"{episode.guid} {episode.url}")
        if episode.guid in by_guid:
            skip(f"{name}, {episode.title or episode.url}", "the feed has the same entry twice")
        by_guid.setdefault(episode.guid, episode)
    return list(by_guid.values())


def _check_bounds(data: bytes, name: str) -> None:
    """Refuse a feed on which feedparser would spend hours.

    feedparser reads a feed with expat first, and a feed that is not valid XML with rules of its own. So a valid feed is
    checked with expat too, and any other feed with rules like those of feedparser.
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
    with suppress(expat.ExpatError, ValueError, LookupError):  # it is not XML, or its encoding is unknown to expat
        parser.Parse(data, True)
        return
    _check_loosely(data, name)


def _check_loosely(data: bytes, name: str) -> None:
    stray = 0
    levels: list[bytes] = []
    open_tags: Counter[bytes] = Counter()  # how often each tag is in ``levels``
    for piece in data.split(b"<")[1:]:
        match = _TAG.match(piece)
        if match is None:
            stray += piece[:1] not in (b"!", b"?")
            if stray > _MOST_STRAY:
                raise _bomb(name, f"more than {_MOST_STRAY} signs '<' that begin nothing")
            continue
        if piece.count(b'="') + piece.count(b"='") > _MOST_ATTRIBUTES:
            raise _bomb(name, f"an element with more than {_MOST_ATTRIBUTES} attributes")
        tag = match[2].lower()
        if match[1]:
            closed = b"" if open_tags[tag] else tag
            while closed != tag:  # the tags that were opened inside this one end with it
                closed = levels.pop()
                open_tags[closed] -= 1
        elif not piece.rstrip().endswith(b"/>"):
            levels.append(tag)
            open_tags[tag] += 1
        if len(levels) > _DEEPEST_LOOSELY:
            raise _bomb(name, f"elements in more than {_DEEPEST_LOOSELY} levels")


def _bomb(name: str, construct: str) -> AudioError:
    return AudioError(f"{name}: the feed has {construct}, which no real feed has; it is not read")


def _text(value: object) -> str:
    return " ".join(value.split()) if isinstance(value, str) else ""


def _enclosure(entry: Any) -> str | None:
    """The address of an entry's recording; further recordings of the entry are the same in another format.

    An attachment with a media type of sound is preferred, then one whose address looks like sound, then a film, which
    has the same sound in many times as many bytes, then one of unknown type.
    """
    best: tuple[int, str] | None = None
    for url, media_type in _attachments(entry):
        is_film = media_type.startswith("video/")
        if media_type.startswith("audio/"):
            rank = 0
        elif _SOUND_URL.search(url) and not is_film:
            rank = 1
        elif is_film or _VIDEO_URL.search(url):
            rank = 2
        elif media_type.startswith(("image/", "text/")) or media_type in _NO_SOUND:
            continue
        else:
            rank = 3
        if best is None or rank < best[0]:
            best = rank, url
    return best[1] if best else None


def _attachments(entry: Any) -> list[tuple[str, str]]:
    """The address and the media type (in lower case) of every attachment of an entry."""
    links = [(link.get("href"), link.get("type")) for link in entry.get("enclosures") or ()]
    for media in entry.get("media_content") or ():
        links.append((media.get("url"), media.get("type") or f"{_text(media.get('medium')) or 'unknown'}/*"))
    return [(_text(url), _text(media_type).lower()) for url, media_type in links if _text(url)]


def _license(node: Any) -> str | None:
    """The licence that an entry or a feed names: the address of a licence, or else its rights in words."""
    media = node.get("media_license") or {}
    podcast = node.get("podcast_license") or {}
    if isinstance(podcast, str):  # feedparser gives the text of a tag if the tag has no attributes
        podcast = {"url": podcast}
    text = media.get("href") or node.get("license") or podcast.get("url") or node.get("rights")
    return license_name(text) if _text(text) else None


def _iso(published: Any) -> str | None:
    try:
        return datetime.fromtimestamp(timegm(published), timezone.utc).isoformat() if published else None
    except (ValueError, OverflowError, OSError):  # the feed has a date that does not exist
        return None


def read_url_list(path: Path) -> list[tuple[int, str, str]]:
    """The number, URL and licence of each line ``URL`` or ``URL<tab>licence``; blank lines and # comments are skipped.

    A line that does not look like a URL is in the result too, so that the caller can report it.

    Raises:
        AudioError: the file cannot be read, or holds no URL.
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
        raise AudioError(f"{path}: it holds no URL; expected one on each line")
    return rows
