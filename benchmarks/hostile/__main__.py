"""``python -m benchmarks.hostile``: run the cases, print the verdicts as tables, and write every result as JSON."""

import argparse
import gc
import hashlib
import json
import os
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from .case import GOOD, VERDICTS, Case
from .run import Result, Runner
from .world import make_world

PARTS = 1 << 32
TOLD = 50  # A line of progress is printed after so many results.
# The share of each kind that runs without --all. These kinds combine tables, so many of their cases are alike.
SHARES = {
    "json": 0.4,
    "options": 0.45,
    "damaged files": 0.5,
    "sounds": 0.6,
    "names": 0.6,
    "labels": 0.75,
    "outputs": 0.8,
}


def all_cases() -> list[Case]:
    """Every case, sorted by name."""
    from . import (
        books,
        conditions,
        damage,
        evaluations,
        kinds,
        labels,
        names,
        options,
        places,
        readings,
        records,
        samples,
        sounds,
        texts,
        weights,
    )

    modules = (
        books, conditions, damage, evaluations, kinds, labels, names, options, places, readings, records, samples, sounds, texts, weights,
    )  # fmt: skip
    cases = sorted((case for module in modules for case in module.cases()), key=lambda case: case.name)
    twice = [name for name, count in Counter(case.name for case in cases).items() if count > 1]
    if twice:
        raise ValueError(f"two cases are called the same: {twice}")
    return cases


def sample(cases: Sequence[Case], share: float) -> list[Case]:
    """About ``share`` of the cases: the same ones in every run."""
    return [case for case in cases if _place(case.name) < share]


def _place(name: str) -> float:
    """A number from 0 to 1 that belongs to ``name``."""
    return int(hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()[:8], 16) / PARTS


def import_everything() -> None:
    """Import the modules that commands need, so that a case starts in milliseconds. Torch must not compute anything here."""
    from importlib import import_module

    for name in (
        "triforce_tts.cli.app", "triforce_tts.synthesis", "triforce_tts.voices", "triforce_tts.data.build", "triforce_tts.data.raw.build",
        "triforce_tts.data.labelled.run",
        "triforce_tts.data.inspect", "triforce_tts.data.verify", "triforce_tts.stages.cli", "triforce_tts.stages.trainer.loop",
        "triforce_tts.stages.dvae", "triforce_tts.stages.gpt", "triforce_tts.stages.diffusion", "triforce_tts.stages.distill",
        "triforce_tts.stages.estimate", "triforce_tts.stages.codes", "triforce_tts.stages.bundle", "feedparser", "lxml.etree", "onnxruntime", "pocketsphinx",
        "py3langid", "scipy.cluster.hierarchy", "scipy.signal", "soxr", "av", "tensorboard.compat.proto.event_pb2", "torch.utils.tensorboard",
        "sentencex", "urllib3", "torchaudio", "multiprocessing.managers", "torch._dynamo", "torch.onnx", "webdataset", "av.subtitles", "safetensors.numpy", "torch.distributed.tensor", "concurrent.futures.process",
    ):  # fmt: skip
        import_module(name)
    from triforce_tts.text.normalize import normalize

    normalize("Warm 3 up.")
    gc.collect()
    gc.freeze()  # Without this, the collector would write to shared pages, and every case would copy them.


def in_child(work: Callable[[], object]) -> None:
    """Do ``work`` in a separate process, because a process that has computed with torch's threads cannot fork."""
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            import traceback

            if code:
                traceback.print_exc()
            sys.stdout.flush()
            os._exit(code)
    if os.waitpid(pid, 0)[1]:
        raise RuntimeError("the data of the cases could not be made")


