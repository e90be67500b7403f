"""The README does not promise what is not there."""

import re
import shlex
from pathlib import Path

import pytest

from triforce_tts.cli import app as cli

ROOT = Path(__file__).parent.parent
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def commands() -> list[str]:
    lines = []
    for block in re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(), flags=re.S):
        lines += [line.split("  #")[0].strip() for line in block.splitlines() if line.strip()]
    return lines


def options(path: list[str]) -> set[str]:
    """Option names of a sub-command, from its own help."""
    import subprocess
    import sys

    done = subprocess.run(
        [sys.executable, "-m", "triforce_tts.cli.app", *path, "--help"], capture_output=True, text=True, check=True
    )
    return set(re.findall(r"--[a-z-]+", done.stdout))


@pytest.mark.parametrize("line", [c for c in commands() if c.startswith("triforce-tts")])
def test_every_command_of_the_readme_exists_with_its_options(line: str) -> None:
    words = shlex.split(line.split(" < ")[0])[1:]
    known = options(words[:1])
    for word in words:
        if word.startswith("--"):
            assert word in known, line


@pytest.mark.parametrize("line", [c for c in commands() if c.startswith("make")])
def test_every_target_of_the_readme_exists(line: str) -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.M)
    assert shlex.split(line)[1] in targets


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", document.read_text()):
        assert (document.parent / target).exists(), target


def test_files_in_the_reading_order_exist() -> None:
    for name in re.findall(r"`((?:triforce_tts|stages|data)/[\w/.]+)`", (ROOT / "README.md").read_text()):
        assert (ROOT / name).exists(), name


def test_the_command_line_has_a_help() -> None:
    assert cli.app.info.help
