"""Runs each case in a process forked from one that has imported everything, and judges the result."""

import atexit
import contextlib
import ctypes
import fcntl
import io
import multiprocessing
import os
import re
import resource
import shutil
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .case import GOOD, Case, Done
from .judge import Tree, changes, judge, tree

LIMIT_S = 20.0  # A case hangs if it computes, or stands still, for longer than this.
LONGEST_S = 300.0  # A case ends after this time even where other work slows the machine.
MEMORY = 3 << 30  # bytes of memory that a case may use
ADDRESSES = 12 << 30  # bytes of addresses that a case may reserve; reserved memory that is never touched costs nothing
LOOK_S = 0.3  # seconds between two measurements of a case's time and memory
GRACE_S = 1.0  # seconds in which workers must end after their parent
SAID = 1 << 20  # The runner keeps so many bytes of a case's output.
SHOWN = 300  # The result keeps so many characters of a message.


@dataclass(frozen=True)
class Result:
    """What became of a case."""

    name: str
    command: str
    kind: str
    verdict: str
    code: int
    line: str  # the command's message, or what is wrong with the result
    seconds: float
    words: tuple[str, ...] = ()

    @property
    def good(self) -> bool:
        """Whether the command refused the input in one line, or ran and gave the right result."""
        return self.verdict in GOOD


# --- in the child -----------------------------------------------------------------------------------------------------


def _drop_rights() -> None:
    """Take from the superuser the right to ignore the modes of files."""
    if os.geteuid() != 0:
        return
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    data = (ctypes.c_uint32 * 6)()
    libc.capget(header, data)
    keep = ~((1 << 1) | (1 << 2)) & 0xFFFFFFFF  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
    data[0] &= keep
    data[1] &= keep
    libc.capset(header, data)


def _block_network(note: int) -> None:
    """Write down and refuse every attempt to reach a network from Python."""
    connect = socket.socket.connect

    def attempt(where: object) -> None:
        os.write(note, f"{where}\n".encode("utf-8", "replace"))
        raise OSError(101, "Network is unreachable (blocked)")

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            attempt(address)
        connect(self, address)

    resolve = socket.getaddrinfo

    def lookup(host: Any, *more: Any, **options: Any) -> Any:
        if not _is_address(host):
            attempt(host)
        return resolve(host, *more, **options)  # The host is an address or this machine, so no name server is asked.

    for name in ("connect", "connect_ex"):
        setattr(socket.socket, name, guarded)
    socket.getaddrinfo = lookup


def _is_address(host: object) -> bool:
    if host is None or (isinstance(host, str) and host.rstrip(".") in ("localhost", "")):
        return True
    for family in (socket.inet_aton, lambda text: socket.inet_pton(socket.AF_INET6, text.partition("%")[0])):
        with contextlib.suppress(OSError, ValueError, TypeError, AttributeError):
            family(str(host).rstrip("."))  # type: ignore[operator]
            return True
    return False


def _redirect(case: Case, place: Path, pipes: tuple[int, int]) -> None:
    """Give the process the standard streams that the case asks for: a file and two pipes, a full device, or none."""
    (place / "stdin").write_bytes(case.stdin)
    out = os.open("/dev/full", os.O_WRONLY) if case.full else pipes[0]
    for number, opened in enumerate((os.open(place / "stdin", os.O_RDONLY), out, pipes[1])):
        os.dup2(opened, number)
        os.close(opened)
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        stream = None
        if number in case.closed:
            os.close(number)
        else:
            raw: Any = os.fdopen(number, "rb" if number == 0 else "wb", closefd=False)
            stream = io.TextIOWrapper(raw, encoding="utf-8", errors="strict", write_through=number == 2)
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)


def _run_here(case: Case, place: Path, commands: dict[str, Callable[[list[str]], None]]) -> int:
    """The exit code of the case's command, with a traceback on standard error as Python would print it."""
    import torch

    torch.set_num_threads(1)
    # Workers are forked like the case itself, because a new interpreter needs seconds for its imports.
    context = multiprocessing.get_context
    os.register_at_fork(after_in_child=lambda: signal.signal(signal.SIGTERM, signal.SIG_DFL))
    multiprocessing.get_context = lambda method=None: context("fork")  # type: ignore[method-assign, assignment]
    sys.argv = ["triforce-tts", *case.words]
    code = 0
    try:
        if case.words and case.words[0] in commands:
            commands[case.words[0]](list(case.words[1:]))
        else:
            from triforce_tts.cli.app import main

            main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        if sys.stderr is not None:
            traceback.print_exc()
        code = 1
    if os.environ.get("HOSTILE_MODULES"):
        Path(os.environ["HOSTILE_MODULES"]).write_text("\n".join(sys.modules))
    with contextlib.suppress(Exception):
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()
    return code


