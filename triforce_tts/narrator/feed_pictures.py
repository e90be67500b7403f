"""The pictures of a podcast: each episode may have one, and the first is also that of the podcast, as Apple Podcasts demands.

A picture lies beside the feed under the checksum of its content, so another one has another address, by which podcast programs tell
that it is new. The pictures are written as they are; a remark says what Apple Podcasts would not take.
"""

import hashlib
from pathlib import Path
from typing import Any
from urllib.parse import quote

from triforce_tts.files import atomic_path
from triforce_tts.narrator.cover import Cover

ITUNES = "http://www.itunes.com/dtds/podcast-1.0.dtd"
_IMAGE = f"{{{ITUNES}}}image"
_LEAST, _MOST = 1400, 3000  # the sides of the square pictures that Apple Podcasts takes, in pixels


def write_picture(folder: Path, cover: Cover) -> str:
    """Write a picture into the folder of a feed; returns the name of its file."""
    name = f"cover-{hashlib.sha256(cover.data).hexdigest()[:16]}{cover.suffix}"
    with atomic_path(folder / name) as temporary:
        temporary.write_bytes(cover.data)
    return name


def move_pictures(channel: Any, before: str, place: str) -> None:
    """Let the addresses of pictures in the folder of the feed, whose address was ``before``, begin with ``place``."""
    for image in channel.iter(_IMAGE):
        address = image.get("href", "")
        if before and address.startswith(before):
            image.set("href", place + address.removeprefix(before))


def picture_of(element: Any) -> str:
    """The address of the picture of a channel or an item; empty if it has none."""
    image = element.find(_IMAGE)
    return "" if image is None else image.get("href", "")


def set_picture(element: Any, address: str) -> None:
    """Give a channel or an item the picture at ``address``."""
    from lxml import etree

    image = element.find(_IMAGE)
    if image is None:
        image = etree.SubElement(element, _IMAGE)
    image.set("href", address)


def show_picture(channel: Any, item: Any, name: str | None, place: str, before: str) -> bool:
    """Give an episode its picture, and the podcast too, if it has none or shows that of the episode before it was made anew.

    Args:
        channel: the head of the feed.
        item: the episode.
        name: the file of the picture; None if the episode has none.
        place: the address of the folder of the feed.
        before: the address of the picture that the episode had.

    Returns:
        Whether the podcast shows the picture.
    """
    if name is None:
        return False
    address = place + quote(name)
    set_picture(item, address)
    if picture_of(channel) in ("", before):
        set_picture(channel, address)
    return picture_of(channel) == address


def picture_remarks(channel: Any, cover: Cover | None, is_shown: bool) -> list[str]:
    """What Apple Podcasts would not take of the picture of the podcast, which is ``cover`` if that ``is_shown``."""
    demand = f"Apple Podcasts takes JPEG or PNG, square, {_LEAST} to {_MOST} pixels wide"
    if not picture_of(channel):
        return [f"the podcast has no picture, which Apple Podcasts demands; give one with --cover ({demand})"]
    if not is_shown or cover is None or (cover.width == cover.height and _LEAST <= cover.width <= _MOST):
        return []
    return [f"the picture of the podcast is {cover.width} x {cover.height} pixels; {demand}; give another with --cover"]
