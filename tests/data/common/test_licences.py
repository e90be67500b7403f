"""The packages of the extras must have permissive licences or the LGPL, so that anyone can use and ship the builder."""

import re
import sys
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PYPROJECT = Path(__file__).parents[3] / "pyproject.toml"
TOOLS = ("dev", "bench")  # neither the library nor the builder imports packages of these extras

# The names of allowed licences in fields and classifiers, in lower case.
ALLOWED = {
    "0bsd", "apache", "apache 2.0", "apache 2.0 license", "apache license 2.0", "apache-2.0", "bsd", "bsd license",
    "bsd-2-clause", "bsd-3-clause", "3-clause bsd license", "cc0-1.0", "cnri-python", "isc", "isc license",
    "mit", "mit license", "mit-0", "mit-cmu", "psf-2.0", "public-domain", "unlicense", "zlib", "hpnd",
    "lgpl-2.1-only", "lgpl-2.1-or-later", "lgpl-3.0-only", "lgpl-3.0-or-later",
    "apache software license", "isc license (iscl)", "python software foundation license",
    "the unlicense (unlicense)", "public domain", "zlib/libpng license",
    "gnu lesser general public license v2 or later (lgplv2+)", "gnu lesser general public license v3 (lgplv3)",
    "gnu lesser general public license v3 or later (lgplv3+)", "gnu library or lesser general public license (lgpl)",
}  # fmt: skip

# Licences that a person read in the wheel: the name of the package, and why it is allowed.
EXCEPTIONS = {
    "certifi": "MPL-2.0: Mozilla's list of certificates, unchanged; the licence ends at the file",
    "tqdm": "MPL-2.0 AND MIT: the MPL is of single files, unchanged",
    "cuda-toolkit": "an empty package that names the CUDA libraries below",
}
# CUDA has NVIDIA's own licence. torch for GPUs needs it, torch for CPUs does not, and this project does not ship it.
CUDA = re.compile(r"nvidia-[a-z0-9-]+")


def licences(found: Distribution) -> str:
    """The licence of a distribution as an expression, from the most exact of three places."""
    expression = found.metadata.get("License-Expression")
    classifiers = [
        c.split(" :: ")[-1] for c in found.metadata.get_all("Classifier") or [] if c.startswith("License ::")
    ]
    return expression or " AND ".join(classifiers) or (found.metadata.get("License") or "")


def is_allowed(expression: str) -> bool:
    """Whether each part of an expression is allowed; one of several alternatives is enough."""

    def holds(part: str) -> bool:
        names = [re.split(r"\s+with\s+", choice)[0].strip() for choice in re.split(r"\s+or\s+(?!later\b)", part)]
        return any(name in ALLOWED or name.strip("()") in ALLOWED for name in names)

    return all(holds(part.strip()) for part in re.split(r"\s+and\s+", expression.lower()))


def installed(requirements: list[str]) -> dict[str, Distribution]:
    """Every installed distribution that ``requirements`` need, directly or indirectly."""
    found: dict[str, Distribution] = {}
    seen: set[tuple[str, str]] = set()
    waiting = [(requirement, "") for requirement in requirements]
    while waiting:
        text, extra = waiting.pop()
        requirement = Requirement(text)
        if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
            continue
        name = canonicalize_name(requirement.name)
        try:
            found[name] = distribution(name)
        except PackageNotFoundError:
            continue  # it belongs to another system, or to an extra that is not installed
        for wanted in ("", *requirement.extras):
            if (name, wanted) not in seen:
                seen.add((name, wanted))
                waiting += [(needed, wanted) for needed in found[name].requires or []]
    return found


@pytest.mark.skipif(sys.version_info < (3, 11), reason="tomllib came with 3.11")
def test_what_the_extras_bring_may_be_used_by_anyone() -> None:
    import tomllib

    project = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]
    extras = {name: needs for name, needs in project["optional-dependencies"].items() if name not in TOOLS}
    assert "data" in extras
    brought = installed([*project["dependencies"], *(need for needs in extras.values() for need in needs)])
    assert {"numpy", "typing-extensions", "soxr", "webdataset", "braceexpand"} <= set(brought)
    refused = {
        name: licences(found)[:80]
        for name, found in brought.items()
        if not (is_allowed(licences(found)) or name in EXCEPTIONS or CUDA.fullmatch(name))
    }
    assert not refused, "read the licence in the wheel; if it is permissive or LGPL, extend the lists above"


@pytest.mark.parametrize(
    ("expression", "allowed"),
    [
        ("MIT", True),
        ("LGPL-2.1-or-later", True),
        ("GNU Lesser General Public License v2 or later (LGPLv2+)", True),
        ("BSD-3-Clause AND 0BSD AND MIT", True),
        ("Apache-2.0 OR BSD-2-Clause", True),
        ("(MIT OR GPL-2.0-only) AND ISC", True),
        ("BSD-2-Clause AND Apache-2.0 WITH LLVM-exception", True),
        ("GPL-3.0-or-later", False),
        ("AGPL-3.0-only", False),
        ("MIT AND GPL-2.0-only", False),
        ("GNU General Public License v2 or later (GPLv2+)", False),
        ("GNU Affero General Public License v3", False),
        ("MPL-2.0", False),
        ("Other/Proprietary License", False),
        ("UNKNOWN", False),
        ("", False),
    ],
)
def test_expressions_by_hand(expression: str, allowed: bool) -> None:
    assert is_allowed(expression) == allowed


def test_every_exception_says_why() -> None:
    assert all(len(reason.split()) > 5 for reason in EXCEPTIONS.values())
