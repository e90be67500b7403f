"""A podcast of narrations: each is an episode, and ``feed.xml`` lists them (RSS 2.0 with the tags of Apple Podcasts).

A feed that is there already keeps its episodes, and whatever a user changed in its head. An episode is known by its content: the same
words have the same ``guid`` and the same date of publication, whenever they are spoken again. It is also known by its source, a
file or an address, so that a new version of it replaces the old one, and another book of the same name does not.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from email.utils import format_datetime, parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from triforce_tts.books.chapters import ChapterBook
from triforce_tts.errors import ConfigError, TriforceError
from triforce_tts.files import atomic_path, read_file
from triforce_tts.narrator.cover import Cover
from triforce_tts.narrator.feed_pictures import (
    ITUNES,
    move_pictures,
    picture_of,
    picture_remarks,
    show_picture,
    write_picture,
)
from triforce_tts.narrator.selection import choose_chapters, listed_chapters
from triforce_tts.text.respelling import readable
from triforce_tts.web.names import ascii_url, digest_of, is_url
from triforce_tts.wording import printable

FEED = "feed.xml"
_GENERATOR = "triforce-tts"  # this generator marks a feed as made by this program
_MOST_BYTES = 20_000_000  # the largest feed, in bytes; one with ten thousand episodes is smaller
_ATOM = "http://www.w3.org/2005/Atom"
_OURS = "urn:triforce-tts"  # the namespace of elements that only this program reads
# A digest of the source of an episode. The path itself would say too much about the user's machine.
_SOURCE = f"{{{_OURS}}}source"
EPISODE_SUFFIX = ".mp3"
_LONGEST_RANGES = 40  # the most characters with which the name of a file lists chapters


@dataclass(frozen=True)
class PlannedEpisode:
    """A book or an article that is to become an episode."""

    # The name of the episode's file without its suffix, unless an episode of another source has that name.
    stem: str
    source: str  # the address of an article, or the whole path of a book; for a part of it, with its chapters
    guid: str
    part: str = ""  # what follows the title of the work if only some of its chapters are told


@dataclass(frozen=True)
class Episode:
    """A narration that is finished; ``link`` is the article's address, or nothing."""

    path: Path
    guid: str
    title: str
    author: str
    seconds: float
    published: datetime
    link: str = ""
    source: str = ""  # the same as in ``PlannedEpisode``
    cover: Cover | None = None


def episode_guid(book: ChapterBook) -> str:
    """A name for the content of a book: its title and its whole spoken text."""
    digest = hashlib.sha256(book.about.title.encode("utf-8", "replace"))
    for block in book.blocks():
        digest.update(b"\n" + block.spoken.encode("utf-8", "replace"))
    return f"urn:sha256:{digest.hexdigest()}"


def plan_episode(stem: str, source: str, book: ChapterBook, chapters: str | None) -> PlannedEpisode:
    """The episode of a work, or of those of its ``chapters`` that are chosen, which is an episode of its own.

    Raises:
        TextError: ``chapters`` names none of the book.
    """
    numbers = choose_chapters(chapters, len(book.chapters))
    chosen = [book.chapters[number - 1] for number in numbers]
    if len(chosen) == len(book.chapters):
        return PlannedEpisode(stem, source, episode_guid(book))
    listed = listed_chapters(numbers)
    name = listed.replace(",", "_") if len(listed) <= _LONGEST_RANGES else digest_of(listed)
    if len(chosen) == 1 and (title := printable(readable(chosen[0].title))):
        part = f": {title}"
    else:
        part = f", {'chapter' if len(chosen) == 1 else 'chapters'} {listed}"
    guid = episode_guid(replace(book, chapters=tuple(chosen)))
    return PlannedEpisode(f"{stem}-chapters-{name}", f"{source}#chapters={listed}", guid, part)


def published(date: str) -> datetime:
    """The day that an article states, at noon UTC; without such a day, the current time."""
    now = datetime.now(timezone.utc).replace(microsecond=0)
    try:
        day = datetime.fromisoformat(f"{date}T12:00:00+00:00")
    except ValueError:  # The date is a year or a month alone, or it is missing.
        return now
    return min(day, now)


