"""Shards of codes: where they may be written, what a dead worker costs, and what is refused when they are read."""

import io
import json
import os
import shutil
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests import forks
from triforce_tts.batches import stream
from triforce_tts.errors import CheckpointError, ConfigError, ShardError, TextError, TriforceError
from triforce_tts.locks import only_writer
from triforce_tts.schema import load
from triforce_tts.shards import Sample, ShardInfo, ShardSet, read_index, write_index, write_shard
from triforce_tts.stages import codes, gpt_data
from triforce_tts.stages import gpt as stage
from triforce_tts.stages.codes import decode_codes, encode_codes, make_codes, read_codes, read_text
from triforce_tts.stages.trainer.task import order_of
from triforce_tts.text.phonemes import Lexicon
from triforce_tts.text.tokenizer import TextTokenizer

DETAILS = {"dvae": "d" * 16, "groups": 2, "n_codes": 125, "code_rate": 15.625}
TEXT = "a cat sat on the mat"


def npy(values: Any) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.asarray(values), allow_pickle=True)
    return buffer.getvalue()


def coded(
    folder: Path,
    payloads: Mapping[str, bytes],
    details: Mapping[str, Any] = DETAILS,
    seconds: float = 2.0,
    **meta: Any,
) -> Path:
    """Shards of codes with these payloads by key, all of one speaker; the held-out split is the same."""
    folder.mkdir(parents=True, exist_ok=True)
    content = {"speaker": "a", "duration_s": seconds, "text": TEXT, "normalized": TEXT, **meta}
    infos: dict[str, list[ShardInfo]] = {}
    for split in ("train", "heldout"):
        samples = [Sample(key, content, payload, "codes.npy") for key, payload in payloads.items()]
        infos[split] = [write_shard(folder / f"{split}-000000.tar", samples)]
    write_index(folder, "codes", infos, details)
    return folder


def good(frames: int = 30) -> bytes:
    return encode_codes(torch.randint(125, (frames, 2), generator=torch.Generator().manual_seed(frames)))


def task(folder: Path, *settings: str) -> stage.GPTTask:
    chosen = ["run.batch_size=2", "data.voice_seconds=[0.5,1.0]", *settings]
    return stage.build(load(stage.GPTSettings, "gpt", "tiny", chosen), [folder])


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\x93NUMPY",
        good()[:-1],
        good() + b"x",
        b"PK\x03\x04" + bytes(100),
        npy(np.zeros((3, 2), dtype=np.float32)),
        npy(np.array([["a", "b"]])),
        npy(np.zeros(6, dtype=np.uint16)),
        npy(np.zeros((3, 2, 1), dtype=np.uint16)),
        npy(np.asfortranarray(np.arange(6, dtype=np.uint16).reshape(3, 2))),
        npy(np.array([[{}]], dtype=object)),
        good().replace(b"(30, 2)", b"(-1,-60)"),
        good().replace(b"'shape': (30, 2)", b"'shape': (9**9,2"),
        good()[:10] + b"(" * 118,
        good().replace(b"<u2", b"<Z2"),
    ],
)
def test_what_is_no_code_file_is_one_line(payload: bytes, tmp_path: Path) -> None:
    shards = ShardSet.open([coded(tmp_path, {"u1": payload})], "train", "codes")
    with pytest.raises(ShardError, match="sample 'u1'") as caught:
        read_codes(shards, 0, 2, 125)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.full((5, 2), -1, dtype=np.int64), "codes from -1 to -1, expected 0 to 124"),
        (np.array([[0, 125]]), "codes from 0 to 125"),
        (np.array([[0, 1], [2**40, 3]]), "codes from 0 to 1099511627776"),
        (np.zeros((0, 2), dtype=np.uint16), "at least one frame of 2 groups"),
        (np.zeros((4, 3), dtype=np.uint16), "at least one frame of 2 groups"),
        (np.full((2, 2), 2**64 - 1, dtype=np.uint64), "codes from -1"),
    ],
)
def test_codes_out_of_range_are_refused_where_they_are_read(values: Any, message: str, tmp_path: Path) -> None:
    folder = coded(tmp_path, {"u1": npy(values)})
    with pytest.raises(ShardError, match=f"sample 'u1'.*{message}"):
        read_codes(ShardSet.open([folder], "train", "codes"), 0, 2, 125)
    made = task(folder)
    for kind in stage.KINDS[:3]:
        with pytest.raises(ShardError, match="sample 'u1'"):
            made.sequence(made.train, 0, kind, torch.Generator())


