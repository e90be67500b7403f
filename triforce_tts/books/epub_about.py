"""The metadata of an epub: title, authors, language, identifier and cover."""

import re
from typing import Any

from .chapters import About
from .contents import Contents
from .draft import clean
from .epub import Package

_DATE = re.compile(r"[0-9]{4}(?:-(?:0[1-9]|1[0-2])(?:-(?:0[1-9]|[12][0-9]|3[01]))?)?(?![0-9])")
_NUMBER = re.compile(r"[0-9]{1,4}(?:\.[0-9]{1,2})?")


def read_about(package: Package, contents: Contents) -> About:
    """The metadata of a package; missing entries are empty."""
    metadata = next(package.root.iter("{*}metadata"), package.root)
    refined = {
        (meta.get("refines", "").lstrip("#"), meta.get("property", "")): (meta.text or "").strip()
        for meta in metadata.iter("{*}meta")
        if meta.get("refines")
    }
    titles = [e for e in metadata.iter("{*}title") if (e.text or "").strip()]
    main = [e for e in titles if refined.get((e.get("id", ""), "title-type")) == "main"] or titles
    creators = [e for e in metadata.iter("{*}creator") if (e.text or "").strip()]
    roles = {id(e): refined.get((e.get("id", ""), "role")) or _attribute(e, "role") for e in creators}
    authors = [e for e in creators if roles[id(e)] in ("aut", "")] or creators
    unique = package.root.get("unique-identifier")
    identifiers = [e for e in metadata.iter("{*}identifier") if e.text]
    chosen = [e for e in identifiers if e.get("id") == unique] or identifiers
    return About(
        clean(main[0].text) if main else "",
        ", ".join(clean(e.text) for e in authors),
        next(((e.text or "").strip() for e in metadata.iter("{*}language")), ""),
        chosen[0].text.strip() if chosen else "",
        _cover(package, metadata, contents),
        _date(metadata),
        *_series(metadata, refined),
    )


def _date(metadata: Any) -> str:
    """The date of publication, or the part of it that has the form of ISO 8601."""
    dates = [(_attribute(e, "event"), _DATE.match((e.text or "").strip())) for e in metadata.iter("{*}date")]
    publications = [
        (event, match[0]) for event, match in dates if match and event in ("publication", "original-publication", "")
    ]
    return next((date for event, date in publications if event), publications[0][1] if publications else "")


def _series(metadata: Any, refined: dict[tuple[str, str], str]) -> tuple[str, str]:
    """The series that a book belongs to, and its number there: as EPUB 3 says it, or else as Calibre does."""
    metas = list(metadata.iter("{*}meta"))
    for meta in metas:
        identifier, name = meta.get("id", ""), clean(meta.text or "")
        is_series = refined.get((identifier, "collection-type"), "series") == "series"
        if meta.get("property") == "belongs-to-collection" and name and is_series:
            return name, _number(refined.get((identifier, "group-position"), ""))
    named = {meta.get("name", ""): clean(meta.get("content") or "") for meta in metas}
    name = named.get("calibre:series", "")
    return name, _number(named.get("calibre:series_index", "")) if name else ""


def _number(text: str) -> str:
    """A number such as 2 or 2.5; Calibre writes 2 as "2.0"."""
    return f"{float(text):g}" if _NUMBER.fullmatch(text.strip()) else ""


def _attribute(element: Any, name: str) -> str:
    return next((value for key, value in element.attrib.items() if key.rpartition("}")[2] == name), "")


def _cover(package: Package, metadata: Any, contents: Contents) -> str:
    for item in package.items.values():
        if "cover-image" in item.get("properties", "").split():
            return package.path_of(item.get("href", ""))
    for meta in metadata.iter("{*}meta"):
        if meta.get("name") == "cover" and meta.get("content") in package.items:
            return package.path_of(package.items[meta.get("content")].get("href", ""))
    return next((place[0] for place, types in contents.landmarks.items() if "cover" in types), "")