def _child(case: Case, place: Path, commands: dict[str, Callable[[list[str]], None]], pipes: tuple[int, int]) -> None:
    code = 120
    try:
        os.setsid()
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: no case outlives the runner
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGPIPE):
            signal.signal(
                number,
                {signal.SIGINT: signal.default_int_handler, signal.SIGPIPE: signal.SIG_IGN}.get(number, signal.SIG_DFL),
            )  # type: ignore[arg-type]
        note = os.open(place / "network", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.chdir(place / "here")
        home = place / "home"
        for name in [key for key in os.environ if key.startswith(("XDG_", "HF_", "TRIFORCE", "TORCH"))]:
            del os.environ[name]
        os.environ.update(
            HOME=str(home),
            XDG_STATE_HOME=str(home),
            TMPDIR=str(place / "tmp"),
            COLUMNS="200",
            TORCHINDUCTOR_CACHE_DIR=str(home),
        )
        import tempfile

        tempfile.tempdir = str(place / "tmp")
        _block_network(note)
        _drop_rights()
        _redirect(case, place, pipes)
        resource.setrlimit(resource.RLIMIT_AS, (ADDRESSES, ADDRESSES))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if case.file_limit is not None:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (case.file_limit, case.file_limit))
        code = _run_here(case, place, commands)
    except BaseException:
        os.write(2, f"the runner failed: {traceback.format_exc()}".encode())
    finally:
        os._exit(code & 0xFF)


# --- in the parent ----------------------------------------------------------------------------------------------------


@dataclass
class _Running:
    case: Case
    place: Path
    pid: int
    before: Tree
    listener: socket.socket
    locks: list[Any]
    pipes: tuple[int, int]  # standard output and error, to be read
    buffers: tuple[bytearray, bytearray] = field(default_factory=lambda: (bytearray(), bytearray()))
    began: float = field(default_factory=time.monotonic)
    busy_s: float = 0.0
    last_busy: float = field(default_factory=time.monotonic)
    signalled: bool = False
    next_look: float = 0.0


def _listen(job: _Running) -> None:
    """Read the output that the case has written since the last call."""
    for pipe, buffer in zip(job.pipes, job.buffers, strict=True):
        with contextlib.suppress(BlockingIOError):
            while data := os.read(pipe, 1 << 16):
                if len(buffer) < SAID:
                    buffer += data


_ANONYMOUS = re.compile(r"^Pss_Anon: +(\d+) kB$", re.MULTILINE)  # proc(5): without the pages of files


def _family(pid: int) -> list[int]:
    """The processes of the session that ``pid`` began, which are alive."""
    pids = []
    for entry in os.listdir("/proc"):  # noqa: PTH208
        if entry.isdigit():
            with contextlib.suppress(OSError, ValueError, IndexError):
                fields = Path("/proc", entry, "stat").read_text().rpartition(")")[2].split()
                if int(fields[3]) == pid and fields[0] != "Z":
                    pids.append(int(entry))
    return pids


def _use(pids: Sequence[int]) -> tuple[int, float]:
    """Bytes in memory and seconds of computing of some processes.

    Shared pages are divided among those that share them.
    """
    memory, seconds = 0, 0.0
    for pid in pids:
        with contextlib.suppress(OSError, ValueError, IndexError):
            fields = Path("/proc", str(pid), "stat").read_text().rpartition(")")[2].split()
            seconds += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
            shares = Path("/proc", str(pid), "smaps_rollup").read_text()
            memory += sum(int(kilobytes) << 10 for kilobytes in _ANONYMOUS.findall(shares))
    return memory, seconds