def check_feed(folder: Path, base: str | None) -> None:
    """Refuse a feed that cannot be written, before any work.

    Raises:
        ConfigError: ``base`` is no address that files can follow.
        TriforceError: the folder is a file, or its feed is damaged or belongs to another program.
    """
    if base is not None and not _is_address(base):
        raise ConfigError(
            f"--feed-url {base[:80]!r}: expected the address of the folder on the web, such as https://example.org/talks/"
        )
    if folder.exists() and not folder.is_dir():
        raise TriforceError(f"{folder}: expected a folder for the feed, found a file")
    _channel(folder)


def _is_address(base: str) -> bool:
    try:
        has_host = bool(urlsplit(base).hostname)
    except ValueError:
        return False
    return has_host and is_url(base) and base.isprintable() and not set(base) & set(" ?#")


def name_episodes(folder: Path, episodes: Sequence[PlannedEpisode]) -> list[Path]:
    """The file of each episode, which no other source has in the feed of ``folder`` and among ``episodes``.

    The same words, and a new version of a source, keep the file that they have in the feed. A name that another source has is
    followed by a digest of the source, so that it does not depend on what else is narrated, or when.

    Raises:
        ConfigError: a source or the words of a book are given twice.
        TriforceError: the feed is damaged or another program's.
    """
    _refuse_twice(episodes)
    items = _channel(folder).find("channel").findall("item") if folder.exists() else []
    by_guid = {item.findtext("guid"): _file_of(item) for item in items}
    by_source = {item.findtext(_SOURCE): _file_of(item) for item in items if item.findtext(_SOURCE)}
    others = {_file_of(item).casefold() for item in items if item.findtext(_SOURCE)}
    earlier_names = [by_guid.get(one.guid) or by_source.get(digest_of(one.source)) for one in episodes]
    others |= {name.casefold() for name in earlier_names if name}
    names: list[str] = []
    for one, name in zip(episodes, earlier_names, strict=True):
        if name is None:
            name = f"{one.stem}{EPISODE_SUFFIX}"
            if name.casefold() in others:
                name = f"{one.stem}-{digest_of(one.source)}{EPISODE_SUFFIX}"
            others.add(name.casefold())
        names.append(name)
    return [folder / name for name in names]


def _refuse_twice(episodes: Sequence[PlannedEpisode]) -> None:
    sources: dict[str, str] = {}
    words: dict[str, str] = {}
    for one in episodes:
        if one.source in sources:
            raise ConfigError(f"{one.source}: it is given twice; give it once")
        if one.guid in words:
            raise ConfigError(f"{one.source}: it has the same words as {words[one.guid]}; leave one of them out")
        sources[one.source] = words[one.guid] = one.source


def add_episode(folder: Path, episode: Episode, base: str | None) -> list[str]:
    """Put an episode into the feed of ``folder``; it replaces an earlier one with the same words, or in the same file.

    The result says what Apple Podcasts would not take of the picture of the podcast.

    Args:
        folder: the folder with the sound of the episode.
        episode: the episode to add.
        base: the address of the folder on the web; without it that of the feed, or else the folder's own as a ``file:`` URL.

    Raises:
        TriforceError: the feed is damaged or another program's, the disk is full, or the folder cannot be written.
    """
    from lxml import etree

    root = _channel(folder)
    channel = root.find("channel")
    place = _base(channel, folder, base)
    move_pictures(channel, _address(channel), place)
    when, picture = episode.published, ""
    for item in channel.findall("item"):
        same = item.findtext("guid") == episode.guid
        if same or _file_of(item) == episode.path.name:
            when = _date(item) or when if same else when
            picture = picture_of(item) or picture
            channel.remove(item)
        else:
            item.find("enclosure").set("url", place + quote(_file_of(item)))
    items = [*channel.findall("item"), _item(episode, when, place)]
    for item in channel.findall("item"):
        channel.remove(item)
    name = None if episode.cover is None else write_picture(folder, episode.cover)
    is_shown = show_picture(channel, items[-1], name, place, picture)
    channel.extend(sorted(items, key=lambda item: _date(item) or when, reverse=True))
    _set_address(channel, place)
    etree.indent(root)
    with atomic_path(folder / FEED) as temporary:
        # The tree of the root has also what a user put in front of it, such as the address of a style sheet.
        temporary.write_bytes(etree.tostring(root.getroottree(), xml_declaration=True, encoding="UTF-8"))
    return [f"{folder / FEED}: {remark}" for remark in picture_remarks(channel, episode.cover, is_shown)]


