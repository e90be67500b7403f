import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from triforce_tts import leftovers
from triforce_tts.errors import TriforceError
from triforce_tts.files import (
    MARKER,
    atomic_path,
    new_folder,
    read_file,
    read_text_file,
    working_folder,
    write_json,
    write_text,
)

resource = pytest.importorskip("resource", reason="limits on the size of a file are a Unix thing")


def content(folder: Path) -> dict[str, str]:
    """Every file under ``folder``, hidden ones too, without the markers of our folders."""
    return {str(p.relative_to(folder)): p.read_text() for p in files_below(folder)}


def files_below(folder: Path) -> list[Path]:
    return [p for p in sorted(folder.rglob("*")) if p.is_file() and p.name != MARKER]


def own_folder(path: Path) -> Path:
    """A folder as an earlier command left it."""
    with new_folder(path, "run") as temporary:
        (temporary / "old").write_text("old")
    return path


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


def test_a_link_to_a_file_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real.txt").write_text("old")
    (tmp_path / "link.txt").symlink_to("real.txt")
    write_text(tmp_path / "link.txt", "new")
    assert (tmp_path / "link.txt").is_symlink()
    assert (tmp_path / "real.txt").read_text() == "new"


def test_devices_and_pipes_are_not_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(tmp_path / "pipe")
    for place in (tmp_path / "pipe", tmp_path / "link"):
        with pytest.raises(TriforceError, match="found a pipe or a device"):
            write_text(place, "text")
    assert (tmp_path / "pipe").is_fifo()


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
    with (
        pytest.raises(TriforceError, match=r"cannot write the folder"),
        new_folder(tmp_path / "file" / "folder", "run"),
    ):
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
    with pytest.raises(TriforceError, match="Permission denied"), new_folder(locked / "a", "run"):
        pass


def test_a_folder_appears_whole(tmp_path: Path) -> None:
    target = tmp_path / "new" / "run"
    with new_folder(target, "run", force=True) as temporary:
        (temporary / "deep").mkdir()
        (temporary / "deep" / "a").write_text("1")
        (temporary / "b").write_text("2")
        assert not target.exists()
    assert content(tmp_path) == {"new/run/b": "2", "new/run/deep/a": "1"}


def test_a_folder_is_replaced_whole(tmp_path: Path) -> None:
    target = own_folder(tmp_path / "run")
    with new_folder(target, "run", force=True) as temporary:
        assert [p.name for p in temporary.iterdir()] == [MARKER]
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
        own_folder(target)
    with pytest.raises(error), new_folder(target, "run", force=True) as temporary:
        (temporary / "half").write_text("half")
        raise error
    assert content(tmp_path) == ({"run/old": "old"} if exists else {})
    assert len(list(tmp_path.iterdir())) == exists


FULL_DISK = """
import resource, sys
from pathlib import Path
from triforce_tts.errors import TriforceError
from triforce_tts.files import atomic_path, new_folder, working_folder, write_json

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
        with new_folder(target, "run", force=True) as temporary:
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
        own_folder(target)
    elif old:
        target.write_text("old")
    before = content(tmp_path)
    command = [sys.executable, "-c", FULL_DISK, kind, str(target)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
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


# --- what killed processes left behind ----------------------------------------------------------------------------

KILLED = """
import os, signal, sys
from pathlib import Path
from triforce_tts.files import atomic_path, new_folder, working_folder, write_json
place = Path(sys.argv[1])
with working_folder(place / "run", "run") as run, atomic_path(place / "a.wav") as a, atomic_path(run / "b.json") as b:
    with new_folder(run / "step-1", "checkpoint") as step, new_folder(place / "model", "model") as model:
        for path in (a, b, step / "weights", model / "weights"):
            path.write_text("half")
        os.kill(os.getpid(), signal.SIGKILL)
