"""Between stages 1 and 2: run the DVAE over shards, so that the GPT trains on integers alone (2 bytes a code).

A coded shard holds ``key.codes.npy`` (uint16 [frames, groups]) and the sample's JSON with its normalised text; its
index is stamped with the DVAE's id, which the GPT and the bundle check.
"""

import io
import json
import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer
from rich.console import Console
from rich.progress import track

from triforce_tts import checkpoint
from triforce_tts.audio.io import decode_audio
from triforce_tts.audio.mel import mel_spectrogram
from triforce_tts.errors import TextError
from triforce_tts.files import write_json
from triforce_tts.models.load import load_dvae
from triforce_tts.shards import SPLITS, Sample, ShardInfo, ShardSet, read_index, write_index, write_shard
from triforce_tts.text.normalize import normalize


def encode_codes(codes: torch.Tensor) -> bytes:
    """``codes`` [frames, groups] as the bytes of a .npy file, uint16."""
    buffer = io.BytesIO()
    np.save(buffer, codes.cpu().numpy().astype(np.uint16), allow_pickle=False)
    return buffer.getvalue()


def decode_codes(data: bytes) -> torch.Tensor:
    """Codes [frames, groups] int64 of ``encode_codes``' bytes."""
    return torch.from_numpy(np.load(io.BytesIO(data), allow_pickle=False).astype(np.int64))


def _code_shard(dvae_path: str, folder: str, split: str, number: int, coded: str) -> tuple[ShardInfo, int]:
    """Code shard ``number`` of a split into the tar ``coded``; its entry, and how many samples had no speakable text."""
    target = Path(coded)
    done = target.with_suffix(".done.json")
    source = read_index(Path(folder), "audio")["splits"][split]["shards"]
    stamp = {"dvae": checkpoint.read_lineage(dvae_path)["id"], "source": source[number]["sha256"]}
    if done.is_file() and target.is_file():
        content = json.loads(done.read_text(encoding="utf-8"))
        if content["stamp"] == stamp:
            return ShardInfo(**content["info"]), content["silent"]
    dvae, audio = load_dvae(dvae_path)
    shards = ShardSet.open([Path(folder)], split, "audio")
    first = sum(shard["samples"] for shard in source[:number])
    silent = 0

    def samples() -> Iterator[Sample]:
        nonlocal silent
        for index in range(first, first + source[number]["samples"]):
            meta = shards.meta(index)
            try:
                meta["normalized"] = normalize(meta["text"])
            except TextError:
                silent += 1
                continue
            sound = decode_audio(shards.payload(index), shards.keys[index], audio.sample_rate).samples
            with torch.inference_mode():
                codes = dvae.encode(mel_spectrogram(sound[None], audio))[0]
            yield Sample(shards.keys[index], meta, encode_codes(codes), "codes.npy")

    info = write_shard(target, samples())
    write_json(done, {"stamp": stamp, "info": asdict(info), "silent": silent})
    return info, silent


def _one_thread() -> None:
    torch.set_num_threads(1)


def make_codes(dvae: Path, data: list[Path], out: Path, workers: int, console: Console | None = None) -> int:
    """Code all shards of ``data`` into ``out``; returns the number of samples without speakable text."""
    network, audio = load_dvae(dvae)
    jobs: list[tuple[str, str, str, int, str]] = []
    for place, folder in enumerate(data):
        prefix = f"{place}--" if len(data) > 1 else ""  # shards of two folders may share names
        for split, content in read_index(folder, "audio")["splits"].items():
            for number, shard in enumerate(content["shards"]):
                jobs.append((str(dvae), str(folder), split, number, str(out / f"{prefix}{shard['name']}")))
    out.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(max(1, workers), multiprocessing.get_context("spawn"), _one_thread) as pool:
        futures = [pool.submit(_code_shard, *job) for job in jobs]
        results = [future.result() for future in track(futures, "codes", console=console)]
    splits: dict[str, list[ShardInfo]] = {split: [] for split in SPLITS}
    for job, (info, _) in zip(jobs, results, strict=True):
        splits[job[2]].append(info)
    details: dict[str, Any] = {
        "dvae": checkpoint.read_lineage(dvae)["id"],
        "groups": network.config.groups,
        "n_codes": network.config.n_codes,
        "code_rate": audio.frame_rate / network.config.downsampling,
    }
    write_index(out, "codes", splits, details)
    return sum(silent for _, silent in results)


def command(
    dvae: Annotated[Path, typer.Option(help="Run or checkpoint of the DVAE.")],
    data: Annotated[list[Path], typer.Option(help="Shard folder; may be given several times.")],
    out: Annotated[Path, typer.Option(help="Folder for the coded shards.")],
    workers: Annotated[int, typer.Option(help="Processes.")] = 2,
) -> None:
    """Turn shards of sound into shards of codes for the GPT. Killed and run again, it goes on."""
    console = Console(stderr=True)
    silent = make_codes(dvae, data, out, workers, console)
    console.print(f"{out}: coded; {silent} samples without speakable text were left out")