def _channel(folder: Path) -> Any:
    """The root of the feed in ``folder``, or of a new one."""
    from lxml import etree

    path = folder / FEED
    if not path.exists():
        return _new(folder)
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_blank_text=True)
    try:
        root = etree.fromstring(read_file(path, _MOST_BYTES), parser)
    except etree.XMLSyntaxError as error:
        reason = str(error).splitlines()[0]
        raise TriforceError(
            f"{path}: expected a feed, cannot read it ({reason}); move it away, or choose another folder"
        ) from error
    channel = root.find("channel")
    if root.tag != "rss" or channel is None or channel.findtext("generator") != _GENERATOR:
        raise TriforceError(f"{path}: it is no feed of this program; move it away, or choose another folder")
    if any(item.find("enclosure") is None or item.find("guid") is None for item in channel.findall("item")):
        raise TriforceError(f"{path}: an episode in it has no enclosure or no guid; mend it, or choose another folder")
    return root


def _new(folder: Path) -> Any:
    from lxml import etree

    root = etree.Element("rss", version="2.0", nsmap={"itunes": ITUNES, "atom": _ATOM, "triforce": _OURS})
    channel = etree.SubElement(root, "channel")
    title = printable(folder.resolve().name) or "Narrations"
    _add(channel, "title", title)
    _add(channel, "link", "")
    _add(channel, "description", f"{title}, read by a synthetic voice")
    _add(channel, "language", "en")
    _add(channel, "generator", _GENERATOR)
    _add(channel, f"{{{ITUNES}}}author", title)
    _add(channel, f"{{{ITUNES}}}explicit", "false")
    _add(channel, f"{{{ITUNES}}}category").set("text", "Arts")
    return root


def _item(episode: Episode, when: datetime, place: str) -> Any:
    from lxml import etree

    item = etree.Element("item")
    by = f" by {episode.author}" if episode.author else ""
    _add(item, "title", episode.title)
    _add(item, "description", f"{episode.title}{by}, read by a synthetic voice.")
    if episode.link:
        _add(item, "link", ascii_url(episode.link))
    _add(item, "guid", episode.guid).set("isPermaLink", "false")
    if episode.source:
        _add(item, _SOURCE, digest_of(episode.source))
    _add(item, "pubDate", format_datetime(when))
    enclosure = _add(item, "enclosure")
    enclosure.set("url", place + quote(episode.path.name))
    enclosure.set("length", str(episode.path.stat().st_size))
    enclosure.set("type", "audio/mpeg")
    if episode.author:
        _add(item, f"{{{ITUNES}}}author", episode.author)
    _add(item, f"{{{ITUNES}}}duration", str(max(1, round(episode.seconds))))
    _add(item, f"{{{ITUNES}}}explicit", "false")
    _add(item, f"{{{ITUNES}}}episodeType", "full")
    return item


def _add(parent: Any, tag: str, text: str = "") -> Any:
    from lxml import etree

    element = etree.SubElement(parent, tag)
    element.text = text or None
    return element


def _base(channel: Any, folder: Path, base: str | None) -> str:
    """The address of the folder, with a slash at its end."""
    address = base if base is not None else _address(channel) or folder.resolve().as_uri()
    return ascii_url(address if address.endswith("/") else f"{address}/")


def _address(channel: Any) -> str:
    """The address of the folder that the feed names; empty in a new feed."""
    own = _self_link(channel)
    return "" if own is None else own.get("href", "").removesuffix(FEED)


def _self_link(channel: Any) -> Any:
    """The link of the feed to itself; a user may have added others, such as that to a hub."""
    links = channel.findall(f"{{{_ATOM}}}link")
    return next((link for link in links if link.get("rel") == "self"), None)


def _set_address(channel: Any, place: str) -> None:
    from lxml import etree

    own, link, before = _self_link(channel), channel.find("link"), _address(channel)
    if own is None:
        own = etree.Element(f"{{{_ATOM}}}link", rel="self", type="application/rss+xml")
        channel.insert(0, own)
    if link is None:
        link = etree.Element("link")
        channel.insert(1, link)
    if link.text in (None, before):
        link.text = place
    own.set("href", place + FEED)


def _file_of(item: Any) -> str:
    return unquote(item.find("enclosure").get("url", "").rpartition("/")[2])


def _date(item: Any) -> datetime | None:
    try:
        date = parsedate_to_datetime(item.findtext("pubDate") or "")
    except ValueError:  # A user may have changed the date.
        return None
    return date if date.tzinfo else date.replace(tzinfo=timezone.utc)
