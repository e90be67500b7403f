"""The licence of recordings, as a file beside them gives it."""

import re
from collections.abc import Iterator
from pathlib import Path

from triforce_tts.textfiles import UnreadableText, decode

UNKNOWN_LICENSE = "unknown"
_LICENSE_BYTES = 1 << 16  # so much of a licence or a read-me file is read
_CREATIVE_COMMONS = re.compile(r"creativecommons\.org/(licenses/([a-z-]+)|publicdomain/(zero|mark))/(\d\.\d)", re.I)


def license_name(text: str) -> str:
    """The licence that a text gives, on one line; the address of a Creative Commons licence becomes its SPDX name."""
    if found := _CREATIVE_COMMONS.search(text):
        _, kind, dedication, version = found.groups()
        if kind:
            return f"CC-{kind.upper()}-{version}"
        return f"CC0-{version}" if dedication.lower() == "zero" else "Public domain"
    return " ".join(text.split()) or UNKNOWN_LICENSE


def license_beside(folder: Path, top: Path, readme: bool = False) -> str:
    """The licence of what lies in ``folder``: the first line of the nearest ``LICENSE``, in it or above it up to ``top``.

    With ``readme``, a README beside it that speaks of the public domain, and of no other licence, is believed too.
    """
    for place in upwards(folder, top):
        found = {path.name.lower(): path for path in sorted(place.iterdir())}
        for name in ("license", "license.txt"):
            if name in found and (lines := _read_loosely(found[name]).strip().splitlines()):
                return "Public domain" if _says_public_domain(lines[0]) else license_name(lines[0])
        for name in ("readme", "readme.txt", "readme.md"):
            if readme and name in found and _says_public_domain(_read_loosely(found[name])):
                return "Public domain"
    return UNKNOWN_LICENSE


def _read_loosely(path: Path) -> str:
    if not path.is_file():  # a folder, or a pipe that would never end
        return ""
    with path.open("rb") as file:
        data = file.read(_LICENSE_BYTES)
    try:
        return decode(data, str(path))
    except UnreadableText:  # another encoding: the ASCII part of a licence is enough
        return data.decode("ascii", errors="replace")


def _says_public_domain(text: str) -> bool:
    flat = " ".join(text.lower().split())
    other = re.search(r"\bnot (a |in |of )*(the )?public domain|creative ?commons|\bcc[ -]by", flat)
    return "public domain" in flat and not other


def upwards(folder: Path, top: Path) -> Iterator[Path]:
    """``folder`` and the folders above it as far as ``top``; ``folder`` alone when ``top`` is not above it."""
    yield folder
    if top in folder.parents:
        for parent in folder.parents:
            yield parent
            if parent == top:
                return
