"""No package that is required has a licence under which the project could not be given away."""

import re
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.test_constraints import EXTRAS, OWN

STRICT = re.compile(r"(?<!L)(?<!Lesser )\b(?:AGPL|GPL|(?:Affero )?General Public Licen[cs]e)", re.IGNORECASE)
# NOTICE must name packages with one of these licences.
NAMED = re.compile(r"LGPL|Lesser|MPL|Mozilla|NVIDIA", re.IGNORECASE)


def installed() -> Iterator[Distribution]:
    """All packages that the project requires with its extras, and all that these require, as far as they are installed."""
    waiting, seen = [(OWN, frozenset(EXTRAS))], set()
    while waiting:
        name, extras = waiting.pop()
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        try:
            package = distribution(name)
        except PackageNotFoundError:
            continue
        if name != OWN:
            yield package
        for text in package.requires or ():
            need = Requirement(text)
            if need.marker is None or any(need.marker.evaluate({"extra": extra}) for extra in ("", *extras)):
                waiting.append((canonicalize_name(need.name), frozenset(need.extras)))


def licence(package: Distribution) -> str:
    """What a package says of its licence: the expression, else the classifiers, else the first line of the free text."""
    about = package.metadata
    classifiers = [
        c.rpartition("::")[2].strip() for c in about.get_all("Classifier") or () if c.startswith("License ::")
    ]
    return about.get("License-Expression") or "; ".join(classifiers) or (about.get("License") or "").split("\n")[0]


def is_allowed(words: str) -> bool:
    """Whether one of the licences between which a user may choose is not the GPL or the AGPL."""
    return any(not STRICT.search(choice) for choice in re.split(r"\bOR\b", words))


@pytest.mark.parametrize(
    ("words", "allowed"),
    [
        ("GPL-2.0-or-later", False), ("AGPL-3.0", False), ("GNU General Public License v3 (GPLv3)", False),
        ("GNU Affero General Public License v3", False), ("MPL-1.1 OR GPL-2.0-only OR LGPL-2.1-or-later", True),
        ("LGPL-2.1-or-later", True), ("GNU Lesser General Public License v3 (LGPLv3)", True), ("MPL-2.0 AND MIT", True),
    ],
)  # fmt: skip
def test_the_rule_tells_licences_apart(words: str, allowed: bool) -> None:
    assert is_allowed(words) == allowed


def test_no_package_is_under_the_gpl_and_weaker_duties_are_named() -> None:
    notice = Path("NOTICE").read_text(encoding="utf-8")
    packages = {canonicalize_name(package.name): licence(package) for package in installed()}
    assert len(packages) > 30
    assert {name: words for name, words in packages.items() if not is_allowed(words)} == {}
    duties = {name for name, words in packages.items() if NAMED.search(words) and not name.startswith("nvidia-")}
    assert {name for name in duties if not re.search(rf"\b{name}\b", notice)} == set()
