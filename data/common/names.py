"""Names in the builder: keys of samples, names of folders, and text that may be shown on a terminal."""

import hashlib
import os
import re
from pathlib import Path

_KEY_LENGTH = 90  # characters; a key of this length and its extension fit into a tar header


def make_key(name: str) -> str:
    """A webdataset key for ``name``: only letters, digits, '_' and '-'.

    webdataset splits a file name at its first dot, and a slash would make a folder, so keys have neither. A name that
    is too long or not ASCII gets a checksum, so that different names give different keys.
    """
    key = re.sub(r"[^A-Za-z0-9_-]", "_", name)
    if len(key) <= _KEY_LENGTH and name.isascii():
        return key
    return with_checksum(key, name)


def with_checksum(key: str, name: str) -> str:
    """``key`` with a checksum of ``name`` at its end, shortened to the length that a key may have."""
    return f"{key[: _KEY_LENGTH - 9]}-{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"


def letters_of(text: str) -> str:
    """The letters of ``text`` in lower case, and nothing else; texts are compared in this form."""
    return re.sub(r"[^a-z]", "", text.lower())


def is_punctuated(text: str) -> bool:
    """Whether a text has case or punctuation: it is not all capitals, nor all small letters without stops."""
    return text != text.upper() and (text != text.lower() or re.search(r"[.,;:!?]", text) is not None)


def printable(text: str) -> str:
    """``text`` for a message or a table: control characters and invalid Unicode are escaped."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text)


def name_of(folder: Path) -> str:
    """The name of a folder; it also works for ``.`` and ``..``."""
    return printable(absolute(folder).name) or "root"


def absolute(path: Path) -> Path:
    """``path`` as an absolute path without ``.`` and ``..``; symbolic links are not followed."""
    return Path(os.path.normpath(path.absolute()))


def is_folder(path: Path) -> bool:
    """Whether ``path`` is a folder; False also if no file can have such a name or if access is forbidden."""
    try:
        return path.is_dir()
    except OSError:
        return False


def is_file(path: Path) -> bool:
    """Whether ``path`` is a regular file; False also if no file can have such a name or if access is forbidden."""
    try:
        return path.is_file()
    except OSError:
        return False
