"""Runs jobs in processes of this machine or on a Ray cluster; a process that is killed costs only the job that it runs.

The jobs are independent. Each writes its output to disk and returns only a short account, so a job may run twice.
"""

import ctypes
import gc
import multiprocessing
import multiprocessing.connection
import os
import signal
import sys
import threading
import traceback
import warnings
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing import forkserver
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from typing import Any, TypeVar

from triforce_tts.errors import TriforceError
from triforce_tts.locks import close_locks

JobT = TypeVar("JobT")
ResultT = TypeVar("ResultT")


def run(
    work: Callable[[JobT], ResultT], jobs: Sequence[JobT], workers: int
) -> Generator[tuple[JobT, ResultT | None], None, None]:
    """Each job with its result, in the order in which they finish. One worker runs here, several run elsewhere.

    When a worker dies (it is killed, or has too little memory), another takes its place. The jobs of dead workers are
    tried again after all others, one at a time. If the worker of a job dies again then, the result of the job is None.
    """
    if workers <= 1:
        # This import and those below stand here, because they take seconds, and --help must not wait for that.
        import torch

        threads = torch.get_num_threads()
        torch.set_num_threads(1)  # workers have one thread too, so sums are computed in the same order
        try:
            for job in jobs:
                yield job, work(job)
        finally:
            torch.set_num_threads(threads)
        return
    deadly: list[JobT] = []
    yield from _shared_out(work, jobs, workers, deadly)
    for job in deadly:
        again: list[JobT] = []
        yield from _shared_out(work, [job], 1, again)
        yield from ((guilty, None) for guilty in again)


def _shared_out(
    work: Callable[[JobT], ResultT], jobs: Sequence[JobT], workers: int, deadly: list[JobT]
) -> Iterator[tuple[JobT, ResultT]]:
    """Give each job to the next worker that is free; the jobs whose workers died are added to ``deadly``.

    Each worker has a pipe of its own. Workers with a common queue, as those of ``ProcessPoolExecutor``, share a lock,
    and one that is killed while it holds the lock stops the others.
    """
    left = list(reversed(jobs))
    running: dict[multiprocessing.connection.Connection, tuple[BaseProcess, JobT]] = {}
    try:
        while left or running:
            while left and len(running) < workers:
                job = left.pop()
                try:
                    ours, process = _new_worker(work)
                except (ConnectionError, EOFError):  # The worker was killed before it had all that it needs to start.
                    deadly.append(job)
                    continue
                running[ours] = process, job
                _give(ours, job)
            ready: list[Any] = multiprocessing.connection.wait(list(running))
            for ours in ready:
                process, job = running[ours]
                answer = _answer(ours)
                if answer is None or not left:
                    del running[ours]
                    ours.close()  # A worker whose pipe is closed ends.
                    process.join()
                else:
                    following = left.pop()
                    running[ours] = process, following
                    _give(ours, following)
                if answer is None:
                    deadly.append(job)
                    continue
                result, error, where = answer
                if error is not None:
                    raise error from RuntimeError(f"in a worker:\n{where}")
                yield job, result
    finally:
        # Workers still run only if the user interrupted the program or a job failed. Their jobs may take hours.
        for process, _ in running.values():
            process.terminate()
        for ours, (process, _) in running.items():
            process.join()
            ours.close()


def _new_worker(work: Callable[..., object]) -> tuple[multiprocessing.connection.Connection, BaseProcess]:
    ours, its = multiprocessing.Pipe()
    try:
        return ours, start(_serve, (its, work), work)
    finally:
        its.close()


def _give(ours: multiprocessing.connection.Connection, job: object) -> None:
    """Give a worker its job; if the worker is dead, the question for its answer says so."""
    with suppress(ConnectionError):
        ours.send(job)


def _answer(ours: multiprocessing.connection.Connection) -> tuple[Any, BaseException | None, str] | None:
    """The result of a worker's job, or the error that ended the job with its traceback; None if the worker is dead."""
    try:
        answer: tuple[Any, BaseException | None, str] = ours.recv()
    except (EOFError, OSError):
        return None
    return answer


def _serve(its: multiprocessing.connection.Connection, work: Callable[[Any], object]) -> None:
    """Do the jobs that come through the pipe until its other end is closed."""
    while True:
        try:
            job = its.recv()
        except EOFError:
            return
        answer: tuple[object, BaseException | None, str]
        try:
            answer = work(job), None, ""
        except BaseException as error:
            answer = None, error, traceback.format_exc()
        its.send(answer)


def _context(work: Callable[..., Any], are_several: bool) -> BaseContext:
    """How workers start: as forks of a server process.

    If there are several, the server has imported the modules of ``work``, because imports take seconds. A single worker
    imports them as fast by itself, and the server then takes less memory. It is a separate process, because the threads
    of torch do not survive a fork. On macOS the threads of system libraries do not survive it either, so each worker is
    a new process there.
    """
    if sys.platform != "linux":
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    module = getattr(work, "func", work).__module__  # the function inside a partial function
    modules = [__name__, "torch", *([module] if module != "__main__" else [])]
    context.set_forkserver_preload(modules if are_several else [])
    _start_server()
    return context