def test_what_was_coded_is_read_as_it_was(tmp_path: Path) -> None:
    expected = torch.tensor([[0, 124], [7, 1]])
    for payload in (encode_codes(expected), npy(expected.numpy())):
        assert torch.equal(decode_codes(payload), expected)


@pytest.mark.parametrize("workers", [0, 1])
def test_a_bad_sample_is_one_line_also_from_a_loader_process(workers: int, tmp_path: Path) -> None:
    made = task(coded(tmp_path, {"u1": npy(np.full((5, 2), 999)), "u2": npy(np.full((5, 2), 999))}))
    order = order_of(made, made.settings.run)
    with pytest.raises(ShardError, match=r"^sample 'u\d': codes from 999") as caught:
        next(stream(order, made.sample, made.collate, workers=workers))
    assert "Traceback" not in str(caught.value)


def test_a_dead_loader_process_is_one_line(tmp_path: Path) -> None:
    made = task(coded(tmp_path, {"u1": good(), "u2": good(20)}))

    def die(index: int, rng: torch.Generator) -> Any:
        os.kill(os.getpid(), signal.SIGKILL)

    with pytest.raises(TriforceError, match=r"a loader process died.*run\.workers"):
        next(stream(order_of(made, made.settings.run), die, made.collate, workers=1))


@pytest.mark.parametrize(
    ("meta", "key"),
    [
        ({"normalized": None}, "normalized"),
        ({"normalized": 5}, "normalized"),
        ({"normalized": ""}, "normalized"),
        ({"alignment": "abc"}, "alignment"),
        ({"alignment": [[0.1]]}, "alignment.0"),
        ({"alignment": [[0.1, -0.2]]}, "alignment.0.1"),
        ({"alignment": [[0.1, "x"]]}, "alignment.0.1"),
    ],
)
def test_a_sample_without_a_proper_text_is_named(meta: dict[str, Any], key: str, tmp_path: Path) -> None:
    folder = coded(tmp_path, {"u1": good()}, **meta)
    with pytest.raises(ShardError, match=f"sample 'u1': '{key}'"):
        read_text(ShardSet.open([folder], "train", "codes"), 0)
    with pytest.raises(ShardError, match=f"sample 'u1': '{key}'"):
        task(folder)


