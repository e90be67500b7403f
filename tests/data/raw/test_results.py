"""The results in OUT/work: they are checked when they are read, locked for other processes, and kept if final."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile as sf
import torch
from rich.console import Console

from triforce_tts.data.common.segments import Recording, Segment
from triforce_tts.data.raw import build as raw_build
from triforce_tts.data.raw import pipeline, results
from triforce_tts.data.raw.pipeline import Work, process
from triforce_tts.data.raw.results import Account
from triforce_tts.errors import AudioError, ShardError, TriforceError

QUIET = Console(quiet=True)
CHOSEN = ["sample_rate=16000", "transcribe.engine=none", "screen.dnsmos=false"]


def silence(folder: Path, name: str = "quiet.wav") -> Path:
    folder.mkdir(exist_ok=True)
    sf.write(folder / name, np.zeros(16000) + len(name) / 1e4, 16000)
    return folder / name


def work(out: Path, path: Path, *settings: str) -> Work:
    config = raw_build.load_config("podcast", [*CHOSEN, *settings])
    recording = Recording("quiet-12345678", str(path), "in")
    return Work(recording, str(results.work_folder(out, recording)), config)


# --- A4: names from files ---


@pytest.mark.parametrize("name", ["../../home", "/etc", ".", "..", "", "a/b", ".hidden", "x" * 300, "a\n", 7, None])
def test_a_name_that_leads_elsewhere_is_refused(name: object, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "thesis.txt").write_text("years of work")
    out = tmp_path / "out"
    raw_build.build([str(silence(tmp_path / "in"))], out, raw_build.load_config("podcast", CHOSEN), 1, QUIET, "fetch")
    content = json.loads((out / "work" / "sources.json").read_text())
    content["sources"][0]["id"] = name
    (out / "work" / "sources.json").write_text(json.dumps(content))
    with pytest.raises(ShardError, match=r"sources\.json: 'sources\.0\.id'"):
        raw_build.build([], out, raw_build.load_config("podcast", CHOSEN), 1, QUIET, "process")
    assert (home / "thesis.txt").read_text() == "years of work"


@pytest.mark.parametrize(
    "text", ["[" * 100_000, "{}", "[]", "null", "", '{"sources": 1, "failures": []}', '{"sources": [], "failures": [1]}',
             '{"sources": [{"id": "a", "path": "a", "collection": "\\ud800"}], "failures": []}',
             '{"sources": [{"id":"a","path":"a","collection":"c"},{"id":"a","path":"b","collection":"c"}],"failures":[]}'],
)  # fmt: skip
def test_a_damaged_list_of_sources_is_one_line(text: str, tmp_path: Path) -> None:
    (tmp_path / "sources.json").write_text(text)
    with pytest.raises(ShardError, match=r"sources\.json: ") as caught:
        results.read_recordings(tmp_path)
    assert "\n" not in str(caught.value)


def test_a_foreign_folder_stays(tmp_path: Path) -> None:
    (tmp_path / "out" / "home").mkdir(parents=True)
    (tmp_path / "out" / "home" / "thesis.txt").touch()
    with pytest.raises(TriforceError, match="choose an empty or new folder"):
        raw_build.build(
            [str(silence(tmp_path / "in"))], tmp_path / "out", raw_build.load_config("podcast", CHOSEN), 1, QUIET
        )
    job = work(tmp_path, silence(tmp_path / "in"))
    Path(job.folder).mkdir(parents=True)
    (Path(job.folder) / "thesis.txt").touch()
    with pytest.raises(TriforceError, match=r"not this command's, such as 'thesis\.txt'"):
        process(job)
    assert [path.name for path in Path(job.folder).iterdir()] == ["thesis.txt"]
    with pytest.raises(TriforceError, match="is, or holds, the input"):
        raw_build.build([str(tmp_path / "in")], tmp_path, raw_build.load_config("podcast", CHOSEN), 1, QUIET)


def test_damaged_rows_and_voices_say_what_to_do(tmp_path: Path) -> None:
    recording = Recording("a", "a.wav", "c")
    folder = results.work_folder(tmp_path, recording)
    folder.mkdir(parents=True)
    for rows in ("{}\n", "[1]", '{"start_s": 0, "end_s": "1"}', '{"start_s": 0, "end_s": NaN}', "[" * 10**5, "\udcff"):
        (folder / "segments.jsonl").write_bytes(rows.encode("utf-8", "surrogateescape"))
        with pytest.raises(ShardError, match="remove the folder") as caught:
            list(results.read_segments(tmp_path, recording))
        assert "\n" not in str(caught.value)
    for voices in ("[]", '{"0": 1}', '{"0": ["a"]}', '{"0": [NaN]}'):
        (folder / "voices.json").write_text(voices)
        with pytest.raises(ShardError, match="remove the folder"):
            results.read_voices(tmp_path, recording)
    row = pipeline.as_row(Segment(0, 1, scores={"a": 1.0, "b": float("nan"), "c": float("-inf")}))
    (folder / "segments.jsonl").write_text(json.dumps(row))
    assert [segment.scores for segment in results.read_segments(tmp_path, recording)] == [{"a": 1.0}]


# --- errors of a recording, errors of the machine ---


def caused(error: Exception, cause: BaseException) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("fault", "is_kept"),
    [
        (lambda: AudioError("x.mp3: the audio is damaged"), True),
        (lambda: ZeroDivisionError("a bug"), True),
        (lambda: RuntimeError("expected 3 dimensions"), True),
        (lambda: torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"), False),
        (lambda: RuntimeError("CUDA error: an illegal memory access was encountered"), False),
        (lambda: RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"), False),
        (lambda: MemoryError(), False),
        (lambda: PermissionError(13, "Permission denied", "/elsewhere/x.mp3"), False),
        (lambda: OSError(24, "Too many open files"), False),
        (lambda: caused(AudioError("x.mp3: cannot read the file"), OSError(116, "Stale file handle")), False),
        (lambda: caused(AudioError("x.mp3: damaged"), RuntimeError("bad header")), True),
    ],
)
def test_only_what_is_true_of_the_recording_is_kept(
    fault: Callable[[], Exception], is_kept: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = work(tmp_path, silence(tmp_path / "in"))
    tries = []

    def decode(*_: object) -> Any:
        tries.append(1)
        raise fault()

    with monkeypatch.context() as patched:
        patched.setattr(pipeline, "decode", decode)
        accounts = [process(job), process(job)]
    assert [account.again for account in accounts] == [not is_kept] * 2
    assert all(account.error and "\n" not in account.error for account in accounts)
    assert len(tries) == (1 if is_kept else 2)
    folder = Path(job.folder)
    assert (results.finished(folder, job.fingerprint) is not None) == is_kept
    assert (results.failed(folder, job.fingerprint) is not None) == (not is_kept)
    again = process(job)
    assert bool(again.error) == is_kept
    assert results.failed(folder, job.fingerprint) is None


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (TriforceError("weights: they are missing"), "^weights: they are missing$"),
        (caused(TriforceError("x: cannot write"), OSError(28, "No space left")), "^x: cannot write$"),
        (ModuleNotFoundError("No module named 'py3langid'", name="py3langid"), r"py3langid cannot be loaded.*pip inst"),
    ],
)
def test_what_concerns_every_recording_stops_and_is_not_kept(
    fault: Exception, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = work(tmp_path, silence(tmp_path / "in"))
    with monkeypatch.context() as patched:
        patched.setattr(pipeline, "decode", lambda *_: (_ for _ in ()).throw(fault))
        with pytest.raises(TriforceError, match=message):
            process(job)
    assert not process(job).error


def test_an_unreadable_text_is_tried_again(tmp_path: Path) -> None:
    path = silence(tmp_path / "in")
    recording = Recording("quiet-12345678", str(path), "in", text=str(tmp_path / "book.txt"))
    job = Work(recording, str(results.work_folder(tmp_path, recording)), raw_build.load_config("podcast", CHOSEN))
    account = process(job)
    assert account.again
    assert "book.txt" in account.error
    assert list(account.steps) == ["decode"]  # nothing else was done for nothing


def test_what_a_machine_could_not_do_is_said_and_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    silence(tmp_path / "in", "one.wav")
    silence(tmp_path / "in", "other.wav")
    config = raw_build.load_config("podcast", CHOSEN)
    whole = pipeline.decode

    def decode(path: Path, *more: Any) -> Any:
        if "one" in path.name:
            raise MemoryError
        return whole(path, *more)

    with monkeypatch.context() as patched:
        patched.setattr(pipeline, "decode", decode)
        with pytest.raises(
            ShardError, match=r"1 of 2 recordings could not be processed on this machine.*one.wav \(MemoryEr"
        ):
            raw_build.run([str(tmp_path / "in")], tmp_path / "out", config, 1, QUIET, only="fetch")
            raw_build.run([], tmp_path / "out", config, 1, QUIET, only="process")
    sources, _ = results.read_recordings(tmp_path / "out" / "work")
    jobs = [Work(recording, str(results.work_folder(tmp_path / "out", recording)), config) for recording in sources]
    assert [account.again for account in raw_build.read_accounts(jobs)] == [True, False]
    raw_build.run([], tmp_path / "out", config, 1, QUIET, only="process")
    assert [account.again for account in raw_build.read_accounts(jobs)] == [False, False]


def test_assembling_alone_never_processes(tmp_path: Path) -> None:
    silence(tmp_path / "in", "one.wav")
    silence(tmp_path / "in", "other.wav")
    config = raw_build.load_config("podcast", CHOSEN)
    raw_build.build([str(tmp_path / "in")], tmp_path / "out", config, 1, QUIET, "fetch")
    raw_build.build([], tmp_path / "out", config, 1, QUIET, "process", (1, 2))
    with pytest.raises(
        ShardError, match=r"^not processed .*: 1 of 2 recordings, such as .*other.wav; .*--only process first$"
    ):
        raw_build.build([], tmp_path / "out", config, 1, QUIET, "assemble")


@pytest.mark.parametrize("words", [["nothing"], ["quiet"]])
def test_a_build_that_keeps_nothing_is_one_line(words: list[str], tmp_path: Path) -> None:
    (tmp_path / "nothing").mkdir()
    silence(tmp_path / "quiet")
    with pytest.raises(ShardError, match=r"none of the recordings could be used \([01] in all\); report/ says why"):
        raw_build.run([str(tmp_path / word) for word in words], tmp_path / "out", raw_build.load_config("podcast", CHOSEN), 1,
                   QUIET)  # fmt: skip
    assert (tmp_path / "out" / "report" / "index.html").is_file()


# --- many machines ---

HOLD = """
import sys, time
from pathlib import Path
from triforce_tts.data.raw.results import held

