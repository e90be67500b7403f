"""A narration that is killed again and again: ``python -m benchmarks.narrator_kills WORK --kills 20``.

In a folder of its own a small book is narrated, by one process and by two, and killed by ``kill -9`` at moments that a seed draws: while
lines are spoken, and while the file is written. Either the first process alone or all of them are killed. The book is edited between two
runs, and one run has a full disk (no file may be larger than some kilobytes). When a run comes to its end, the finished file must have
the bytes of an undisturbed run, and another round begins, until there were as many kills as were asked for. The processes are forks of
one that has imported torch, so that a start takes little time.
"""

import argparse
import json
import random
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests import forks, launch

_SENTENCES = (
    "The fox ran over the hill.", "It was late, and the wind rose.", "Nobody saw it go.", "Where did it sleep?",
    "In 1884 there were five of them.", "The keeper closed the door.", "Rain fell on the roof.", "Then it was quiet.",
)  # fmt: skip
# The most bytes of a file: some lines fit, but other lines and the finished file do not.
_FULL_DISK = 6_000
_LONGEST_S = 300.0  # after so many seconds a run counts as hanging


@dataclass(frozen=True)
class Moment:
    """The moment of a kill: ``wait_s`` after event number ``events``, so that a busy machine does not move it."""

    # The number of events before the kill; the first event says that no line is done yet.
    events: int
    wait_s: float


@dataclass(frozen=True)
class Run:
    """The end of a run: its exit code, the time that it worked since its first event, and its last message."""

    code: int
    work_s: float
    message: str

    @property
    def was_killed(self) -> bool:
        """Whether ``kill -9`` ended the run."""
        return self.code == -signal.SIGKILL


def write_book(path: Path, edited: bool, sentences: int) -> None:
    """A book of three chapters with so many sentences each, before or after an edit in the middle."""
    chapters = []
    for chapter, numeral in enumerate(("I", "II", "III")):
        lines = [f"{_SENTENCES[n % len(_SENTENCES)]} It was chapter {chapter + 1}." for n in range(sentences)]
        if edited and chapter == 1:
            lines[-1] = "Here the book was edited."
        chapters.append(f"CHAPTER {numeral}\n\n" + "\n\n".join(lines))
    path.write_text("\n\n".join(chapters) + "\n", encoding="utf-8")


def narrate(
    book: Path, out: Path, options: Sequence[str], processes: int, moment: Moment | None, kill_all: bool,
    file_limit: int | None = None,
) -> Run:  # fmt: skip
    """Narrate ``book``, and kill the first process, or all of them, at a moment.

    The others of several processes are killed as soon as one has ended before its time, as a launcher does.
    """
    # With several processes, the launcher gives their number.
    alone = ["--processes", "1"] if processes == 1 else []
    words = [*forks.CLI, "narrate", str(book), "--out", str(out), "--progress", "json", *alone, *options]
    path, errors = out.with_suffix(".told"), out.with_suffix(".errors")
    with path.open("w") as events, errors.open("w") as log:
        port = launch.free_port()
        running = [
            forks.Program(words, stdout=events, stderr=log, session=True, file_limit=file_limit,
                          env={**launch.ENVIRONMENT, **(_place(rank, processes, port) if processes > 1 else {})})
            for rank in range(processes)
        ]  # fmt: skip
        _wait(running[0], path, Moment(1, 0.0))
        began = time.perf_counter()
        if moment is not None:
            _wait(running[0], path, moment)
            for program in running if kill_all else running[:1]:
                program.kill()
        code = running[0].wait()
        for program in running[1:]:
            if code:
                program.kill()
            program.wait()
    return Run(code, time.perf_counter() - began, (errors.read_text().strip().splitlines() or [""])[-1])


def _wait(program: forks.Program, path: Path, moment: Moment) -> None:
    """Wait until a program has come to a moment, or has ended."""
    deadline = time.monotonic() + _LONGEST_S
    while path.read_bytes().count(b"\n") < moment.events and program.poll() is None and time.monotonic() < deadline:
        time.sleep(0.005)
    end = time.monotonic() + moment.wait_s
    while program.poll() is None and time.monotonic() < end:
        time.sleep(0.005)


