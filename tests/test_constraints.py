"""The lock file of tested versions has every package that the project needs, with the versions that are installed."""

import re
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

EXTRAS = ("", "train", "data", "books", "web", "youtube", "whisper", "evaluate", "ray", "lora", "dev", "bench")
OWN = "triforce-tts"


def pins() -> dict[str, str]:
    """The pinned version of each package for this version of Python."""
    found: dict[str, str] = {}
    for line in Path("constraints.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            requirement = Requirement(line)
            if requirement.marker is None or requirement.marker.evaluate():
                version = re.fullmatch(r"==(\S+)", str(requirement.specifier))
                assert version, line
                found[canonicalize_name(requirement.name)] = version[1]
    return found


def direct() -> list[Requirement]:
    """The packages that the project itself requires, with those of every extra."""
    requirements = [Requirement(text) for text in distribution(OWN).requires or ()]
    return [
        requirement
        for requirement in requirements
        if canonicalize_name(requirement.name) != OWN
        and any(requirement.marker is None or requirement.marker.evaluate({"extra": extra}) for extra in EXTRAS)
    ]


def test_every_requirement_has_a_pin_that_it_accepts() -> None:
    pinned = pins()
    assert len(direct()) > 25
    for requirement in direct():
        name = canonicalize_name(requirement.name)
        assert name in pinned, f"constraints.txt lacks {name}: make it anew, its first lines say how"
        assert requirement.specifier.contains(pinned[name]), f"{requirement}, but constraints.txt says {pinned[name]}"


def needed() -> set[str]:
    """All packages that are installed here because the project requires them, directly or indirectly."""
    found: set[str] = set()
    left = [canonicalize_name(requirement.name) for requirement in direct()]
    while left:
        name = left.pop()
        if name in found:
            continue
        try:
            requires = distribution(name).requires or ()
        except PackageNotFoundError:
            continue  # an extra that is not installed here
        found.add(name)
        for requirement in map(Requirement, requires):
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                left.append(canonicalize_name(requirement.name))
    return found


def test_what_is_installed_is_what_was_tested() -> None:
    pinned = pins()
    others = {name: distribution(name).version for name in needed() if distribution(name).version != pinned.get(name)}
    local = {name for name, version in others.items() if version.partition("+")[0] == pinned.get(name)}  # 2.11.0+cpu
    wrong = {name: f"{others[name]}, pinned {pinned.get(name)}" for name in others.keys() - local}
    if wrong and not Path(".ci-venv").exists():
        pytest.skip(f"this environment was not installed with constraints.txt: {wrong}")
    assert not wrong
