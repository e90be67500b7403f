"""Programs in processes forked from one that has imported torch, so that each does not spend seconds on imports.

A program finds what it would find in a process of its own: arguments, environment, folder, standard streams, signals,
exit code. Three things differ. Libraries read some variables of the environment when they are imported, which was
before. The interpreter's own options are those of the tests. And a program that a shell must start needs a real process.
``Program`` is used as ``subprocess.Popen`` is, and ``run`` as ``subprocess.run`` is.
"""

import atexit
import contextlib
import functools
import gc
import importlib
import io
import json
import os
import resource
import runpy
import select
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback
import types
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

# The heavy imports of every command, but not the command line itself, which each program imports anew.
# They include the modules that torch, tensorboard and rich import at their first use, and those that draw and that find
# a phase.
IMPORTED = ("torch", "torch._dynamo", "torch.utils.tensorboard", "numpy.random", "accelerate", "rich._emoji_codes", "av", "trafilatura",
            "torchaudio.functional", "webdataset", "matplotlib.backends.backend_agg", "matplotlib.figure",
            "triforce_tts.cli.speak", "triforce_tts.cli.narrate", "triforce_tts.cli.evaluate",
            "triforce_tts.narrator.narrate", "triforce_tts.stages.estimate", "triforce_tts.synthesis", "triforce_tts.models.load",
            "triforce_tts.stages.trainer.loop", "triforce_tts.stages.dvae", "triforce_tts.stages.gpt",
            "triforce_tts.stages.diffusion", "triforce_tts.stages.distill", "triforce_tts.stages.bundle",
            "triforce_tts.stages.codes", "triforce_tts.stages.cli", "triforce_tts.data.labelled.run",
            "triforce_tts.data.build",
            "triforce_tts.data.verify", "triforce_tts.data.inspect")  # fmt: skip
CLI = ("-m", "triforce_tts.cli.app")
REQUESTS = "TRIFORCE_TEST_REQUESTS"  # In a program that starts programs too: the number of the socket for its requests.
LONGEST_REQUEST = 1 << 17  # bytes; the largest size of a program's words and environment
SLOW_S = 300.0  # seconds; after this time a program counts as hanging, even on a busy machine


# --- in the server and its children ----------------------------------------------------------------------------------


def serve(requests: socket.socket) -> None:
    """Import the modules that programs need, and fork a program for each request until the tests close the socket."""
    for module in IMPORTED:
        importlib.import_module(module)
    # The first sentence of a process reads the pronouncing dictionary and the grammars of numbers, for a second or two.
    tokenizer, normalize = map(importlib.import_module, ("triforce_tts.text.tokenizer", "triforce_tts.text.normalize"))
    tokenizer.TextTokenizer().spell(normalize.normalize("Warm 3 up in 1884."))
    assert threading.active_count() == 1, "a thread does not survive a fork"
    gc.collect()
    # Without this, the collector of every program would visit, and so copy, the modules that the server has imported.
    gc.freeze()
    while True:
        data, descriptors, _, _ = socket.recv_fds(requests, LONGEST_REQUEST, 5)
        if not data:
            break
        if os.fork() == 0:
            requests.close()
            _keep(json.loads(data), descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        _reap(os.WNOHANG)
    _reap(0)


def _reap(options: int) -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, options)[0]:
            pass


def _keep(request: dict[str, Any], descriptors: list[int]) -> None:
    """Fork the program, and write its process id and its exit code to the last descriptor."""
    answers = descriptors.pop()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    pid = os.fork()
    if pid == 0:
        os.close(answers)
        _become(request, descriptors)
    for descriptor in descriptors:
        os.close(descriptor)
    os.write(answers, f"{pid}\n".encode())
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    with contextlib.suppress(BrokenPipeError):
        os.write(answers, f"{code}\n".encode())
    os._exit(0)


def _become(request: dict[str, Any], descriptors: list[int]) -> None:
    """Run the program of ``request`` as a fresh interpreter would, and end the process."""
    code = 1
    requests, descriptors = descriptors[3:], descriptors[:3]
    try:
        for number, descriptor in enumerate(descriptors):
            os.dup2(descriptor, number)
            os.close(descriptor)
        if request["session"]:
            os.setsid()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.chdir(request["cwd"])
        os.environ.clear()
        os.environ.update(request["env"])
        if requests:
            os.environ[REQUESTS] = str(requests[0])
        if request["file_limit"] is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (request["file_limit"], request["file_limit"]))
        for number, name in enumerate(("stdin", "stdout", "stderr")):
            raw: Any = os.fdopen(number, "wb" if number else "rb", closefd=False)
            errors = "backslashreplace" if number == 2 else "strict"
            stream = io.TextIOWrapper(raw, encoding="utf-8", errors=errors, line_buffering=number == 2)
            setattr(sys, name, stream)
            setattr(sys, f"__{name}__", stream)
        code = _exit_code(request["words"])
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(BaseException):
            sys.stderr.flush()
        os._exit(code & 0xFF)