@pytest.mark.parametrize(
    "change",
    [
        {"n_codes": 10**12},
        {"n_codes": -5},
        {"n_codes": "many"},
        {"groups": 0},
        {"groups": 10**9},
        {"code_rate": 0.0},
        {"code_rate": -1.0},
        {"dvae": 7},
        {"dvae": None},
    ],
)
def test_wrong_details_of_an_index_are_named(change: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(ShardError, match=f"details.*{next(iter(change))}"):
        task(coded(tmp_path, {"u1": good()}, {**DETAILS, **change}))


def test_folders_of_two_dvaes_are_refused(tmp_path: Path) -> None:
    folders = [coded(tmp_path / c, {c: good()}, {**DETAILS, "dvae": c * 16}) for c in "ab"]
    settings = load(stage.GPTSettings, "gpt", "tiny")
    with pytest.raises(CheckpointError, match="coded by DVAE"):
        stage.build(settings, folders)


# --- sequences that do not fit ----------------------------------------------------------------------------------------


def test_samples_that_may_not_fit_are_left_out_and_counted(tmp_path: Path) -> None:
    """Clips of 2 s have 62 codes.

    With a voice of 1 s and 30 letters they fit into 200 tokens, with 150 letters they do not.
    """
    folder = tmp_path / "codes"
    coded(folder, {"u0": good(), "u1": good(31)})
    long = {"speaker": "a", "duration_s": 2.0, "text": "", "normalized": "ab " * 49 + "ab"}
    short = {**long, "normalized": TEXT}
    samples = [Sample(f"u{n}", long if n in (2, 5) else short, good(30 + n), "codes.npy") for n in range(6)]
    infos = [write_shard(folder / "train-000000.tar", samples)]
    held = read_index(folder, "codes")
    write_index(folder, "codes", {"train": infos, "heldout": [_info(held, "heldout")]}, DETAILS)
    made = task(folder, "model.max_tokens=200")
    assert list(made.keys) == ["u0", "u1", "u3", "u4"]
    (note,) = made.notes
    assert note.startswith("2 of 6 training samples may make sequences of more than model.max_tokens (200)")
    assert "'u2' with" in note
    assert "left out" in note
    for index in range(len(made.keys)):
        for seed in range(20):
            rng = torch.Generator().manual_seed(seed)
            for kind in stage.KINDS:
                assert len(made.sequence(made.train, index, kind, rng).ids) <= 200
    assert task(folder, "model.max_tokens=1024").notes == ()
    with pytest.raises(ConfigError, match="no sample is left"):
        task(folder, "model.max_tokens=96")


def _info(index: Any, split: str) -> ShardInfo:
    shard = index["splits"][split]["shards"][0] if isinstance(index, dict) else index.splits[split].shards[0]
    content = shard if isinstance(shard, dict) else vars(shard)
    return ShardInfo(**{name: content[name] for name in ("name", "samples", "seconds", "sha256")})


def test_codes_longer_than_their_sample_says_are_refused_not_cut(tmp_path: Path) -> None:
    made = task(coded(tmp_path, {"u1": good(600)}, seconds=2.0))
    with pytest.raises(ShardError, match=r"'u1': a sequence of \d+ steps, at most 1024 fit"):
        for seed in range(40):
            made.sample(0, torch.Generator().manual_seed(seed))


def test_another_text_that_does_not_fit_counts_only_what_was_scored(tmp_path: Path) -> None:
    """With the longer text of another clip, the end of the speech does not fit; it must not count as certain."""
    made = task(coded(tmp_path, {"u1": good(), "u2": good(31)}), "model.max_tokens=150")
    network = made.module.network.eval()
    free = stage.speech_losses(made, network, 2, shuffle=True)
    network.config = network.config.model_copy(update={"max_tokens": 100})
    cut = stage.speech_losses(made, network, 2, shuffle=True)
    for (nats, count), (less, fewer) in zip(free, cut, strict=True):
        assert 0 < fewer < count
        assert less / fewer == pytest.approx(nats / count, rel=0.2)


def test_no_word_has_more_symbols_beyond_its_letters_than_is_allowed_for() -> None:
    tokenizer = TextTokenizer(Lexicon.load())
    for word in ("fyi", "fyi's", "w", "ws", "cnnfn", "rep"):
        assert gpt_data.most_symbols(tokenizer, word) <= len(word) + gpt_data._MOST_MORE


# --- writing them -----------------------------------------------------------------------------------------------------


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_codes_are_never_written_onto_their_recordings(corpus: dict[str, Path], tmp_path: Path) -> None:
    before = tree(corpus["shards"])
    link = tmp_path / "link"
    link.symlink_to(corpus["shards"])
    for out in (corpus["shards"], corpus["shards"] / "..", link, corpus["shards"].parent, corpus["dvae"]):
        with pytest.raises(TriforceError, match="choose"):
            make_codes(corpus["dvae"], [corpus["shards"]], out, workers=1)
    assert tree(corpus["shards"]) == before


def test_codes_are_not_written_into_a_strangers_folder(corpus: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "train-000000.tar").write_text("mine")
    with pytest.raises(TriforceError, match="not this command's"):
        make_codes(corpus["dvae"], [corpus["shards"]], tmp_path, workers=1)
    assert tree(tmp_path) == {"train-000000.tar": b"mine"}


def test_two_codings_into_one_folder_are_refused(corpus: dict[str, Path], tmp_path: Path) -> None:
    out = tmp_path / "codes"
    with only_writer(out), pytest.raises(TriforceError, match="another process is writing here"):
        make_codes(corpus["dvae"], [corpus["shards"]], out, workers=1)
    make_codes(corpus["dvae"], [corpus["shards"]], out, workers=1)
    assert len(ShardSet.open([out], "train", "codes"))


def test_codes_of_another_dvae_are_replaced_only_by_force(corpus: dict[str, Path], tmp_path: Path) -> None:
    out, other = tmp_path / "codes", tmp_path / "dvae"
    make_codes(corpus["dvae"], [corpus["shards"]], out, workers=1)
    before = tree(out)
    shutil.copytree(corpus["dvae"], other)
    for lineage in other.rglob("lineage.json"):
        lineage.write_text(json.dumps({**json.loads(lineage.read_text()), "id": "another"}))
    with pytest.raises(
        TriforceError, match=r"holds codes of the DVAE .*, which codes of the DVAE another would replace"
    ):
        make_codes(other, [corpus["shards"]], out, workers=1)
    assert tree(out) == before
    make_codes(other, [corpus["shards"]], out, workers=1, force=True)
    assert read_index(out, "codes")["details"]["dvae"] == "another"


@pytest.mark.parametrize("name", ["../victim/train-000000.tar", "{tmp}/victim.tar", "..", "a/b.tar", ".hidden.tar", ""])
def test_a_name_in_the_index_leads_nowhere_else(name: str, corpus: dict[str, Path], tmp_path: Path) -> None:
    shards = tmp_path / "shards"
    shards.mkdir()
    for path in corpus["shards"].iterdir():
        if path.is_file():
            (shards / path.name).write_bytes(path.read_bytes())
    index = json.loads((shards / "index.json").read_text())
    index["splits"]["train"]["shards"][0]["name"] = name.replace("{tmp}", str(tmp_path))
    (shards / "index.json").write_text(json.dumps(index))
    with pytest.raises(TriforceError):
        make_codes(corpus["dvae"], [shards], tmp_path / "out" / "codes", workers=1)
    assert not list(tmp_path.glob("victim*"))
    assert not any(path.suffix == ".tar" for path in (tmp_path / "out").rglob("*"))


def test_a_coding_that_was_stopped_goes_on_and_mends_what_was_changed(corpus: dict[str, Path], tmp_path: Path) -> None:
    out = tmp_path / "codes"
    make_codes(corpus["dvae"], [corpus["shards"]], out, workers=1)
    before = tree(out)
    tars = sorted(out.glob("*.tar"))
    times = [path.stat().st_mtime_ns for path in tars]
    (out / "index.json").unlink()
    make_codes(corpus["dvae"], [corpus["shards"]], out, workers=1)
    assert [path.stat().st_mtime_ns for path in tars] == times  # no shard was coded twice
    assert tree(out) == before
    data = bytearray(tars[0].read_bytes())
    data[700] ^= 1
    tars[0].write_bytes(bytes(data))
    make_codes(corpus["dvae"], [corpus["shards"]], out, workers=1)
    assert tree(out) == before
    done = next(out.glob("*.done.json"))
    done.write_text('{"stamp": 5}')
    with pytest.raises(ShardError, match=done.name):
        make_codes(corpus["dvae"], [corpus["shards"]], out, workers=1)


CODING = """
import sys
from pathlib import Path
from triforce_tts.stages import codes

if __name__ == "__main__":
    codes.make_codes(*(Path(sys.argv[1]), [Path(sys.argv[2])], Path(sys.argv[3])), workers=2)
"""


def children(process: int) -> list[int]:
    found = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return [int(child) for child in found] + [deeper for child in found for deeper in children(int(child))]


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs /proc")
def test_a_killed_coding_leaves_no_workers_and_a_dead_worker_does_not_end_it(
    corpus: dict[str, Path], tmp_path: Path
) -> None:
    (tmp_path / "coding.py").write_text(CODING)
    words = [tmp_path / "coding.py", corpus["dvae"], corpus["shards"]]
    for victim in ("parent", "worker"):
        process = forks.Program([*words, tmp_path / victim])
        deadline = time.monotonic() + 300
        workers: list[int] = []
        while time.monotonic() < deadline and not workers and process.poll() is None:
            # Workers are forked from a server and have the server's command line.
            servers = [child for child in children(process.pid) if b"forkserver" in _command(child)]
            workers = [worker for server in servers for worker in children(server)]
            time.sleep(0.01)
        assert workers, "no worker was seen"
        os.kill(process.pid if victim == "parent" else workers[0], signal.SIGKILL)
        code = process.wait(timeout=300)
        while time.monotonic() < deadline and any(_command(worker) for worker in workers):
            time.sleep(0.05)
        assert not any(_command(worker) for worker in workers)
        if victim == "worker":
            assert code == 0
            assert len(ShardSet.open([tmp_path / victim], "train", "codes"))


def _command(process: int) -> bytes:
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return b""


def test_samples_without_a_speakable_text_are_counted_and_the_first_is_named(
    corpus: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shards = ShardSet.open([corpus["shards"]], "train", "audio")
    mute = {shards.meta(number)["text"] for number in (2, 3)}

    def normalized(text: str) -> str:
        if text in mute:
            raise TextError("no letter")
        return text

    monkeypatch.setattr(codes, "normalize", normalized)
    monkeypatch.setattr(codes.pool, "run", lambda work, jobs, workers: ((job, work(job)) for job in jobs))
    found = [make_codes(corpus["dvae"], [corpus["shards"]], tmp_path / "codes", workers=1) for _ in range(2)]
    first = next(key for number, key in enumerate(shards.keys) if shards.meta(number)["text"] in mute)
    assert found[0] == found[1] and found[0].count >= 2 and found[0].first == first
