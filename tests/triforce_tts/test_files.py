import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from triforce_tts.errors import TriforceError
from triforce_tts.files import atomic_folder, atomic_path, write_json, write_text

resource = pytest.importorskip("resource", reason="limits on the size of a file are a Unix thing")


def content(folder: Path) -> dict[str, str]:
    """Every file under ``folder``, hidden ones too."""
    return {str(p.relative_to(folder)): p.read_text() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_a_file_appears_whole(tmp_path: Path) -> None:
    target = tmp_path / "new" / "a.wav"
    with atomic_path(target) as temporary:
        assert temporary.suffix == ".wav"
        assert temporary.parent == target.parent
        temporary.write_text("half")
        assert not target.exists()
        temporary.write_text("whole")
    assert content(tmp_path) == {"new/a.wav": "whole"}


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_text("a long old text")
    with atomic_path(str(target)) as temporary:
        temporary.write_text("new")
        assert target.read_text() == "a long old text"
    assert content(tmp_path) == {"a.txt": "new"}


@pytest.mark.parametrize("old", [None, "old"])
@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_block_that_raises_leaves_nothing_behind(tmp_path: Path, old: str | None, error: type[BaseException]) -> None:
    if old:
        (tmp_path / "a.txt").write_text(old)
    with pytest.raises(error), atomic_path(tmp_path / "a.txt") as temporary:
        temporary.write_text("half")
        raise error
    assert content(tmp_path) == ({"a.txt": old} if old else {})


def test_a_block_that_writes_nothing_is_told(tmp_path: Path) -> None:
    with pytest.raises(TriforceError, match=r"a.txt: cannot write the file"), atomic_path(tmp_path / "a.txt"):
        pass
    assert content(tmp_path) == {}


def test_a_file_in_the_way_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(TriforceError, match=r"cannot write the file"):
        write_text(tmp_path / "file" / "a.txt", "text")
    with pytest.raises(TriforceError, match=r"cannot write the folder"), atomic_folder(tmp_path / "file" / "folder"):
        pass
    (tmp_path / "folder").mkdir()
    with pytest.raises(TriforceError, match=r"cannot write the file"):
        write_text(tmp_path / "folder", "text")
    assert content(tmp_path) == {"file": "x"}


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[Path]:
    """A folder that nothing can be written to."""
    folder = tmp_path / "locked"
    folder.mkdir()
    folder.chmod(0o500)
    yield folder
    folder.chmod(0o700)


@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root writes anywhere")
def test_a_folder_without_permission_is_told(locked: Path) -> None:
    with pytest.raises(TriforceError, match="Permission denied"):
        write_text(locked / "a.txt", "text")
    with pytest.raises(TriforceError, match="Permission denied"), atomic_folder(locked / "a"):
        pass


def test_a_folder_appears_whole(tmp_path: Path) -> None:
    target = tmp_path / "new" / "run"
    with atomic_folder(target) as temporary:
        (temporary / "deep").mkdir()
        (temporary / "deep" / "a").write_text("1")
        (temporary / "b").write_text("2")
        assert not target.exists()
    assert content(tmp_path) == {"new/run/b": "2", "new/run/deep/a": "1"}


def test_a_folder_is_replaced_whole(tmp_path: Path) -> None:
    target = tmp_path / "run"
    target.mkdir()
    (target / "old").write_text("old")
    with atomic_folder(target) as temporary:
        assert list(temporary.iterdir()) == []
        (temporary / "new").write_text("new")
        assert content(target) == {"old": "old"}
    assert content(tmp_path) == {"run/new": "new"}
    assert [p.name for p in tmp_path.iterdir()] == ["run"]


@pytest.mark.parametrize("exists", [False, True])
@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_folder_whose_block_raises_leaves_nothing_behind(
    tmp_path: Path, exists: bool, error: type[BaseException]
) -> None:
    target = tmp_path / "run"
    if exists:
        target.mkdir()
        (target / "old").write_text("old")
    with pytest.raises(error), atomic_folder(target) as temporary:
        (temporary / "half").write_text("half")
        raise error
    assert content(tmp_path) == ({"run/old": "old"} if exists else {})
    assert len(list(tmp_path.iterdir())) == exists


FULL_DISK = """
import resource, sys
from pathlib import Path
from triforce_tts.errors import TriforceError
from triforce_tts.files import atomic_folder, atomic_path, write_json

resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
kind, target = sys.argv[1], Path(sys.argv[2])
try:
    if kind == "json":
        write_json(target, ["x" * 10_000])
    elif kind == "path":
        with atomic_path(target) as temporary, temporary.open("wb") as file:
            for _ in range(100):
                file.write(b"x" * 100)
    else:
        with atomic_folder(target) as temporary:
            (temporary / "small").write_text("fits")
            (temporary / "large").write_bytes(b"x" * 10_000)
except TriforceError as error:
    print(error, end="")
    sys.exit(3)
"""


@pytest.mark.parametrize("old", [False, True])
@pytest.mark.parametrize("kind", ["json", "path", "folder"])
def test_a_full_disk_leaves_the_old_and_nothing_else(tmp_path: Path, kind: str, old: bool) -> None:
    """A limit on the size of files fails a write half-way, as a full disk does."""
    target = tmp_path / "a.json"
    if old and kind == "folder":
        target.mkdir()
        (target / "old").write_text("old")
    elif old:
        target.write_text("old")
    before = content(tmp_path)
    command = [sys.executable, "-c", FULL_DISK, kind, str(target)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 3, done.stderr
    assert done.stdout.startswith(f"{target}: cannot write the")
    assert "free some space" in done.stdout
    assert content(tmp_path) == before
    assert len(list(tmp_path.iterdir())) == old


def test_text_and_json_by_hand(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "Grüße\n")
    assert (tmp_path / "a.txt").read_bytes() == "Grüße\n".encode()
    write_json(tmp_path / "a.json", {"b": [1, 2.5], "a": "é"})
    assert (tmp_path / "a.json").read_text(encoding="utf-8") == '{\n "a": "é",\n "b": [\n  1,\n  2.5\n ]\n}\n'
    write_json(tmp_path / "b.json", {"a": "é", "b": [1, 2.5]})
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    assert json.loads((tmp_path / "a.json").read_text(encoding="utf-8")) == {"a": "é", "b": [1, 2.5]}