def _exit_code(words: list[str]) -> int:
    """Run ``-m MODULE ...``, ``-c CODE ...`` or ``FILE ...`` to its end."""
    code: object = 0
    try:
        if words[0] == "-m":
            sys.argv = words[1:]
            runpy.run_module(words[1], run_name="__main__", alter_sys=True)
        elif words[0] == "-c":
            sys.argv = ["-c", *words[2:]]
            sys.modules["__main__"] = types.ModuleType("__main__")
            exec(compile(words[1], "<string>", "exec"), vars(sys.modules["__main__"]))
        else:
            sys.argv = words
            runpy.run_path(words[0], run_name="__main__")
    except SystemExit as end:
        code = end.code
        if code is not None and not isinstance(code, int):
            print(code, file=sys.stderr)
            code = 1
    except KeyboardInterrupt:
        traceback.print_exc()
        code = 130
    except BaseException:
        traceback.print_exc()
        code = 1
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
    except OSError:
        return 120  # Python does the same.
    return int(code) if isinstance(code, int) else 0


# --- in the tests ----------------------------------------------------------------------------------------------------


@functools.cache
def _server() -> socket.socket:
    """Our end of the socket to this process's server, which starts at the first call and ends with this process.

    A program that may start programs has the server of the tests.
    """
    if REQUESTS in os.environ:
        return socket.socket(fileno=int(os.environ.pop(REQUESTS)))
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    # Each process has one thread, because a pool of threads does not survive a fork, and the test processes share the
    # cores anyway.
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.forks", str(its.fileno())],
        cwd=Path(__file__).parent.parent, pass_fds=[its.fileno()], stdin=subprocess.DEVNULL,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    its.close()

    def end() -> None:
        ours.close()
        process.wait()

    atexit.register(end)
    return ours


class Program:
    """A running program.

    ``stdin``, ``stdout`` and ``stderr`` are files or ``subprocess.DEVNULL``, which is the default.
    """

    def __init__(
        self,
        words: Sequence[str | Path],
        *,
        stdin: Any = subprocess.DEVNULL,
        stdout: Any = subprocess.DEVNULL,
        stderr: Any = subprocess.DEVNULL,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        file_limit: int | None = None,
        session: bool = False,
        starts_programs: bool = False,
    ) -> None:
        """Start ``words``, which follow the interpreter's name.

        ``file_limit`` bytes for each file imitate a full disk. A program that ``starts_programs`` can use ``Program``
        too.
        """
        request = {"words": [str(word) for word in words], "cwd": str(cwd or Path.cwd()), "session": session,
                   "env": dict(os.environ if env is None else env), "file_limit": file_limit}  # fmt: skip
        data = json.dumps(request).encode()
        assert len(data) < LONGEST_REQUEST, "the words are too long"
        self.returncode: int | None = None
        reading, writing = os.pipe()
        with open(os.devnull, "r+b", buffering=0) as nothing:  # noqa: PTH123
            streams = [nothing if stream is subprocess.DEVNULL else stream for stream in (stdin, stdout, stderr)]
            numbers = [stream if isinstance(stream, int) else stream.fileno() for stream in streams]
            requests = [_server().fileno()] if starts_programs else []
            socket.send_fds(_server(), [data], [*numbers, *requests, writing])
        os.close(writing)
        self._answers = os.fdopen(reading, "rb", buffering=0)
        self.pid = int(self._answers.readline())

    def poll(self) -> int | None:
        """The exit code; None while the program runs."""
        if self.returncode is None and select.select([self._answers], [], [], 0)[0]:
            self.returncode = int(self._answers.readline())
            self._answers.close()
        return self.returncode

    def wait(self, timeout: float | None = SLOW_S) -> int:
        """Wait for the program; the result is its exit code.

        Raises:
            subprocess.TimeoutExpired: it still runs after ``timeout`` seconds.
        """
        if self.returncode is None and not select.select([self._answers], [], [], timeout)[0]:
            raise subprocess.TimeoutExpired("a forked program", timeout)
        code = self.poll()
        assert code is not None
        return code

    def send_signal(self, number: int) -> None:
        """Send a signal, unless the program has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End the program at once."""
        self.send_signal(signal.SIGKILL)


def run(
    words: Sequence[str | Path], stdin: bytes = b"", timeout: float = SLOW_S, **options: Any
) -> subprocess.CompletedProcess[str]:
    """Run the program ``words``; the result has its output and its exit code. ``options`` are those of ``Program``."""
    pipes = [os.pipe() for _ in range(3)]
    program = Program(words, stdin=pipes[0][0], stdout=pipes[1][1], stderr=pipes[2][1], **options)
    for end in (pipes[0][0], pipes[1][1], pipes[2][1]):
        os.close(end)
    told = {pipes[1][0]: bytearray(), pipes[2][0]: bytearray()}
    feeder = threading.Thread(target=_feed, args=(pipes[0][1], stdin), daemon=True)
    feeder.start()
    deadline, open_ends = time.monotonic() + timeout, list(told)
    try:
        while open_ends:
            ready, _, _ = select.select(open_ends, [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                raise subprocess.TimeoutExpired([str(word) for word in words], timeout)
            for end in ready:
                piece = os.read(end, 1 << 16)
                told[end] += piece
                if not piece:
                    open_ends.remove(end)
        code = program.wait(max(0.0, deadline - time.monotonic()))
    finally:
        program.kill()
        for end in told:
            os.close(end)
        feeder.join()
    out, err = (bytes(text).decode("utf-8", "backslashreplace") for text in told.values())
    return subprocess.CompletedProcess([str(word) for word in words], code, out, err)


def _feed(end: int, data: bytes) -> None:
    with os.fdopen(end, "wb", buffering=0) as file, contextlib.suppress(BrokenPipeError):
        while data:
            data = data[file.write(data) or 0 :]


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