with held(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(float(sys.argv[2]))
"""


def test_a_recording_is_done_by_one_process_at_a_time(tmp_path: Path) -> None:
    job = work(tmp_path, silence(tmp_path / "in"))
    other = subprocess.Popen([sys.executable, "-c", HOLD, job.folder, "1"], stdout=subprocess.PIPE, text=True)
    assert other.stdout is not None
    assert other.stdout.readline() == "held\n"
    recording = Recording("loud-12345678", job.recording.path, "in")
    began = time.monotonic()
    # this is another recording, so the process does not wait
    process(Work(recording, str(results.work_folder(tmp_path, recording)), job.config))
    assert other.poll() is None
    process(job)
    assert other.wait() == 0
    assert time.monotonic() - began > 0.5
    other.stdout.close()


def test_what_dead_machines_left_goes_and_what_others_write_stays(tmp_path: Path) -> None:
    job = work(tmp_path, silence(tmp_path / "in"))
    folder = tmp_path / "work"
    names = [".quiet-12345678.far-away-77.tmp", ".quiet-12345678.far-away-77.old", ".other-1.far-away-77.tmp"]
    for name in names:
        (folder / name).mkdir(parents=True)
        (folder / name / "samples.tar").touch()
    process(job)
    assert sorted(path.name for path in folder.glob(".*tmp")) == [names[2]]
    assert not list(folder.glob(".*old"))


def test_accounts_are_read_back_as_they_were(tmp_path: Path) -> None:
    account = Account(Recording("a", "a.wav", "c", url="http://x"), "", 2.5, ["damaged"], {"decode": (2.5, 0.0, 0.1)})
    results.write_done(tmp_path, "f", account)
    # the key that older builds wrote
    assert json.loads((tmp_path / "done.json").read_text())["account"]["source"]["id"] == "a"
    assert results.finished(tmp_path, "f") == account
    assert results.finished(tmp_path, "g") is None
    for text in ("{}", "[" * 10**5, '{"fingerprint": "f", "account": {}}', ""):
        (tmp_path / "done.json").write_text(text)
        assert results.finished(tmp_path, "f") is None
