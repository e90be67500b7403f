"""The whole builder on long recordings whose cuts, readers and words are known."""

import contextlib
import csv
import io
import json
import os
import random
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import soundfile as sf
from rich.console import Console

from benchmarks import truth as known
from tests import forks
from tests.clips import SPEECH
from triforce_tts.audio.io import decode_audio, read_audio
from triforce_tts.data import build as program
from triforce_tts.data.raw import build as raw_build
from triforce_tts.data.raw.results import Account, read_segments
from triforce_tts.data.verify import verify
from triforce_tts.errors import TriforceError
from triforce_tts.shards import ShardSet
from triforce_tts.text import alignment
from triforce_tts.text.normalize import normalize
from triforce_tts.text.tokenizer import TextTokenizer

CHOSEN = ["sample_rate=16000", "transcribe.engine=pocketsphinx", "screen.dnsmos=false"]


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, known.Truth]]:
    """A podcast of one reader with a guest, an audiobook with its book, and a file that is no audio."""
    folder = tmp_path_factory.mktemp("recordings")
    return folder, make_recordings(folder, utterances=3)


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with one utterance of each, for builds that are only compared with each other."""
    folder = tmp_path_factory.mktemp("short")
    make_recordings(folder, utterances=1)
    return folder


def make_recordings(folder: Path, utterances: int | None = None) -> dict[str, known.Truth]:
    """Write the recordings, each of ``utterances`` utterances, or of all utterances twice.

    The result is the truth about each, by its reader.
    """
    clips = known.read_clips(SPEECH)
    truths = {}
    for seed, (host, guest) in enumerate((("ls_1462", "ls_2428"), ("kathleen", "kathleen"))):
        turns = clips[guest][3:] if guest != host else []
        spoken = clips[host] * 2 if utterances is None else clips[host][:utterances]
        wave, truths[host] = known.make_recording(spoken, turns[:utterances], seed)
        (folder / host).mkdir()
        sf.write(folder / host / f"{host}.flac", wave, known.RATE)
    (folder / "kathleen" / "book.txt").write_text(known.book_of(truths["kathleen"], [], "kathleen", 0))
    (folder / "broken.mp3").write_bytes(bytes(1000))
    return truths


@pytest.fixture(scope="module")
def long_recordings(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, known.Truth]]:
    """The same with enough utterances to count edges, and without the book, because words take long to recognise."""
    folder = tmp_path_factory.mktemp("long")
    truths = make_recordings(folder)
    (folder / "kathleen" / "book.txt").unlink()
    return folder, truths


def build(words: list[str], out: Path, *settings: str, workers: int = 1, **more: object) -> list[Account]:
    config = raw_build.load_config("podcast", [*CHOSEN, *settings])
    return raw_build.build(words, out, config, workers, Console(quiet=True), **more)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def built(recordings: tuple[Path, dict[str, known.Truth]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("built") / "out"
    build([str(recordings[0])], out)
    return out


@pytest.fixture(scope="module")
def short_built(short: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("short-built") / "out"
    build([str(short)], out)
    assert {meta["recording"].split("-")[0] for meta in splits_of(out)["train"]} == {"kathleen", "ls_1462"}
    return out


def checksums(out: Path) -> dict[str, str]:
    index = json.loads((out / "index.json").read_text())
    return {shard["name"]: shard["sha256"] for split in index["splits"].values() for shard in split["shards"]}


def assert_cuts_and_readers_are_right(truths: dict[str, known.Truth], out: Path) -> dict[str, dict[str, float]]:
    """The result is the figures of each reader's recording."""
    sources, failures = raw_build.read_recordings(out / "work")
    assert [Path(failure.name).name for failure in failures] + [
        Path(s.path).name for s in sources if not (out / "work" / s.id / "samples.tar").exists()
    ] == ["broken.mp3"] or any("broken" in s.id for s in sources)
    found = {}
    for host, truth in truths.items():
        source = next(s for s in sources if host in s.path)
        segments = list(read_segments(out, source))
        wave = read_audio(source.path, known.RATE).samples.numpy()
        figures = known.judge(segments, truth, wave)
        assert figures["words_cut"] == 0
        assert figures["one_reader"] == 1
        assert figures["false_keeps"] < 0.02
        assert figures["kept"] > 0.4
        assert sum(s.seconds for s in segments) == pytest.approx(truth.duration_s, abs=0.01)
        if source.text:
            edits, words = known.word_errors(segments, truth)
            assert words > 20
            assert edits / words <= 0.03
        found[host] = figures
    return found