def table(results: Sequence[Result], key: Callable[[Result], str], title: str) -> str:
    """The counts of verdicts as a Markdown table."""
    shown = [verdict for verdict in VERDICTS if verdict in GOOD or any(r.verdict == verdict for r in results)]
    lines = [f"| {title} | cases | {' | '.join(shown)} |", "|---|" + "--:|" * (len(shown) + 1)]
    for name in [*sorted({key(r) for r in results}), "all"]:
        chosen = [r for r in results if name in (key(r), "all")]
        counts = Counter(r.verdict for r in chosen)
        lines.append(f"| {name} | {len(chosen)} | {' | '.join(str(counts[v] or '') for v in shown)} |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the cases that the arguments choose; the result is 1 if one of them went wrong."""
    parser = argparse.ArgumentParser(prog="benchmarks.hostile", description=__doc__)
    parser.add_argument("--only", action="append", help="cases whose name holds this")
    parser.add_argument("--share", type=float, default=1.0, help="try this share of the cases, always the same ones")
    parser.add_argument("--after", type=float, default=0.0, help="leave out the cases of this share")
    parser.add_argument("--cheap", action="store_true", help="leave out the cases that take seconds")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--json", type=Path, help="write every case's result here")
    parser.add_argument("--world", type=Path, help="data of an earlier run, or where to keep it")
    parser.add_argument("--tiny", type=Path, help="what tests.corpus.tiny_model has made already")
    parser.add_argument("--keep", type=Path, help="keep each case's files in this folder")
    parser.add_argument("--list", action="store_true", help="print the names of the cases, and leave")
    parser.add_argument("--all", action="store_true", help="all of every product of tables: more than an hour")
    chosen = parser.parse_args(arguments)
    cases = all_cases()
    if not chosen.all and not chosen.only:
        cases = [case for case in cases if _place(f"{case.name} ") < SHARES.get(case.kind, 1.0)]
    cases = [case for case in sample(cases, chosen.share) if _place(case.name) >= chosen.after]
    cases = [
        c for c in cases if (c.cheap or not chosen.cheap) and (not chosen.only or any(o in c.name for o in chosen.only))
    ]
    if chosen.list:
        print("\n".join(case.name for case in cases))
        return 0
    import_everything()
    memory = Path("/dev/shm")
    # This is no TemporaryDirectory, because the forked processes of the cases would remove it when they end.
    folder = Path(tempfile.mkdtemp(prefix="hostile-", dir=memory if os.access(memory, os.W_OK) else None))
    try:
        world = chosen.world or folder / "world"
        if not (world / "complete").exists():
            in_child(lambda: make_world(world, chosen.tiny))
            (world / "complete").touch()
        results = report(
            Runner(chosen.keep or folder, world, functions(), chosen.jobs, keep=bool(chosen.keep)), cases, chosen.json
        )
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    for key, title in ((lambda r: r.command, "command"), (lambda r: r.kind, "kind")):
        print(table(results, key, title), end="\n\n")
    return int(not all(result.good for result in results))


def functions() -> dict[str, Callable[[list[str]], None]]:
    """The functions of the library that are run as if they were commands."""
    from . import readings

    return readings.COMMANDS


def report(runner: Runner, cases: Sequence[Case], file: Path | None) -> list[Result]:
    """The results of ``cases``. Faults are printed at once; ``file`` gets all results so far after each line of progress."""
    began, results = time.monotonic(), list[Result]()
    # This order makes the first results a fair sample.
    for result in runner.run(sorted(cases, key=lambda case: _place(case.name))):
        results.append(result)
        if not result.good or len(cases) == 1:
            line = f"{result.verdict:9} {result.name}: {result.line}"
            print(line.encode("ascii", "backslashreplace").decode(), flush=True)
        if len(results) % TOLD == 0 or len(results) == len(cases):
            print(f"{len(results)} of {len(cases)}, {time.monotonic() - began:.0f} s", flush=True)
            if file is not None:
                rows = [asdict(r) for r in sorted(results, key=lambda r: r.name)]
                file.write_text(json.dumps(rows, indent=0))
    return results


if __name__ == "__main__":
    sys.exit(main())
