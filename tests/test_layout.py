"""The house rules that code review would otherwise have to remember."""

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).parent.parent
PROGRAMS = ("stages", "data")


def imports(file: Path) -> set[str]:
    """Absolute module names that ``file`` imports, and '.' for relative ones."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add("." * node.level + (node.module or ""))
    return found


def test_the_library_imports_no_program_and_programs_no_other() -> None:
    for file in (ROOT / "triforce_tts").rglob("*.py"):
        for name in imports(file):
            assert not name.startswith(("triforce_tts.stages", "triforce_tts.data", "stages", "data.")), file
    for program, other in (PROGRAMS, PROGRAMS[::-1]):
        for file in (ROOT / program).glob("*.py"):
            for name in imports(file):
                assert not name.startswith((f"triforce_tts.{other}", other + ".")), file
                assert not name.startswith(f"triforce_tts.{program}"), f"{file}: siblings are imported relatively"


def test_programs_are_used_by_their_installed_names() -> None:
    for folder in ("tests", "benchmarks"):
        for file in (ROOT / folder).rglob("*.py"):
            for name in imports(file):
                assert name.split(".")[0] not in (*PROGRAMS, "configs"), f"{file}: write triforce_tts.{name}"


@pytest.mark.skipif(sys.version_info < (3, 11), reason="tomllib came with 3.11")
def test_the_package_list_is_what_lies_on_disk() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    found = {".".join(f.parent.relative_to(ROOT).parts) for f in (ROOT / "triforce_tts").rglob("__init__.py")}
    found |= {f"triforce_tts.{name}" for name in (*PROGRAMS, "configs")}
    assert set(project["packages"]) == found
    assert set(project["package-dir"].values()) == {"triforce_tts", *PROGRAMS, "configs"}


def test_importing_the_package_is_light() -> None:
    code = "import sys, triforce_tts; print(sorted({'torch', 'transformers', 'accelerate'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert done.stderr == ""


def test_speaking_needs_no_training_library() -> None:
    code = (
        "import sys, triforce_tts.synthesis, triforce_tts.cli.speak;"
        "print(sorted({'transformers', 'accelerate', 'webdataset', 'librosa', 'tensorboard'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "words", [("--version",), ("speak", "--help"), ("train", "--help"), ("train", "gpt", "--help")]
)
def test_a_question_to_the_command_line_does_without_torch(words: tuple[str, ...]) -> None:
    """Importing torch takes seconds, of which these need none."""
    code = (
        "import sys; from triforce_tts.cli.app import main\n"
        "try:\n    main()\nfinally:\n    print(sorted({'torch', 'accelerate'} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"


def test_nothing_is_unpickled() -> None:
    for folder in ("triforce_tts", *PROGRAMS):
        for file in (ROOT / folder).rglob("*.py"):
            text = file.read_text(encoding="utf-8")
            for call in re.findall(r"torch\.load\(.*", text):
                assert "weights_only=True" in call, file
            assert "import pickle" not in text, file
            assert "strict=False" not in text, file


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_several_processes_are_several_on_cpus_too() -> None:
    """accelerate would start a single one, without a word."""
    words = ["make", "-n", "train-dvae", f"VENV={sys.prefix}", "GPUS=2", "DATA=shards", "RUN=run"]
    told = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert "ACCELERATE_USE_CPU=true" in told
    assert "--multi_gpu --num_processes 2" in told
    one = subprocess.run([*words, "GPUS=1"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert "accelerate" not in one
