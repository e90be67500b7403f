"""What an epub says of itself: title, authors, language, identifier and cover."""

from typing import Any

from .chapters import About
from .contents import Contents
from .draft import clean
from .epub import Package


def read_about(package: Package, contents: Contents) -> About:
    """The metadata of a package; what is missing is empty."""
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
    )


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