def test_cuts_readers_and_words_are_right(recordings: tuple[Path, dict[str, known.Truth]], built: Path) -> None:
    assert_cuts_and_readers_are_right(recordings[1], built)


def test_edges_are_at_pauses(long_recordings: tuple[Path, dict[str, known.Truth]], tmp_path: Path) -> None:
    build([str(long_recordings[0])], tmp_path / "out", "transcribe.engine=none", "align.enabled=false")
    figures = assert_cuts_and_readers_are_right(long_recordings[1], tmp_path / "out")
    for host in long_recordings[1]:
        assert figures[host]["edge_precision"] > 0.75  # each recording has ten edges; the benchmark has hundreds


def test_samples_hold_what_was_cut(recordings: tuple[Path, dict[str, known.Truth]], built: Path) -> None:
    shards = ShardSet.open([built], "train", "audio")
    assert len(shards)
    for i in range(len(shards)):
        meta = shards.meta(i)
        audio = decode_audio(shards.payload(i), meta["id"])
        assert audio.sample_rate == 16000
        assert audio.duration_s == pytest.approx(meta["end_s"] - meta["start_s"], abs=0.002)
        assert audio.duration_s == pytest.approx(meta["duration_s"], abs=0.001)
        assert meta["text"]
        assert meta["license"] == "unknown"
        pieces = [piece for piece in TextTokenizer().spell(normalize(meta["text"])) if piece.is_word]
        assert len(meta[alignment.KEY]) == len(pieces)
        times = [time for word in meta[alignment.KEY] for time in word]
        assert times == sorted(times)
        assert 0 <= times[0] < times[-1] <= meta["duration_s"] + 0.05
    assert json.loads((built / "index.json").read_text())["details"]["aligned"] is True


