"""Folders are replaced or continued only where they are ours."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.triforce_tts.test_files import content, own_folder
from triforce_tts.errors import TriforceError
from triforce_tts.files import (
    MARKER,
    new_folder,
    working_folder,
)


def stranger(folder: Path) -> dict[str, str]:
    folder.mkdir(parents=True)
    (folder / "thesis.txt").write_text("years of work")
    return content(folder)


@pytest.mark.parametrize("force", [False, True])
def test_a_stranger_s_folder_is_never_replaced(tmp_path: Path, force: bool) -> None:
    before = stranger(tmp_path / "home")
    with pytest.raises(TriforceError, match=r"not this command's, such as 'thesis.txt'"):
        with new_folder(tmp_path / "home", "run", force=force):
            raise AssertionError("the block must not run")
    assert content(tmp_path / "home") == before
    assert [p.name for p in tmp_path.iterdir()] == ["home"]


def test_our_folder_is_replaced_only_when_asked(tmp_path: Path) -> None:
    own_folder(tmp_path / "run")
    with pytest.raises(TriforceError, match=r"exists already.*--force"), new_folder(tmp_path / "run", "run"):
        pass
    with pytest.raises(TriforceError, match="of kind 'run', expected 'model'"):
        with new_folder(tmp_path / "run", "model", force=True):
            pass
    assert content(tmp_path) == {"run/old": "old"}


def test_what_appears_in_the_meantime_is_not_replaced(tmp_path: Path) -> None:
    with (
        pytest.raises(TriforceError, match="cannot write the folder"),
        new_folder(tmp_path / "run", "run") as temporary,
    ):
        (temporary / "new").write_text("new")
        own_folder(tmp_path / "run")
    assert content(tmp_path) == {"run/old": "old"}


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    with new_folder(tmp_path / "run", "run") as temporary:
        (temporary / "new").write_text("new")
    assert content(tmp_path) == {"run/new": "new"}


def test_a_link_is_followed_and_stays(tmp_path: Path) -> None:
    own_folder(tmp_path / "disk" / "run")
    (tmp_path / "link").symlink_to(tmp_path / "disk" / "run")
    with new_folder(tmp_path / "link", "run", force=True) as temporary:
        (temporary / "new").write_text("new")
    assert (tmp_path / "link").is_symlink()
    assert content(tmp_path / "disk") == {"run/new": "new"}
    assert sorted(p.name for p in tmp_path.iterdir()) == ["disk", "link"]


@pytest.mark.parametrize("place", ["data", "data/..", "link", "."])
def test_the_output_is_never_the_input_nor_around_it(tmp_path: Path, place: str) -> None:
    own_folder(tmp_path / "data")
    (tmp_path / "link").symlink_to(tmp_path / "data")
    with pytest.raises(TriforceError, match="is, or holds, the input"):
        with new_folder(tmp_path / place, "run", sources=[tmp_path / "data"], force=True):
            pass
    with pytest.raises(TriforceError, match="is, or holds, the input"):
        with working_folder(tmp_path / place, "run", sources=[tmp_path / "data"]):
            pass
    assert content(tmp_path / "data") == {"old": "old"}


@pytest.mark.parametrize("name", ["loop", "a\nb", "r\udcff"])
def test_names_that_no_folder_can_have_here_are_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "pool")
    (tmp_path / "pool").symlink_to(tmp_path / "loop")
    with pytest.raises(TriforceError, match="choose another place"), new_folder(tmp_path / name, "run"):
        pass
    with pytest.raises(TriforceError, match="choose another place"), working_folder(tmp_path / name, "run"):
        pass
    assert len(list(tmp_path.iterdir())) == 2


def test_a_working_folder_is_continued(tmp_path: Path) -> None:
    with working_folder(tmp_path / "shards", "shards") as folder:
        (folder / "a").write_text("a")
    with working_folder(tmp_path / "shards", "shards") as folder:
        assert (folder / "a").read_text() == "a"
    with pytest.raises(TriforceError, match="of kind 'shards', expected 'codes'"):
        with working_folder(tmp_path / "shards", "codes"):
            pass


def test_a_working_folder_of_which_nothing_came_goes_again(tmp_path: Path) -> None:
    with pytest.raises(ValueError), working_folder(tmp_path / "shards", "shards"):
        raise ValueError
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "mine").mkdir()
    for name in ("shards", "mine"):
        with pytest.raises(ValueError), working_folder(tmp_path / name, "shards") as folder:
            if name == "shards":
                (folder / "a").write_text("a")
            raise ValueError
    assert (tmp_path / "mine").is_dir()
    assert (tmp_path / "shards" / "a").read_text() == "a"


def test_a_working_folder_has_one_writer(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from triforce_tts.files import working_folder\n"
        "with working_folder(Path(sys.argv[1]), 'codes'): pass"
    )
    with working_folder(tmp_path / "codes", "codes"):
        done = subprocess.run(
            [sys.executable, "-c", program, str(tmp_path / "codes")], capture_output=True, text=True, check=False
        )
    assert done.returncode == 1
    assert "another process is writing here" in done.stderr


def test_a_stranger_s_folder_is_not_worked_in(tmp_path: Path) -> None:
    before = stranger(tmp_path / "home")
    with pytest.raises(TriforceError, match="not this command's"), working_folder(tmp_path / "home", "run"):
        pass
    assert content(tmp_path / "home") == before
    (tmp_path / "file").write_text("x")
    with pytest.raises(TriforceError, match="found a file"), working_folder(tmp_path / "file", "run"):
        pass


def test_a_working_folder_of_another_content_is_replaced_only_when_asked(tmp_path: Path) -> None:
    folder = tmp_path / "shards"
    with working_folder(folder, "shards", (), "shards of 'a'") as made:
        (made / "x.tar").write_text("a")
    with working_folder(folder, "shards", (), "shards of 'a'"), working_folder(tmp_path / "run", "run"):
        pass
    with (
        pytest.raises(TriforceError, match=r"holds shards of 'a', which shards of 'b' would replace.*--force"),
        working_folder(folder, "shards", (), "shards of 'b'"),
    ):
        pass
    assert content(folder) == {".lock": "", "x.tar": "a"}
    with working_folder(folder, "shards", (), "shards of 'b'", force=True):
        pass
    with (
        pytest.raises(TriforceError, match="holds shards of 'b'"),
        working_folder(folder, "shards", (), "shards of 'a'"),
    ):
        pass
    with working_folder(folder, "shards"):  # an older version's build, and one that names nothing, goes on
        pass


@pytest.mark.parametrize("marker", ["", "{", "[" * 10_000, '{"kind": 3}', '{"kind": "ru', "\x00", '"run"'])
def test_a_damaged_marker_is_no_marker(tmp_path: Path, marker: str) -> None:
    stranger(tmp_path / "home")
    (tmp_path / "home" / MARKER).write_text(marker)
    with pytest.raises(TriforceError, match="not this command's"):
        with new_folder(tmp_path / "home", "run", force=True):
            pass
