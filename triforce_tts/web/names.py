"""URLs as names."""

import hashlib
import re
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit


def is_url(word: str) -> bool:
    """Whether ``word`` is a URL that can be fetched, rather than a path."""
    return word.lower().startswith(("http://", "https://"))


def scheme_of(word: str) -> str:
    """The scheme of an address, such as ``ftp``; nothing for a path."""
    match = re.match(r"([A-Za-z][A-Za-z0-9+.-]+)://", word)
    return match[1] if match else ""


def ascii_url(url: str) -> str:
    """``url`` in the characters that a URI may have: other ones of its host become Punycode, all others ``%XX``.

    Raises:
        ValueError: it has brackets around a host that is no address.
    """
    parts = urlsplit(url)
    try:
        host = parts.netloc.encode("idna").decode()
    except UnicodeError:  # a part of the host is empty or too long
        host = quote(parts.netloc, safe="[]:@%")
    rest = (quote(part, safe="/%:@!$&'()*+,;=?~[]") for part in (parts.path, parts.query, parts.fragment))
    return parts._replace(netloc=host, **dict(zip(("path", "query", "fragment"), rest, strict=True))).geturl()


def stem_of(identity: str) -> str:
    """A readable file name without suffix for a URL or an episode's id; different ids give different names."""
    last = re.split(r"[?#]", identity)[0].rstrip("/").rpartition("/")[2]
    slug = re.sub(r"[^A-Za-z0-9]+", "_", Path(unquote(last)).stem).strip("_")[-40:]
    return f"{slug}-{digest_of(identity)}" if slug else digest_of(identity)


def source_of(path: Path, url: str) -> str:
    """What tells a work from others: the address of an article, or else the whole path of a book."""
    return url or str(path.resolve())


def digest_of(identity: str) -> str:
    """Eight characters that stand for an identity in a file's name."""
    return hashlib.sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()[:8]
