"""Several processes that share the work on one folder: each fills it with finished pieces, and none speaks to another.

A process holds the pieces that it works on by locks on single bytes of one file. The system lets go of the locks of a
process that dies, so that another process takes its pieces over. Three things start the processes: this program
(``helpers``), a Ray cluster (``helpers_on_ray``), or a launcher such as ``accelerate launch`` (``launched``).
"""

import fcntl
import multiprocessing
import multiprocessing.connection
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, TypeVar

from triforce_tts import pool
from triforce_tts.errors import ConfigError, TriforceError

JobT = TypeVar("JobT")
ResultT = TypeVar("ResultT")

CLAIMS = ".claims"  # the file in the shared folder whose bytes are locked
# Seconds that helpers have to end by themselves: on a cluster once all jobs are done, here once they are told to.
_FAREWELL_S = 2.0
_LOOK_S = 0.05  # seconds between two looks at the jobs that other processes work on
# Processes are started only if each gets at least so many jobs, because a start takes as long as some lines.
_JOBS_A_PROCESS = 8
# The most processes on a CPU if the user gives no number, because each takes memory for the networks.
_MOST_PROCESSES = 4


class Claims:
    """The jobs that this process holds against the others; a job is a number from 0."""

    def __init__(self, folder: Path) -> None:
        self._file = (folder / CLAIMS).open("a+b")

    def __enter__(self) -> "Claims":
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()  # Closing the file gives back all locks.

    def take(self, job: int) -> bool:
        """Whether this process holds ``job`` now.

        Raises:
            TriforceError: the file system has no locks.
        """
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, job)
        except (BlockingIOError, PermissionError):  # POSIX allows either for a lock that another process holds
            return False
        except OSError as error:
            raise TriforceError(
                f"{self._file.name}: cannot be locked ({error.strerror}); choose a place on another file system"
            ) from error
        return True

    def give_back(self, job: int) -> None:
        """Give ``job`` back to the other processes."""
        fcntl.lockf(self._file, fcntl.LOCK_UN, 1, job)


def shared(
    jobs: Sequence[tuple[int, JobT]],
    finished: Callable[[JobT], ResultT | None],
    work: Callable[[list[JobT]], Sequence[ResultT]],
    claims: Claims,
    most: int = 1,
) -> Iterator[tuple[JobT, ResultT]]:
    """Each job with its result, as soon as this or another process has done it.

    Args:
        jobs: the jobs, each with its number, which is the same in all processes.
        finished: gives the result of a job from the folder, if the job is done.
        work: does jobs and writes their results into the folder.
        claims: of this process.
        most: the most jobs that are done at once.
    """
    waiting = dict(jobs)
    while waiting:
        numbers: list[int] = []
        is_new = False
        for number, job in list(waiting.items()):
            is_ours = claims.take(number)
            # The question is asked while this process holds the lock, because the earlier holder may have finished the
            # job.
            result = finished(job)
            if result is not None:
                del waiting[number]
                if is_ours:
                    claims.give_back(number)
                is_new = True
                yield job, result
            elif is_ours:
                numbers.append(number)
            if len(numbers) == most:
                break
        if numbers:
            done = work([waiting[number] for number in numbers])
            pool.return_memory()
            for number, result in zip(numbers, done, strict=True):
                claims.give_back(number)
                yield waiting.pop(number), result
        elif waiting and not is_new:
            time.sleep(_LOOK_S)


@dataclass
class Helpers:
    """The processes that this process started to help it."""

    running: list[tuple[BaseProcess, multiprocessing.connection.Connection]] = field(default_factory=list)
    losses: list[str] = field(default_factory=list)  # one line for each process that ended before its time

    def look(self) -> None:
        """Notice which processes have ended, and how."""
        for process, messages in list(self.running):
            if process.exitcode is None:
                continue
            self.running.remove((process, messages))
            if process.exitcode:
                last_words = _last_words(messages)
                how = last_words or f"ended with {_named_exit(process.exitcode)}"
                self.losses.append(f"a process that helped {how}; the others did its work")

    def stop(self) -> None:
        """End the processes that still run."""
        for process, _ in self.running:
            process.terminate()
        for process, _ in self.running:
            process.join(_FAREWELL_S)
            process.kill()  # A process that is stopped, as by Ctrl-Z or a debugger, ends only so.
            process.join()


def _named_exit(code: int) -> str:
    return f"exit code {code}" if code > 0 else f"signal {-code} ({signal.Signals(-code).name})"