def _start_server() -> None:
    """Start the server, if it does not run yet, as a process that Ctrl-C does not reach: it ends with this process.

    Python's own server ignores Ctrl-C only when its imports are done, and until then it would print where it was.
    """
    # Only the main thread may change the handler of a signal.
    if threading.current_thread() is not threading.main_thread():
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # New processes start with this handler.
    try:
        forkserver.ensure_running()
    finally:
        signal.signal(signal.SIGINT, before)


def start(
    work: Callable[..., object], args: tuple[object, ...], imported: Callable[..., object], are_several: bool = True
) -> BaseProcess:
    """A process of one thread that runs ``work`` once, and ends with this process, however this process ends.

    Args:
        work: the function.
        args: its arguments.
        imported: a function whose module the process needs.
        are_several: whether this is one of several processes that need that module.
    """
    context: Any = _context(imported, are_several)
    process: BaseProcess = context.Process(target=_run_once, args=(dict(os.environ), work, args), daemon=True)
    process.start()
    return process


def _run_once(environment: dict[str, str], work: Callable[..., object], args: tuple[object, ...]) -> None:
    _start_worker(environment)
    work(*args)


def return_memory() -> None:
    """Give memory that is free to the system, where the C library is glibc.

    Tensors of ever other sizes leave gaps in the memory of a process, which glibc keeps: a process that speaks a book
    had up to a tenth more of it. Other C libraries return memory by themselves.
    """
    with suppress(AttributeError):  # The library has no function of this name.
        ctypes.CDLL(None).malloc_trim(0)


def can_copy(device: str) -> bool:
    """Whether ``copied`` can start the processes that compute on ``device``.

    A GPU does not survive a fork, neither do the threads of a computation, nor the system libraries of macOS.
    """
    import torch

    return sys.platform == "linux" and device == "cpu" and torch.get_num_threads() == 1


def copied(work: Callable[..., object], args: tuple[object, ...]) -> BaseProcess:
    """Do the same as ``start`` in a copy of this process, which shares the memory of all that is loaded.

    The copy needs no second import of torch and no second model. It has its own memory only for what it writes. Python
    writes into each object that its garbage collector visits; ``sharing`` keeps the collector away.
    """
    context = multiprocessing.get_context("fork")
    process: Any = context.Process(target=_run_copy, args=(work, args), daemon=True)
    signals = {signal.SIGINT, signal.SIGTERM}
    # A signal waits until the copy has its own handlers: with those of this process it would print where it was.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        with warnings.catch_warnings():
            # Python 3.12 warns where there are other threads. Those of the progress and of NumPy's products hold nothing
            # that the copy needs.
            warnings.simplefilter("ignore", DeprecationWarning)
            process.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    started: BaseProcess = process
    return started


@contextmanager
def sharing() -> Iterator[None]:
    """Keep the garbage collector away from all objects that exist, so that copies of this process share them."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _run_copy(work: Callable[..., object], args: tuple[object, ...]) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT, signal.SIGTERM})
    close_locks()
    _end_with_parent()
    work(*args)


def _start_worker(environment: dict[str, str]) -> None:
    import torch

    # The process has the environment of the server, which may have started before the parent changed its environment.
    os.environ.clear()
    os.environ.update(environment)
    torch.set_num_threads(1)
    _end_with_parent()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    sentinel = parent.sentinel

    def follow() -> None:
        # Without this thread, the workers of a parent that is killed would wait for jobs for ever.
        multiprocessing.connection.wait([sentinel])
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()


def run_on_ray(
    work: Callable[[JobT], ResultT], jobs: Sequence[JobT], address: str
) -> Generator[tuple[JobT, ResultT | None], None, None]:
    """Do the same as ``run`` on the Ray cluster at ``address``; "auto" is the cluster of this machine.

    The project must be installed on all machines, and the paths of sources and output must be the same on all. Ray
    tries a job up to three times more if its worker or its machine is lost.

    Raises:
        TriforceError: Ray is not installed or the cluster cannot be reached.
    """
    ray = connect_ray(address)
    remote: Any = ray.remote(num_cpus=1, max_retries=3)(_alone_on_its_core)
    running = {remote.remote(work, job): job for job in jobs}
    while running:
        done, _ = ray.wait(list(running), num_returns=1)
        job = running.pop(done[0])
        try:
            yield job, ray.get(done[0])
        except ray.exceptions.WorkerCrashedError:
            yield job, None


def connect_ray(address: str) -> Any:
    """The package Ray, connected to the cluster at ``address``.

    Raises:
        TriforceError: Ray is not installed or the cluster cannot be reached.
    """
    try:
        import ray  # type: ignore[import-not-found, import-untyped, unused-ignore]
    except ImportError as error:
        raise TriforceError("ray is not installed; pip install 'triforce-tts[ray]'") from error
    if not ray.is_initialized():
        try:
            ray.init(address=address, log_to_driver=False)
        except (ConnectionError, RuntimeError, ValueError) as error:
            raise TriforceError(
                f"{address}: there is no Ray cluster ({error}); start one with 'ray start --head'"
            ) from error
    return ray


def _alone_on_its_core(work: Callable[[JobT], ResultT], job: JobT) -> ResultT:
    import torch

    torch.set_num_threads(1)
    return work(job)
