"""Names in the builder: keys of samples, names of folders, and text that may be shown on a terminal."""

import hashlib
import os
import re
from pathlib import Path

_KEY_LENGTH = 90  # what fits into a tar header, with the extension


def make_key(name: str) -> str:
    """A webdataset key: it splits names at the first dot, and slashes are folders.

    Names that are long or not ASCII get a checksum, so that different ones stay different.
    """
    key = re.sub(r"[^A-Za-z0-9_-]", "_", name)
    if len(key) <= _KEY_LENGTH and name.isascii():
        return key
    return with_checksum(key, name)


def with_checksum(key: str, name: str) -> str:
    """``key`` with a checksum of ``name``, as long as a key may be."""
    return f"{key[: _KEY_LENGTH - 9]}-{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"


def letters_of(text: str) -> str:
    """Lower-case letters alone: how texts are compared."""
    return re.sub(r"[^a-z]", "", text.lower())


def printable(text: str) -> str:
    """``text`` for a message or a table: control characters and what is not Unicode are escaped."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text)


def name_of(folder: Path) -> str:
    """The name of a folder, also of ``.`` and ``..``."""
    return printable(absolute(folder).name) or "root"


def absolute(path: Path) -> Path:
    """``path`` from the root on, without dots; symbolic links are not followed."""
    return Path(os.path.normpath(path.absolute()))


def is_folder(path: Path) -> bool:
    """Whether ``path`` is a folder; of a name that no file can have, or a forbidden place, too."""
    try:
        return path.is_dir()
    except OSError:
        return False
