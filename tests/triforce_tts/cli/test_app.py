"""Unexpected errors on the command line: one line, exit code 2, no traceback."""

import os
import signal
import subprocess
import sys
import time
from functools import partial
from importlib.metadata import packages_distributions, requires, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from triforce_tts.cli.app import EXTRAS, _unavailable

# A command that misbehaves as its argument says; it is run like the real commands.
PROGRAM = """
import os, signal, sys, time
from triforce_tts.cli import app
from triforce_tts.files import atomic_path
from pathlib import Path

@app.app.command()
def fail(how: str, place: Path = Path(".")) -> None:
    if how == "forbidden":
        raise PermissionError(13, "Permission denied", "/some/file")
    if how == "memory":
        raise MemoryError
    if how == "missing":
        import no_such_module
    if how == "extra":
        raise ModuleNotFoundError("no", name="accelerate")
    if how == "eof":
        raise EOFError("Compressed file ended before the end-of-stream marker was reached")
    if how == "own":
        import triforce_tts.no_such_module
    if how == "wait":
        with atomic_path(place / "a.wav") as temporary:
            temporary.write_text("half")
            print("ready", flush=True)
            time.sleep(60)
app.main()
"""


def run(*words: str, **streams: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # type: ignore[call-overload, no-any-return]
        [sys.executable, "-c", PROGRAM, *words], text=True, timeout=300, check=False, stderr=subprocess.PIPE, **streams
    )


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ("forbidden", "/some/file: Permission denied"),
        ("memory", "memory"),
        ("missing", "'no_such_module'"),
        ("extra", "triforce-tts[train]"),
        ("eof", "ended before it was complete (Compressed file"),
    ],
)
def test_a_fault_is_one_line(how: str, told: str) -> None:
    done = run("fail", how)
    assert done.returncode == 2, done.stderr
    assert len(done.stderr.strip().splitlines()) == 1  # typer ends the line of a prompt when the input ends
    assert done.stderr.strip().startswith("triforce-tts: ")
    assert told in done.stderr


def test_a_fault_of_our_own_shows_its_traceback() -> None:
    assert "Traceback" in run("fail", "own").stderr


@pytest.mark.parametrize(
    ("number", "code", "told"),
    [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")],
)
def test_a_signal_leaves_nothing_half_written(tmp_path: Path, number: int, code: int, told: str) -> None:
    command = [sys.executable, "-c", PROGRAM, "fail", "wait", "--place", str(tmp_path)]
    # A shell lets programs in the background ignore SIGINT, and their child processes would ignore it too.
    listen = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=listen
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        _, stderr = process.communicate(timeout=300)
    assert process.returncode == code
    assert stderr == f"triforce-tts: {told}; nothing half-written is left\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("words", [("speak", "--sed", "3"), ("spek",), ("speak", "hi", "--seed", "x"), ("score", "a")])
def test_wrong_usage_is_one_line(words: tuple[str, ...]) -> None:
    done = run(*words)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "--help" in done.stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("speak", "hi", "--seed", "x1"), ", found 'x1'; "),
        (("speak", "hi", "--speed=0,9"), ", found '0,9'; "),
        (("speak", "good", "morning"), "(morning); a text of several words needs quotes; "),
        (("listen", "a.wav", "b.wav"), "(b.wav); '"),
        (("speak", "-5 degrees"), "No such option: -5; a text that begins with '-' needs '--' before it"),
    ],
)
def test_wrong_usage_is_told_with_what_was_found(words: tuple[str, ...], told: str) -> None:
    assert told in run(*words).stderr


@pytest.mark.parametrize("words", [("--voice=~/a.wav",), ("--voice", "~/a.wav")])
def test_the_home_folder_is_known_in_options_but_not_in_texts(words: tuple[str, ...], tmp_path: Path) -> None:
    done = run("speak", *words, "--", "~/a", env={**os.environ, "HOME": str(tmp_path)})
    assert f"{tmp_path}/a.wav: no such file" in done.stderr


@pytest.mark.parametrize("kind", [(), ("labelled",)])
def test_the_home_folder_is_known_in_options_of_a_build_without_its_kind(kind: tuple[str, ...], tmp_path: Path) -> None:
    source = tmp_path / "in"
    source.mkdir()
    done = run("build", *kind, str(source), "--heldout=~/list.json", env={**os.environ, "HOME": str(tmp_path)})
    assert done.returncode == 2 and "'~" not in done.stderr and "~/" not in done.stderr
    done = run("build", *kind, str(source), "--out", "~/in/out", env={**os.environ, "HOME": str(tmp_path)})
    assert f"--out {source}/out: it lies in the source" in done.stderr