"""


def hidden(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.rglob(".*.tmp*"))


def test_what_a_killed_process_left_is_removed_at_the_next_start(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], timeout=300, check=False)
    assert done.returncode == -9
    assert len(hidden(tmp_path)) == 4
    write_text(tmp_path / "a.wav", "whole")
    with new_folder(tmp_path / "model", "model"), working_folder(tmp_path / "run", "run"):
        pass
    assert hidden(tmp_path) == []
    assert content(tmp_path) == {"a.wav": "whole", "run/.lock": ""}


def test_what_living_processes_and_others_write_is_left_alone(tmp_path: Path) -> None:
    machine = hidden_name(tmp_path).split(".")[-3].rpartition("-")[0]
    names = [
        f".a.{machine}-{os.getppid()}.tmp.txt",  # a living process
        # The file belongs to another machine, so it is not known here whether its process lives.
        ".a.otherhost-999999999.tmp.txt",
        f".b.{machine}-999999999.tmp.txt",  # another file's
        f".a.{machine}-99x.tmp.txt",
        ".a.txt.swp",
        ".a.1234.tmp.txt",
    ]
    for name in names:
        (tmp_path / name).write_text("x")
    write_text(tmp_path / "a.txt", "whole")
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([*names, "a.txt"])


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="the state of a process is read from /proc")
def test_a_number_that_another_process_has_now_does_not_protect(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A killed process that nobody has collected keeps its number, and a container gives numbers again."""
    machine = hidden_name(tmp_path).split(".")[-3].rpartition("-")[0]
    dead = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, dead.pid, os.WEXITED | os.WNOWAIT)
    uncollected = tmp_path / f".a.{machine}-{dead.pid}.tmp.txt"
    uncollected.write_text("x")
    write_text(tmp_path / "a.txt", "whole")
    assert not uncollected.exists()
    dead.wait()

    monkeypatch.setattr(leftovers, "_CLOCK_SLACK_S", 0.0)
    old, new = tmp_path / "old", tmp_path / "new"
    old.touch()
    time.sleep(2.0)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as younger:
        time.sleep(1.0)
        new.touch()
        found = [leftovers._is_another_process(younger.pid, path) for path in (old, new)]
        younger.communicate(b"\n")
    assert found == [True, False]


def hidden_name(folder: Path) -> str:
    with atomic_path(folder / "a.txt") as temporary:
        temporary.write_text("x")
        return temporary.name


def test_a_folder_whose_replacement_was_killed_half_way_comes_back(tmp_path: Path) -> None:
    own_folder(tmp_path / "run")
    machine = hidden_name(tmp_path).split(".")[-3].rpartition("-")[0]
    (tmp_path / "run").rename(tmp_path / f".run.{machine}-999999999.old")
    with pytest.raises(ValueError), new_folder(tmp_path / "run", "run", force=True):
        raise ValueError
    assert content(tmp_path / "run") == {"old": "old"}


def test_long_names_have_temporary_names(tmp_path: Path) -> None:
    for name in ("x" * 250, "é" * 120, "a." + "y" * 240):
        write_text(tmp_path / name, "whole")
        assert (tmp_path / name).read_text() == "whole"
    with pytest.raises(TriforceError, match="cannot write the file"):
        write_text(tmp_path / ("x" * 300), "text")


# --- reading ------------------------------------------------------------------------------------------------------


def test_only_regular_files_of_bounded_size_are_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"12345")
    os.mkfifo(tmp_path / "pipe")
    assert read_file(tmp_path / "a", 5) == b"12345"
    for path, message in [
        (tmp_path / "missing", "No such file"),
        (tmp_path, "found a folder"),
        (tmp_path / "pipe", "a pipe or a device"),
        (Path("/dev/zero"), "a pipe or a device"),
        (Path("a\x00b"), "null byte"),
    ]:
        with pytest.raises(TriforceError, match=message):
            read_file(path)
    with pytest.raises(TriforceError, match="5 bytes, at most 4"):
        read_file(tmp_path / "a", 4)


def test_text_is_utf_8_without_its_mark(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"\xef\xbb\xbfGr\xc3\xbc\xc3\x9fe")
    assert read_text_file(tmp_path / "a") == "Grüße"
    (tmp_path / "b").write_bytes("Grüße".encode("cp1252"))
    with pytest.raises(TriforceError, match=r"not UTF-8 text \(byte 2\)"):
        read_text_file(tmp_path / "b")