def _place(rank: int, processes: int, port: str) -> dict[str, str]:
    """The environment with which a launcher tells a process its place."""
    return {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(processes), "LOCAL_WORLD_SIZE": str(processes),
            "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, **launch.NO_LAUNCHER}  # fmt: skip


@dataclass
class Round:
    """A narration from an empty folder to its finished file."""

    kills: int = 0
    full_disk: str = ""  # the message of the run on the full disk
    equal: bool = False


def play_round(
    work: Path,
    number: int,
    reference: Path,
    rng: random.Random,
    most: int,
    sentences: int,
    options: Sequence[str],
) -> Round:
    """Kill a narration again and again until it ends in spite of that, or ``most`` times; then let it finish."""
    folder = work / f"round-{number}"
    folder.mkdir(parents=True)
    book, out, result = folder / "book.txt", folder / "book.flac", Round()
    write_book(book, edited=False, sentences=sentences)
    edit_at, full_at = rng.randrange(1, 4), rng.randrange(1, 4)
    for attempt in range(most + 1):
        if attempt == edit_at:
            write_book(book, edited=True, sentences=sentences)
        if attempt == full_at:
            full = narrate(book, out, options, 1, None, False, _FULL_DISK)
            assert full.code == 2, f"on a full disk: exit code {full.code}, {full.message}"
            result.full_disk = full.message
        if attempt == most:
            break
        processes, kill_all = rng.choice((1, 2)), rng.random() < 0.5
        left = max(0, 3 * (1 + 2 * sentences) - len(list((folder / "book.narration" / "lines").glob("*.json"))))
        # The last two events come while the file is written.
        moment = Moment(rng.randrange(1, left + 3), rng.uniform(0.0, 1.0))
        run = narrate(book, out, options, processes, moment, kill_all)
        result.kills += run.was_killed
        print(json.dumps({"round": number, "processes": processes, "all": kill_all, "code": run.code, "s": round(run.work_s, 2),
                          "lines": len(list((folder / "book.narration" / "lines").glob("*.json")))}), flush=True)  # fmt: skip
        # Without this, all later kills would come while the file is written.
        if not run.was_killed or (not left and rng.random() < 0.5):
            break
    write_book(book, edited=True, sentences=sentences)
    last = narrate(book, out, options, rng.choice((1, 2)), None, False)
    assert last.code == 0, last.message
    left = [path.name for path in folder.rglob("*") if ".tmp" in path.name]
    result.equal = out.read_bytes() == reference.read_bytes() and not left
    print(
        json.dumps({"round": number, "kills": result.kills, "full disk": result.full_disk, "equal": result.equal}),
        flush=True,
    )
    return result


def main() -> None:
    """Play rounds until there were enough kills; the exit code is 1 if a file differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=Path, help="folder that is made")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--sentences", type=int, default=8, help="of a chapter; the book has three chapters")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--model", type=Path, help="model folder; default: the bundled model")
    parser.add_argument(
        "--option", action="append", default=[], help="another option of 'narrate', such as --option=--no-align"
    )
    chosen = parser.parse_args()
    chosen.work.mkdir(parents=True)
    options = [*(["--model", str(chosen.model)] if chosen.model else []), *chosen.option]
    book, reference = chosen.work / "book.txt", chosen.work / "undisturbed.flac"
    write_book(book, edited=True, sentences=chosen.sentences)
    whole = narrate(book, reference, options, 1, None, False)
    assert whole.code == 0, whole.message
    print(json.dumps({"undisturbed_s": round(whole.work_s, 2), "bytes": reference.stat().st_size}), flush=True)
    rng, kills, rounds = random.Random(chosen.seed), 0, list[Round]()
    while kills < chosen.kills:
        one = play_round(chosen.work, len(rounds), reference, rng, chosen.kills - kills, chosen.sentences, options)
        rounds.append(one)
        kills += one.kills
    wrong = [number for number, one in enumerate(rounds) if not one.equal]
    full = sum(bool(one.full_disk) for one in rounds)
    print(
        f"{kills} kills in {len(rounds)} rounds, {full} of them with a full disk; files that differ: {wrong or 'none'}"
    )
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
