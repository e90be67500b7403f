"""What the front matter of a Markdown file says of its book, in YAML or TOML."""

import re
from pathlib import Path
from typing import Any

import yaml

from triforce_tts.errors import TextError

from .chapters import About

_PARTS_OF_NAMES = ("first", "given", "firstname", "last", "family", "lastname")
_FIELD = re.compile(r"^(\w+)\s*=\s*[\"'](.*)[\"']\s*$", re.MULTILINE)


def about_of(front: re.Match[str], path: Path) -> About:
    """What front matter says: its first group is YAML, or its second one TOML.

    Raises:
        TextError: it is no YAML.
    """
    if front[1] is None:
        fields: Any = dict(_FIELD.findall(front[2]))
    else:
        try:
            fields = yaml.safe_load(front[1])
        except yaml.YAMLError as error:
            raise TextError(f"{path}: its front matter is no YAML ({str(error).splitlines()[0]}); mend or remove it") from error  # fmt: skip
    values = {str(key).lower(): value for key, value in fields.items()} if isinstance(fields, dict) else {}

    def field(*names: str) -> str:
        value = next((values[name] for name in names if values.get(name)), "")
        return ", ".join(filter(None, map(_named, value if isinstance(value, list) else [value])))

    return About(
        field("title") or path.stem,
        field("author", "authors", "creator"),
        field("language", "lang"),
        field("identifier", "isbn", "id"),
        field("cover", "cover-image"),
    )


def _named(value: Any) -> str:
    """A value, or the name that it holds: ``{name: Ada N., affiliation: ...}``, ``{given: Ada, family: N.}``, or ``{Ada N.: {...}}``."""
    if not isinstance(value, dict):
        return "" if value is None else str(value)
    if (whole := value.get("name") or value.get("literal")) is not None:
        return ", ".join(map(_named, whole)) if isinstance(whole, list) else _named(whole)
    parts = [str(value[key]) for key in _PARTS_OF_NAMES if value.get(key)]
    key, only = next(iter(value.items()), ("", ""))
    return " ".join(parts) or (str(key) if len(value) == 1 and (only is None or isinstance(only, dict)) else "")
