"""A machine that has torch and little else: training imports no more than the documented wheels."""

import ast
import re
import sys
from pathlib import Path

import pytest

from tests.stages.test_gpu_run import ROOT

pytestmark = pytest.mark.usefixtures("one_thread")


# What machines with torch commonly have of what training imports; the documentation lists the rest as WHEELS.
THERE = {"torch", "torchaudio", "numpy", "accelerate", "rich", "typer", "yaml", "safetensors", "psutil"}
PACKAGES = {"pydantic", "soundfile", "soxr", "sentencex", "webdataset"}


PROGRAMS = ("cli", "trainer.loop", "dvae", "gpt", "diffusion", "codes", "bundle", "gpu.run")


def imported_at_once(file: Path) -> set[str]:
    """What a module imports when it is imported: not in functions, and not for a type checker alone."""
    names: set[str] = set()
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            package = ["triforce_tts", *file.relative_to(ROOT).parts[: -node.level]] if node.level else []
            base = ".".join([*package, *([node.module] if node.module else [])])
            names |= {base, *(f"{base}.{alias.name}" for alias in node.names)}
    return names


def test_training_imports_no_more_than_the_documented_wheels() -> None:
    left, seen, foreign = [f"triforce_tts.stages.{name}" for name in PROGRAMS], set[str](), set[str]()
    while left:
        module = left.pop()
        parts = module.split(".")
        if parts[0] != "triforce_tts":
            foreign.add(parts[0])
            continue
        file = ROOT.joinpath(*(parts[1:] if parts[1:2] == ["stages"] else parts))
        for path in (file.with_suffix(".py"), file / "__init__.py"):
            if path.is_file() and module not in seen:
                seen.add(module)
                left += imported_at_once(path)
    assert foreign - set(sys.stdlib_module_names) - THERE <= PACKAGES
    assert {"triforce_tts.audio.io", "triforce_tts.stages.trainer.loop"} <= seen
    wheels = re.search(r'WHEELS="(.*?)"', (ROOT / "docs" / "training.md").read_text(), flags=re.DOTALL)
    assert wheels is not None
    assert set(wheels[1].replace("\\", " ").split()) >= PACKAGES
