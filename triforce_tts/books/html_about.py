"""What an HTML page says of itself: its title, its author, its language, its address and its picture."""

import json
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

from .article_marks import BY
from .chapters import About, count_words
from .draft import clean

_MOST_NAME = 6  # the most words of a name
_TEXTS = re.compile(r"Article|Posting|Book|Report")


def about_of_page(root: Any, path: Path) -> About:
    """What the page with this ``root`` says of itself; without a title it is called like its file."""
    metas = {(m.get("property") or m.get("name") or "").lower(): m.get("content", "") for m in root.iter("meta")}
    heading = next((clean("".join(h.itertext())) for h in root.iter("h1")), "")
    title = next((clean("".join(t.itertext())) for t in root.iter("title")), "")
    canonical = next((link.get("href", "") for link in root.iter("link") if link.get("rel") == "canonical"), "")
    return About(
        metas.get("og:title") or metas.get("dc.title") or heading or title or path.stem,
        metas.get("author") or metas.get("dc.creator") or metas.get("article:author") or _author(root),
        root.get("lang", ""),
        canonical,
        metas.get("og:image", ""),
    )


def _author(root: Any) -> str:
    """The author that a page names in JSON-LD, or by an element of that kind; empty if it names none."""
    scripts = (script.text or "" for script in root.iter("script") if script.get("type") == "application/ld+json")
    if stated := next((name for text in scripts if (name := _author_in(text))), ""):
        return stated
    for element in root.iter("a", "span", "p", "div", "address"):
        is_author = element.get("itemprop") == "author" or "author" in (element.get("rel") or "").split()
        if is_author and not any(
            "comment" in f"{e.get('class', '')} {e.get('id', '')}" for e in element.iterancestors()
        ):
            named = next((e for e in element.iter() if e.get("itemprop") == "name"), element)
            name = clean("".join(named.itertext()))
            name = name[match.end() :] if (match := BY.match(name)) else name
            if name and count_words(name) <= _MOST_NAME:
                return name
    return ""


def _author_in(text: str) -> str:
    """The author of the page in its JSON-LD; empty if that names none, or is no JSON."""
    text = text.strip().removeprefix("<![CDATA[").removesuffix("]]>")
    try:
        value = json.loads(re.sub(r"[\x00-\x1f]", " ", text))
    except (ValueError, RecursionError):
        return ""
    things = value if isinstance(value, list) else [value]
    things = [*things, *(one for thing in things if isinstance(thing, dict) for one in _listed(thing.get("@graph")))]
    # What a page is about goes before the site that it belongs to.
    for thing in sorted(things, key=lambda one: not (isinstance(one, dict) and _TEXTS.search(str(one.get("@type"))))):
        if isinstance(thing, dict) and (names := [clean(name) for name in _names(thing.get("author"))]):
            return ", ".join(dict.fromkeys(names))
    return ""


def _names(author: Any) -> Iterator[str]:
    for one in _listed(author):
        name = one.get("name") if isinstance(one, dict) else one
        if isinstance(name, str) and name.strip() and "://" not in name:
            yield unescape(name)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
