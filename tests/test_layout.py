"""Rules of this repository that a test can check, so that reviewers need not remember them."""

import ast
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).parent.parent
PROGRAMS = ("stages", "data")
TOP = ("adapt",)  # lies above the programs: it may import them and the library, and nothing imports it


@cache
def tree_of(file: Path) -> ast.Module:
    """The syntax of ``file``, which several tests look through."""
    return ast.parse(file.read_text(encoding="utf-8"))


@cache
def imports(file: Path) -> frozenset[str]:
    """Absolute module names that ``file`` imports, and '.' for relative ones."""
    found: set[str] = set()
    for node in ast.walk(tree_of(file)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add("." * node.level + (node.module or ""))
    return frozenset(found)


def test_the_library_imports_no_program_and_programs_no_other() -> None:
    for file in (ROOT / "triforce_tts").rglob("*.py"):
        for name in imports(file):
            assert not name.startswith(("triforce_tts.stages", "triforce_tts.data", "stages", "data.")), file
            assert not name.startswith(("triforce_tts.adapt", "adapt.")), file
    for program, other in (PROGRAMS, PROGRAMS[::-1]):
        for file in (ROOT / program).rglob("*.py"):
            for name in imports(file):
                assert not name.startswith((f"triforce_tts.{other}", other + ".")), file
                assert not name.startswith(f"triforce_tts.{program}"), f"{file}: siblings are imported relatively"
                assert not name.startswith(("triforce_tts.adapt", "adapt.")), file
    for file in (folder_file for folder in TOP for folder_file in (ROOT / folder).rglob("*.py")):
        for name in imports(file):
            assert not name.startswith("triforce_tts.adapt"), f"{file}: siblings are imported relatively"


# The packages of the builder, the lowest first: a package imports from itself and from those before it.
ROOMS = ("common", "web", "steps", "report", "labelled", "raw")
# The known circles of the import graph; this set may only become smaller.
CIRCLES: set[frozenset[str]] = set()


def modules() -> dict[str, Path]:
    """Every module of the project by its installed name."""
    table = {}
    for folder in ("triforce_tts", *PROGRAMS, *TOP):
        for file in (ROOT / folder).rglob("*.py"):
            parts = file.relative_to(ROOT).with_suffix("").parts
            parts = parts if folder == "triforce_tts" else ("triforce_tts", *parts)
            table[".".join(parts).removesuffix(".__init__")] = file
    return table


def nodes_that_run(tree: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a module, also those within functions, without those that only a type checker reads."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            continue
        yield node
        yield from nodes_that_run(node)


def imported(module: str, file: Path, known: set[str]) -> set[str]:
    """The modules of the project that a module imports, by their installed names."""
    package = module if file.name == "__init__.py" else module.rpartition(".")[0]
    names: set[str] = set()
    for node in nodes_that_run(tree_of(file)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) + 1 - node.level] if node.level else []
            base = ".".join([*above, node.module] if node.module else above)
            within = {f"{base}.{alias.name}" for alias in node.names}
            # "from package import module" imports the module; the package itself is empty.
            names |= (within & known) or {base}
    return (names & known) - {module}


@cache
def import_graph() -> dict[str, set[str]]:
    table = modules()
    return {module: imported(module, file, set(table)) for module, file in table.items()}


def circles(graph: dict[str, set[str]]) -> set[frozenset[str]]:
    """The groups of modules that import each other, directly or through others."""

    def reached(start: str) -> set[str]:
        seen, left = set[str](), [start]
        while left:
            for name in graph[left.pop()] - seen:
                seen.add(name)
                left.append(name)
        return seen

    table = {module: reached(module) for module in graph}
    return {
        frozenset({other for other in within if module in table[other]})
        for module, within in table.items()
        if module in within
    }


def test_circles_are_seen() -> None:
    graph = {"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"a", "d"}, "e": {"d"}}
    assert circles(graph) == {frozenset("bc"), frozenset("d")}
    file = ROOT / "data" / "raw" / "find.py"
    names = imported("triforce_tts.data.raw.find", file, set(modules()))
    assert {"triforce_tts.data.web.fetch", "triforce_tts.data.common.segments", "triforce_tts.files"} <= names


def test_the_import_graph_has_no_new_circle() -> None:
    assert circles(import_graph()) == CIRCLES


def test_rooms_of_the_builder_import_downwards() -> None:
    data = "triforce_tts.data."
    order = {room: place for place, room in enumerate(ROOMS, 1)}
    assert {f.parent.name for f in (ROOT / "data").glob("*/*.py")} == set(ROOMS)
    for module, names in import_graph().items():
        if module.startswith(data):
            here = order.get(module.removeprefix(data).split(".")[0], len(order) + 1)
            for name in names:
                if name.startswith(data):
                    there = order.get(name.removeprefix(data).split(".")[0], len(order) + 1)
                    assert there <= here, f"{module} imports {name}, which lies above it"


def test_rooms_of_the_builder_are_small() -> None:
    for room in ROOMS:
        files = [file for file in (ROOT / "data" / room).glob("*.py") if file.name != "__init__.py"]
        assert 2 <= len(files) <= 12, f"data/{room} has {len(files)} files"


def test_tests_mirror_the_rooms() -> None:
    assert {f.parent.name for f in (ROOT / "tests" / "data").glob("*/*.py")} == set(ROOMS)


def test_programs_are_used_by_their_installed_names() -> None:
    for folder in ("tests", "benchmarks"):
        for file in (ROOT / folder).rglob("*.py"):
            for name in imports(file):
                assert name.split(".")[0] not in (*PROGRAMS, *TOP, "configs"), f"{file}: write triforce_tts.{name}"


@pytest.mark.skipif(sys.version_info < (3, 11), reason="tomllib came with 3.11")
def test_the_package_list_is_what_lies_on_disk() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    found = {".".join(f.parent.relative_to(ROOT).parts) for f in (ROOT / "triforce_tts").rglob("__init__.py")}
    for program in (*PROGRAMS, *TOP):
        found |= {f"triforce_tts.{'.'.join(f.parent.relative_to(ROOT).parts)}" for f in (ROOT / program).rglob("*.py")}
    found.add("triforce_tts.configs")
    assert set(project["packages"]) == found
    assert set(project["package-dir"].values()) == {"triforce_tts", *PROGRAMS, *TOP, "configs"}


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
    "words",
    [
        ("--version",),
        ("--help",),  # imports the modules of all commands
        ("speak", "--help"),
        ("train", "--help"),
        ("train", "gpt", "--help"),
        ("build", "raw", "--help"),
        ("adapt", "--help"),
        ("prefer", "--help"),
        ("voices", "--help"),
    ],
)
def test_a_question_to_the_command_line_does_without_torch(words: tuple[str, ...]) -> None:
    """Importing torch takes seconds, and these commands do not need it."""
    code = (
        "import sys; from triforce_tts.cli.app import main\n"
        "try:\n    main()\nfinally:\n    print(sorted({'torch', 'accelerate', 'transformers', 'scipy', 'sympy'} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"


def test_nothing_is_unpickled() -> None:
    for folder in ("triforce_tts", *PROGRAMS, *TOP):
        for file in (ROOT / folder).rglob("*.py"):
            text = file.read_text(encoding="utf-8")
            for call in re.findall(r"torch\.load\(.*", text):
                assert "weights_only=True" in call, file
            assert "import pickle" not in text, file
            assert "strict=False" not in text, file


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_several_processes_are_several_on_cpus_too() -> None:
    """Without these settings of the Makefile, accelerate would start a single process and say nothing."""
    words = ["make", "-n", "train-dvae", f"VENV={sys.prefix}", "GPUS=2", "DATA=shards", "RUN=run"]
    told = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert "ACCELERATE_USE_CPU=true" in told
    assert "--multi_gpu --num_processes 2" in told
    one = subprocess.run([*words, "GPUS=1"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert "accelerate" not in one