class Runner:
    """Runs cases, at most ``jobs`` at a time, in folders below ``base``, with data from ``world``."""

    def __init__(
        self,
        base: Path,
        world: Path,
        commands: dict[str, Callable[[list[str]], None]] | None = None,
        jobs: int = 2,
        keep: bool = False,
    ) -> None:
        self.base, self.world, self.commands, self.jobs, self.keep = base, world, commands or {}, jobs, keep
        self._count = 0

    def run(self, cases: Sequence[Case]) -> Iterator[Result]:
        """The results, as they come."""
        waiting, running = list(cases), list[_Running]()
        while waiting or running:
            while waiting and len(running) < self.jobs:
                running.append(self._start(waiting.pop(0)))
            time.sleep(0.02)
            for job in list(running):
                if (result := self._look(job)) is not None:
                    running.remove(job)
                    yield result

    def _start(self, case: Case) -> _Running:
        self._count += 1
        place = self.base / f"case-{self._count}"
        here = place / "here"
        for folder in (here, place / "home", place / "tmp"):
            folder.mkdir(parents=True)
        for part in case.parts:
            source, target = self.world / part, here / part
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, target, symlinks=True)
            else:
                shutil.copy2(source, target)
        listener = socket.create_server(("127.0.0.1", 0))
        listener.setblocking(False)
        (place / "port").write_text(str(listener.getsockname()[1]))
        os.environ["HOSTILE_PORT"] = str(listener.getsockname()[1])
        case.prepare(here)
        locks = []
        if case.lock is not None:
            locks.append((here / case.lock).open("a"))
            fcntl.flock(locks[0], fcntl.LOCK_EX)
        before = tree(here)
        sys.stdout.flush()
        pipes = (os.pipe(), os.pipe())
        pid = os.fork()
        if pid == 0:
            listener.close()
            _child(case, place, self.commands, (pipes[0][1], pipes[1][1]))
        for reading, writing in pipes:
            os.close(writing)
            os.set_blocking(reading, False)
        return _Running(case, place, pid, before, listener, locks, (pipes[0][0], pipes[1][0]))

    def _look(self, job: _Running) -> Result | None:
        """The result, if the case has ended or must be ended now."""
        now = time.monotonic()
        _listen(job)
        ended, status = os.waitpid(job.pid, os.WNOHANG)
        if ended:
            return self._finish(job, os.waitstatus_to_exitcode(status))
        if job.case.signal and not job.signalled and now - job.began > job.case.signal[0]:
            os.kill(job.pid, job.case.signal[1])
            job.signalled = True
        if now < job.next_look:
            return None
        job.next_look = now + LOOK_S
        memory, seconds = _use(_family(job.pid))
        if seconds > job.busy_s + 0.05:
            job.busy_s, job.last_busy = seconds, now
        if memory > MEMORY:
            return self._kill(job, "memory", f"{memory >> 20} MB")
        limit = LIMIT_S * job.case.patience
        late = now - job.began > limit and (job.busy_s > limit or now - job.last_busy > LIMIT_S / 4)
        if late or now - job.began > LONGEST_S * job.case.patience:
            return self._kill(job, "hang", f"{now - job.began:.0f} s, {job.busy_s:.0f} s of computing")
        return None

    def _kill(self, job: _Running, verdict: str, line: str) -> Result:
        for pid in _family(job.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        os.waitpid(job.pid, 0)
        return self._result(job, verdict, -9, line)

    def _finish(self, job: _Running, code: int) -> Result:
        deadline = time.monotonic() + GRACE_S
        while (workers := _family(job.pid)) and time.monotonic() < deadline:
            time.sleep(0.02)
        for pid in workers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        _listen(job)
        texts = [bytes(buffer).decode("utf-8", "backslashreplace") for buffer in job.buffers]
        texts.append((job.place / "network").read_text(errors="replace") if (job.place / "network").is_file() else "")
        with contextlib.suppress(BlockingIOError):
            job.listener.accept()[0].close()
            texts[2] += "a connection to a port of this machine\n"
        here = job.place / "here"
        lost, left = changes(job.before, tree(here), job.case.writes)
        scratch = next(iter(tree(job.place / "tmp")), "")
        left = left or (
            f"process {workers[0]} runs on" if workers else f"temporary {scratch!r} was left" if scratch else ""
        )
        try:
            verdict, line = judge(job.case, Done(code, texts[0], texts[1]), here, texts[2], lost, left)
        except Exception as error:  # The check did not foresee this result, so the result is wrong.
            verdict, line = "wrong", f"the result cannot be checked ({error!r})"
        return self._result(job, verdict, code, line)

    def _result(self, job: _Running, verdict: str, code: int, line: str) -> Result:
        seconds = time.monotonic() - job.began
        job.listener.close()
        for pipe in job.pipes:
            os.close(pipe)
        if self.keep:
            for buffer, name in zip(job.buffers, ("stdout", "stderr"), strict=True):
                (job.place / name).write_bytes(buffer)
        for file in job.locks:
            file.close()
        if not self.keep:
            _remove(job.place)
        shown = line.replace(str(job.place), "").strip()
        shown = shown if len(shown) <= SHOWN else f"{shown[: SHOWN // 2]} ... {shown[-SHOWN // 2 :]}"
        return Result(
            job.case.name, job.case.command, job.case.kind, verdict, code, shown, round(seconds, 2), job.case.words
        )


def _remove(place: Path) -> None:
    for folder, _, _ in os.walk(place):
        with contextlib.suppress(OSError):
            os.chmod(folder, 0o700)  # noqa: PTH101
    shutil.rmtree(place, ignore_errors=True)
