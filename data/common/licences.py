"""The licence of recordings, read from a file that lies beside them."""

import re
from collections.abc import Iterator
from pathlib import Path

from triforce_tts.textfiles import UnreadableText, decode

UNKNOWN_LICENSE = "unknown"
_LICENSE_BYTES = 1 << 16  # bytes of a licence or a README that are read at most
_CREATIVE_COMMONS = re.compile(r"creativecommons\.org/(licenses/([a-z-]+)|publicdomain/(zero|mark))/(\d\.\d)", re.I)


def license_name(text: str) -> str:
    """The licence that a text names, on one line; the address of a Creative Commons licence becomes its SPDX name."""
    if address := _CREATIVE_COMMONS.search(text):
        _, kind, dedication, version = address.groups()
        if kind:
            return f"CC-{kind.upper()}-{version}"
        return f"CC0-{version}" if dedication.lower() == "zero" else "Public domain"
    return " ".join(text.split()) or UNKNOWN_LICENSE


def license_beside(folder: Path, top: Path, readme: bool = False) -> str:
    """The licence of the files in ``folder``: the first line of the nearest file ``LICENSE``.

    The search begins in ``folder`` and goes up as far as ``top``. With ``readme``, a README that names the public
    domain, and no other licence, counts too.
    """
    for place in upwards(folder, top):
        files = {path.name.lower(): path for path in sorted(place.iterdir())}
        for name in ("license", "license.txt"):
            if name in files and (lines := _read_loosely(files[name]).strip().splitlines()):
                return "Public domain" if _says_public_domain(lines[0]) else license_name(lines[0])
        for name in ("readme", "readme.txt", "readme.md"):
            if readme and name in files and _says_public_domain(_read_loosely(files[name])):
                return "Public domain"
    return UNKNOWN_LICENSE


def _read_loosely(path: Path) -> str:
    if not path.is_file():  # it may be a folder, or a pipe that never ends
        return ""
    with path.open("rb") as file:
        data = file.read(_LICENSE_BYTES)
    try:
        return decode(data, str(path))
    except UnreadableText:  # the file has another encoding; the ASCII characters of a licence are enough
        return data.decode("ascii", errors="replace")


def _says_public_domain(text: str) -> bool:
    flat = " ".join(text.lower().split())
    other = re.search(r"\bnot (a |in |of )*(the )?public domain|creative ?commons|\bcc[ -]by", flat)
    return "public domain" in flat and not other


def upwards(folder: Path, top: Path) -> Iterator[Path]:
    """``folder`` and the folders above it as far as ``top``; only ``folder`` if ``top`` is not above it."""
    yield folder
    if top in folder.parents:
        for parent in folder.parents:
            yield parent
            if parent == top:
                return