def test_every_second_is_in_the_report(recordings: tuple[Path, dict[str, known.Truth]], built: Path) -> None:
    with (built / "report" / "segments.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    total = sum(truth.duration_s for truth in recordings[1].values())
    assert sum(float(row["seconds"]) for row in rows) == pytest.approx(total, abs=0.1)
    assert "broken" in (built / "report" / "index.html").read_text()


def test_the_same_with_two_workers_and_done_again(short: Path, short_built: Path, tmp_path: Path) -> None:
    build([str(short)], tmp_path / "two", workers=2)
    assert checksums(tmp_path / "two") == checksums(short_built)
    before = {p: p.stat().st_mtime_ns for p in (tmp_path / "two" / "work").glob("*/samples.tar")}
    build([str(short)], tmp_path / "two", workers=2)
    assert before == {p: p.stat().st_mtime_ns for p in (tmp_path / "two" / "work").glob("*/samples.tar")}
    assert checksums(tmp_path / "two") == checksums(short_built)


def test_parts_by_several_machines_make_the_same(short: Path, short_built: Path, tmp_path: Path) -> None:
    words = [str(short)]
    build(words, tmp_path / "out", part="fetch")
    for number in (1, 2):
        build([], tmp_path / "out", part="process", share=(number, 2))
    build([], tmp_path / "out", part="assemble")
    assert checksums(tmp_path / "out") == checksums(short_built)


def ray_workers() -> set[int]:
    """The processes of this test's own cluster that are at work; other tests on the machine may have clusters too."""
    workers = set()
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if process.cmdline()[:1] and process.cmdline()[0].startswith("ray::_alone_on_its_core"):
                workers.add(process.pid)
    return workers


@pytest.mark.usefixtures("ray_cluster")
def test_on_ray_with_a_worker_killed(short: Path, short_built: Path, tmp_path: Path) -> None:
    """The local cluster has two workers; the first one that gets work is killed while it works."""
    killed: list[int] = []

    def kill_one() -> None:
        while not killed:
            at_work = ray_workers()
            time.sleep(1.0)
            # They have been at work for a second, and still are.
            for worker in at_work & ray_workers():
                killed.append(worker)
                os.kill(worker, signal.SIGKILL)
                break

    killer = threading.Thread(target=kill_one, daemon=True)
    killer.start()
    accounts = build([str(short)], tmp_path / "out", ray="local")
    killer.join(5)
    assert killed
    assert [account.error for account in accounts if "killed" in account.error] == []
    assert checksums(tmp_path / "out") == checksums(short_built)


def test_what_a_larger_build_left_is_removed(short: Path, short_built: Path, tmp_path: Path) -> None:
    shutil.copytree(short_built, tmp_path / "out")
    for shard_samples, shards in ((1, len(ShardSet.open([short_built], "train", "audio"))), (256, 1)):
        build([str(short)], tmp_path / "out", f"shard_samples={shard_samples}")
        assert len(list((tmp_path / "out").glob("train-*.tar"))) == shards
        assert verify(tmp_path / "out")[0] == []
    assert checksums(tmp_path / "out") == checksums(short_built)


def splits_of(out: Path) -> dict[str, list[dict[str, Any]]]:
    """The JSON of the samples of each split."""
    found = {}
    for split in ("train", "heldout"):
        samples = ShardSet.open([out], split, "audio")
        found[split] = [samples.meta(i) for i in range(len(samples))]
    return found


def test_what_a_list_names_is_held_out_and_what_is_nobody_is_said(built: Path, tmp_path: Path) -> None:
    shutil.copytree(built, tmp_path / "out")
    (tmp_path / "list.json").write_text(
        json.dumps({"test_utterances": ["kathleen.flac", "nobody"], "readers": ["who"]})
    )
    told = io.StringIO()
    config = raw_build.load_config("podcast", CHOSEN)
    console = Console(file=told, width=200)
    raw_build.run([], tmp_path / "out", config, 1, console, only="assemble", heldout=tmp_path / "list.json")
    assert "held-out list: no recording or reader is called 'nobody', 'who'" in told.getvalue()
    splits = splits_of(tmp_path / "out")
    assert {meta["recording"].split("-")[0] for meta in splits["heldout"]} == {"kathleen"}
    assert {meta["recording"].split("-")[0] for meta in splits["train"]} == {"ls_1462"}
    index = json.loads((tmp_path / "out" / "index.json").read_text())
    assert index["details"]["disjoint_speakers"] is True
    assert verify(tmp_path / "out")[0] == []
    # The list names a reader, who speaks in only one recording here, and a text, which is left out of every recording.
    reader = splits["train"][0]["speaker"]
    texts = [meta["text"] for meta in splits["heldout"]]
    (tmp_path / "list.json").write_text(json.dumps({"readers": [reader], "any_sentences": [texts[0], "not there"]}))
    raw_build.run([], tmp_path / "out", config, 1, console, only="assemble", heldout=tmp_path / "list.json")
    splits = splits_of(tmp_path / "out")
    assert reader in {meta["speaker"] for meta in splits["heldout"]}
    assert reader not in {meta["speaker"] for meta in splits["train"]}
    assert texts[0] not in {meta["text"] for meta in splits["train"]}
    assert "held-out text" in (tmp_path / "out" / "report" / "segments.csv").read_text()


PROGRAM = """
import sys
from pathlib import Path
from typing import Any
from rich.console import Console
from triforce_tts.data.raw import build as raw_build

if __name__ == "__main__":
    config = raw_build.load_config("podcast", sys.argv[3:])
    raw_build.build([sys.argv[1]], Path(sys.argv[2]), config, 2, Console(stderr=True))
"""


def killed_and_continued(folder: Path, out: Path, program: Path, moments: int, settings: list[str]) -> None:
    """Kill the build, or one of its workers, several times at random moments, then let it end."""
    program.write_text(PROGRAM)
    words = [program, folder, out, *settings]
    rng = random.Random(1)
    for number in range(moments):
        process = forks.Program(words, session=True)
        time.sleep(rng.uniform(3, 12))
        if process.poll() is None and number % 2:
            children = subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True).stdout.split()
            if children:
                os.kill(int(rng.choice(children)), signal.SIGKILL)
                time.sleep(1)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    done = forks.run(words)
    assert done.returncode == 0, done.stderr