def _last_words(messages: multiprocessing.connection.Connection) -> str:
    with suppress(EOFError, OSError):
        if messages.poll():
            return f"failed ({messages.recv_bytes().decode()})"
    return ""


@contextmanager
def helpers(count: int, work: Callable[..., object], arguments: Callable[[int], tuple[Any, ...]]) -> Iterator[Helpers]:
    """``count`` processes that run ``work`` with the ``arguments`` of their number (from 1), while the block runs."""

    def start(its: multiprocessing.connection.Connection, number: int) -> BaseProcess:
        return pool.start(_help, (its, work, arguments(number)), work, are_several=count > 1)

    with _running(count, start) as crew:
        yield crew


@contextmanager
def copies(count: int, work: Callable[[], object]) -> Iterator[Helpers]:
    """``count`` copies of this process that run ``work`` with all that is loaded here, while the block runs."""
    with (
        pool.sharing() if count else nullcontext(),
        _running(count, lambda its, _: pool.copied(_help, (its, work, ()))) as crew,
    ):
        yield crew


@contextmanager
def _running(
    count: int, start: Callable[[multiprocessing.connection.Connection, int], BaseProcess]
) -> Iterator[Helpers]:
    crew = Helpers()
    try:
        for number in range(1, count + 1):
            ours, its = multiprocessing.Pipe(duplex=False)
            try:
                crew.running.append((start(its, number), ours))
            except OSError as error:  # The system has too little memory, or allows no more processes.
                ours.close()
                crew.losses.append(
                    f"a process that helps could not be started ({error.strerror or error}); the others did its work"
                )
                break
            finally:
                its.close()
        yield crew
        crew.look()
    finally:
        crew.stop()


def _help(messages: multiprocessing.connection.Connection, work: Callable[..., object], args: tuple[Any, ...]) -> None:
    # An interrupt reaches all processes. This one ignores it, because the first process ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        work(*args)
    except (TriforceError, OSError) as error:
        messages.send_bytes(" ".join(str(error).split()).encode())
        raise SystemExit(2) from None


@contextmanager
def helpers_on_ray(
    address: str, count: int, device: str, work: Callable[..., object], arguments: Callable[[int], tuple[Any, ...]]
) -> Iterator[Helpers]:
    """Do the same as ``helpers`` on the Ray cluster at ``address``; each process gets a core, or a GPU of its own.

    The project must be installed on all machines, and all must see the same paths. The file system must have locks.

    Raises:
        TriforceError: Ray is not installed or the cluster cannot be reached.
    """
    ray = pool.connect_ray(address)
    needs = {"num_gpus": 1} if device == "cuda" else {"num_cpus": 1}
    # Actors and not tasks: an actor can be killed at any moment, while Ray ends this whole program where a task that is
    # being cancelled finishes at the same moment (github.com/ray-project/ray/pull/54738; 2.60 still does it).
    actor: Any = ray.remote(max_restarts=0, max_task_retries=0, **needs)(_HelperOnRay)
    actors: list[Any] = []
    tasks: list[Any] = []
    crew = Helpers()
    try:
        for number in range(1, count + 1):
            actors.append(actor.remote())
            tasks.append(actors[-1].help.remote(str(Path.cwd()), work, arguments(number)))
        yield crew
        ended, _ = ray.wait(tasks, num_returns=len(tasks), timeout=_FAREWELL_S) if tasks else ([], [])
        for task in ended:
            ending = _said_on_ray(ray, task)
            if ending:
                crew.losses.append(f"a process on the cluster that helped {ending}; the others did its work")
    finally:
        for helper in actors:
            ray.kill(helper)


class _HelperOnRay:
    """A process of the cluster."""

    def help(self, folder: str, work: Callable[..., object], args: tuple[Any, ...]) -> str:
        """The fault that ended the work, or nothing; ``folder`` is the one to which relative paths belong."""
        import torch

        torch.set_num_threads(1)
        try:
            os.chdir(folder)
            work(*args)
        except (TriforceError, OSError) as error:
            return " ".join(str(error).split())
        return ""


def _said_on_ray(ray: Any, task: object) -> str:
    """How a process of the cluster ended; nothing if it did its work."""
    try:
        fault = ray.get(task)
    except ray.exceptions.RayError as error:
        is_lost = isinstance(error, ray.exceptions.RayActorError)
        if is_lost and not getattr(error, "actor_init_failed", False):
            return "was killed"
        fault = str(error).strip().splitlines()[-1].strip()
    return f"failed ({fault})" if fault else ""


