"""The table of limits in docs/hardening.md agrees with the code."""

import re
from importlib import import_module
from pathlib import Path
from typing import Any, get_args

import pytest

DOCUMENT = Path(__file__).parent.parent.parent / "docs" / "hardening.md"
ROWS = re.findall(r"^\| ([^|]+) \| ([^|]+) \| `(triforce_tts[\w.]+)` \|", DOCUMENT.read_text(), flags=re.M)


def value_at(where: str) -> Any:
    """The constant, or the field's bound or default, that a dotted name stands for."""
    parts = where.split(".")
    for end in range(len(parts) - 1, 0, -1):
        try:
            found: Any = import_module(".".join(parts[:end]))
        except ModuleNotFoundError:
            continue
        for name in parts[end:]:
            fields = getattr(found, "model_fields", {})
            found = fields[name] if name in fields else getattr(found, name)
        return found
    raise AssertionError(f"no module of {where}")


def upper(found: Any) -> list[float]:
    """The numbers that bound a value: a constant, a pair, a ``Bound``, or what ``Field`` says."""
    if isinstance(found, int | float):
        return [found]
    if isinstance(found, tuple):
        return list(found)
    if hasattr(found, "most"):
        return [found.most]
    metadata = getattr(found, "metadata", ()) or [m for a in get_args(found)[1:] for m in getattr(a, "metadata", ())]
    bounds = [m.le for m in metadata if hasattr(m, "le")]
    return bounds or [found.default]


def test_the_table_is_long() -> None:
    assert len(ROWS) > 40


@pytest.mark.parametrize(("value", "where"), [(value, where) for _, value, where in ROWS], ids=[row[2] for row in ROWS])
def test_a_limit_is_what_the_code_says(value: str, where: str) -> None:
    numbers = [int(number.replace(" ", "")) for number in re.findall(r"\d[\d ]*\d|\d", value)]
    assert numbers == [int(number) for number in upper(value_at(where))]