def test_a_killed_build_ends_with_the_same_shards(short: Path, short_built: Path, tmp_path: Path) -> None:
    killed_and_continued(short, tmp_path / "out", tmp_path / "program.py", 1, CHOSEN)
    assert checksums(tmp_path / "out") == checksums(short_built)


@pytest.mark.slow
def test_killed_at_ten_moments(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    make_recordings(folder)
    for codec in ("flac", "opus"):
        settings = [*CHOSEN, f"codec={codec}"]
        killed_and_continued(folder, tmp_path / codec, tmp_path / "program.py", 10, settings)
        build([str(folder)], tmp_path / f"{codec}-whole", f"codec={codec}")
        assert checksums(tmp_path / codec) == checksums(tmp_path / f"{codec}-whole")


def test_a_dry_run_tells_and_builds_nothing(
    recordings: tuple[Path, dict[str, known.Truth]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    program.raw([str(recordings[0])], out=tmp_path / "out", config="podcast", set_=CHOSEN, dry_run=True)
    told = " ".join(capsys.readouterr().err.split())
    assert "3 recordings" in told
    assert "1 with their text, the others transcribed by pocketsphinx" in told
    assert not (tmp_path / "out" / "index.json").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"only": "everything"}, "--only everything"),
        ({"only": "process", "part": "3/2"}, "--part 3/2"),
        ({"part": "1/2"}, "--only process"),
        ({"only": "assemble"}, "nothing was fetched yet"),
        ({"config": None, "ray": "auto"}, "--config podcast"),
        ({"set_": ["cut.max_secs=5"]}, "max_seconds"),
    ],
)
def test_wrong_words_on_the_command_line(options: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(TriforceError, match=message):
        program.raw([str(SPEECH)], out=tmp_path / "out", **{"config": "podcast", **options})


def test_the_old_name_of_the_text_checks_is_still_read(tmp_path: Path) -> None:
    told: list[str] = []
    path = tmp_path / "old.yaml"
    path.write_text("text: {min_characters_per_second: 2.5}\n")
    config = raw_build.load_config(str(path), (), told.append)
    assert config.text_checks.min_characters_per_second == 2.5
    assert len(told) == 1 and "'text_checks'" in told[0] and str(path) in told[0]
    config = raw_build.load_config("podcast", ["text.min_characters_per_second=2"], told.append)
    assert config.text_checks.min_characters_per_second == 2 and len(told) == 2
    assert raw_build.load_config("podcast", (), told.append) and len(told) == 2
    path.write_text("text: {}\ntext_checks: {}\n")
    with pytest.raises(TriforceError, match="old name"):
        raw_build.load_config(str(path))


def test_every_configuration_of_the_builder_is_right() -> None:
    for path in (Path(raw_build.__file__).parents[2] / "configs" / "data").glob("*.yaml"):
        assert raw_build.load_config(str(path)).sample_rate == 24000


def test_the_report_hears_the_stretches_that_it_asks_for(built: Path) -> None:
    """Stretches are read in one pass, in any order; what lies past the end is missing."""
    sources, _ = raw_build.read_recordings(built / "work")
    source = next(s for s in sources if "kathleen" in s.path)
    whole, rate = sf.read(source.path, dtype="float32")
    stretches = [(3.0, 9.5), (0.0, 2.0), (len(whole) / rate - 1, len(whole) / rate + 5)]
    waves, found = raw_build.reader([Account(source)])(source.id, stretches)
    assert found == rate
    for wave, (start, end) in zip(waves, stretches, strict=True):
        np.testing.assert_allclose(wave, whole[round(start * rate) : round(end * rate)], atol=1e-6)