def helping(
    processes: int, ray: str | None, jobs: int, device: str, work_here: Callable[[], object],
    work: Callable[..., object], arguments: Callable[[str], tuple[Any, ...]],
) -> AbstractContextManager[Helpers]:  # fmt: skip
    """The processes that work beside this one while a block runs.

    Args:
        processes: how many the user wants in all; 0: as many as are useful.
        ray: the address of the Ray cluster on which they run; None: they run on this machine.
        jobs: the number of jobs.
        device: the device of this process, such as cuda:0.
        work_here: does the work with what is loaded in this process; the copies of this process run it.
        work: does the work in a process that has nothing loaded, where copies are impossible (``pool.can_copy``).
        arguments: gives the arguments of ``work``, for the name of a device.

    Raises:
        TriforceError: Ray is not installed or the cluster cannot be reached.
    """
    kind = device.partition(":")[0]
    count = helpers_for(processes, jobs, kind, ray)
    if ray is None and pool.can_copy(device):
        return copies(count, work_here)
    if ray is None:
        return helpers(count, work, lambda helper: arguments(device_of(helper, device)))
    return helpers_on_ray(ray, count, kind, work, lambda helper: arguments(kind))


# --- how many, and who starts them ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Place:
    """The place of this process among those of a launcher; alone, it is the only one."""

    rank: int = 0
    count: int = 1
    device: str = ""  # the device that the launcher gave to this process; empty if it gave none

    @property
    def is_main(self) -> bool:
        """Whether this process reads the input, plans the work, and writes the final result."""
        return self.rank == 0

    def meet(self) -> None:
        """Wait until all processes of the launcher have come here.

        Raises:
            TriforceError: one of the processes has ended.
        """
        if self.count == 1:
            return
        try:
            _state().wait_for_everyone()
        except RuntimeError as error:
            raise TriforceError("another process of this launch has ended; its own message says why") from error

    def leave(self) -> None:
        """Say that this process has nothing more to do with the others."""
        if self.count > 1:
            _state().destroy_process_group()


def launched(device: str, processes: int, ray: str | None = None) -> Place:
    """The place that ``accelerate launch`` gave to this process.

    Args:
        device: the device that the user named: cpu, cuda or auto.
        processes: the number of processes that the user gave; 0: none was given.
        ray: the address of a Ray cluster that the user gave.

    Raises:
        ConfigError: the user gives a number of processes or a cluster, but a launcher decides it.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return Place()
    if ray is not None:
        raise ConfigError(f"--ray {ray}: a launcher has started the processes; leave the option or the launcher out")
    if processes:
        raise ConfigError(
            f"--processes {processes}: a launcher has started {os.environ['WORLD_SIZE']} processes; leave the option out"
        )
    import torch

    state = _state(cpu=device == "cpu" or not torch.cuda.is_available())  # The library must be told if there is no GPU.
    return Place(state.process_index, state.num_processes, str(state.device))


def _state(**options: Any) -> Any:
    from accelerate import PartialState  # This import stands here, because only a launched process needs it.

    return PartialState(**options)


def helpers_for(processes: int, jobs: int, device: str, ray: str | None = None) -> int:
    """How many processes to start beside this one.

    Args:
        processes: the number that the user wants in all; 0: one for each GPU, or for each core of a CPU.
        jobs: the number of jobs.
        device: the kind of device of this process, cpu or cuda.
        ray: the address of the Ray cluster whose GPUs and cores count; None: those of this machine count.

    Raises:
        TriforceError: Ray is not installed or the cluster cannot be reached.
    """
    if processes:
        return max(0, min(processes, jobs) - 1)
    if ray is not None:
        count = int(pool.connect_ray(ray).cluster_resources().get("GPU" if device == "cuda" else "CPU", 0))
    elif device == "cuda":
        import torch

        count = torch.cuda.device_count()
    else:
        count = useful_cores()
    return max(0, min(count, jobs // _JOBS_A_PROCESS) - 1)


def useful_cores() -> int:
    """The number of processor cores that one command takes when the user names no number."""
    return min(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1, _MOST_PROCESSES)


def device_of(helper: int, device: str) -> str:
    """The device of a helper: GPUs are given out in turn, a CPU is shared; ``device`` is that of the first process."""
    if device.partition(":")[0] != "cuda":
        return device
    import torch

    return f"cuda:{helper % torch.cuda.device_count()}"