def test_h_is_help() -> None:
    assert run("voices", "add", "-h", stdout=subprocess.PIPE).stdout.startswith("Usage:")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("narrate", "book.txt", "--out", "--dry-run"), "--out: expected a value, found the option --dry-run"),
        (("voices", "add", "--model", "--help"), "--model: expected a value, found the option --help"),
        (("speak", "hi", "--voice=--quiet"), "--quiet: no such file"),
        (("speak", "--voice", "nobody.wav", "--", "--voice="), "nobody.wav: no such file"),
    ],
)
def test_an_option_is_no_value_of_the_option_before_it(words: tuple[str, ...], told: str) -> None:
    done = run(*words)
    assert done.returncode == 2
    assert told in done.stderr


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (("narrate", ""), "an argument"),
        (("narrate", "book.txt", "--feed", ""), "--feed"),
        (("narrate", "book.txt", "--feed="), "--feed"),
        (("speak", " "), "an argument"),
        (("speak", "hi", "--out", ""), "--out"),
        (("voices", "add", "ann", ""), "an argument"),
    ],
)
def test_an_empty_value_never_means_the_current_folder(words: tuple[str, ...], name: str, tmp_path: Path) -> None:
    (tmp_path / "other.txt").write_text("The text of another book.")
    done = run(*words, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith(f"triforce-tts: {name}: expected a value, found an empty text")
    assert [path.name for path in tmp_path.iterdir()] == ["other.txt"]


def test_the_version_is_printed() -> None:
    done = run("--version", stdout=subprocess.PIPE)
    assert (done.returncode, done.stdout.strip()) == (0, version("triforce-tts"))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a Linux device")
def test_a_full_disk_behind_standard_output_is_one_line() -> None:
    with Path("/dev/full").open("w") as full:
        done = run("--version", stdout=full)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "No space left on device" in done.stderr


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_are_no_fault(closed: str) -> None:
    command = f"{sys.executable} -m triforce_tts.cli.app --version {closed}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr


SITE = """
import atexit, os, pathlib, sys

class Kept:
    def __del__(self, create=os.open, how=os.O_CREAT | os.O_WRONLY):
        create("torn down", how)

sys.kept = Kept()
atexit.register(pathlib.Path("exit handlers ran").touch)
"""


@pytest.mark.parametrize(("command", "torn"), [("speak", False), ("listen", True)])
def test_speak_ends_its_process_at_once_behind_the_exit_handlers(command: str, torn: bool, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(SITE)
    done = subprocess.run(
        [sys.executable, "-m", "triforce_tts.cli.app", command, "--wrong"],
        capture_output=True, text=True, timeout=300, check=False, env={**os.environ, "PYTHONPATH": "."}, cwd=tmp_path,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "") and "--wrong" in done.stderr
    assert (tmp_path / "exit handlers ran").exists() and (tmp_path / "torn down").exists() is torn


def test_the_list_of_commands_needs_no_extra(tmp_path: Path) -> None:
    """The packages that only extras install are replaced by packages that cannot be imported."""
    for module in ("accelerate", "webdataset"):
        (tmp_path / f"{module}.py").write_text(f"raise ModuleNotFoundError('hidden', name='{module}')")
    done = subprocess.run(
        [sys.executable, "-m", "triforce_tts.cli.app", "--help"],
        capture_output=True, text=True, timeout=300, check=False, env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "speak" in done.stdout
    assert "train" in done.stdout
    assert "triforce-tts[train]" in (_unavailable("accelerate").__doc__ or "")


def test_every_module_of_an_extra_names_it() -> None:
    """The installed distributions, and the requirements of this package, tell which packages these are."""
    modules = packages_distributions()
    plain = {Requirement(text).name.lower() for text in requires("triforce-tts") or () if "extra ==" not in text}
    wanted: dict[str, set[str]] = {}
    for text in requires("triforce-tts") or ():
        requirement = Requirement(text)
        for extra in ("train", "data", "books", "youtube", "whisper", "evaluate", "ray", "lora"):
            if requirement.marker and requirement.marker.evaluate({"extra": extra}):
                wanted.setdefault(requirement.name.lower().replace("_", "-"), set()).add(extra)
    for module, distributions in modules.items():
        names = {name.lower().replace("_", "-") for name in distributions}
        if module.startswith("_") or not names & wanted.keys() or names & plain:
            continue
        extras = set().union(*(wanted.get(name, set()) for name in names))
        if module in EXTRAS:
            assert EXTRAS[module] in extras, module
    imported = {"accelerate", "webdataset", "pocketsphinx", "feedparser", "onnxruntime", "lxml", "yt_dlp", "peft"}
    assert imported <= EXTRAS.keys()


def test_a_loader_that_waits_does_not_outlive_the_signal(tmp_path: Path) -> None:
    """A terminated command ends soon, although its workers have work for hours."""
    program = tmp_path / "program.py"
    program.write_text(
        "import signal, sys, time\n"
        "from triforce_tts import pool\n"
        "from triforce_tts.cli import app\n"
        "def work(seconds):\n    print('ready', flush=True)\n    time.sleep(seconds)\n"
        "@app.app.command()\ndef slow() -> None:\n    list(pool.run(work, [600, 600], 2))\n"
        "if __name__ == '__main__':\n    app.main()\n"
    )
    with subprocess.Popen([sys.executable, str(program), "slow"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        began = time.monotonic()
        process.terminate()
        assert process.wait(timeout=300) == 143
        assert time.monotonic() - began < 30
