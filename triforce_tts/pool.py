"""Runs jobs in processes of this machine or on a Ray cluster; a process that is killed costs only the job that it runs.

The jobs are independent. Each writes its output to disk and returns only a short account, so a job may run twice.
"""

import multiprocessing
import multiprocessing.connection
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import forkserver
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from typing import Any, TypeVar

from triforce_tts.errors import TriforceError

JobT = TypeVar("JobT")
ResultT = TypeVar("ResultT")


def run(work: Callable[[JobT], ResultT], jobs: Sequence[JobT], workers: int) -> Iterator[tuple[JobT, ResultT | None]]:
    """Each job with its result, in the order in which they finish. One worker runs here, several run elsewhere.

    When a worker dies (it is killed, or has too little memory), the other workers die with it. The jobs that were
    running are tried again, one at a time. If the worker of a job dies again then, the result of the job is None.
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
    left = list(jobs)
    while left:
        suspects: list[JobT] = []
        yield from _until_broken(work, left, workers, suspects)
        for job in suspects:
            alone: list[JobT] = []
            yield from _until_broken(work, [job], 1, alone)
            yield from ((guilty, None) for guilty in alone)


def _until_broken(
    work: Callable[[JobT], ResultT], left: list[JobT], workers: int, in_hand: list[JobT]
) -> Iterator[tuple[JobT, ResultT]]:
    """Run the jobs in ``left`` and remove them from it.

    When a worker dies, stop and add the running jobs to ``in_hand``.
    """
    context = _context(work)
    running: dict[Future[ResultT], JobT] = {}
    others = set(multiprocessing.active_children())
    with ProcessPoolExecutor(workers, context, _start_worker, (dict(os.environ),)) as pool:
        try:
            while left or running:
                while left and len(running) < workers:
                    running[pool.submit(work, left[0])] = left[0]
                    left.pop(0)
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    result = future.result()
                    yield running.pop(future), result
        except BrokenProcessPool:
            in_hand += running.values()
        except BaseException:
            # The user interrupted the program, or a job failed. The pool would wait for the running jobs, perhaps for
            # hours.
            for worker in set(multiprocessing.active_children()) - others:
                worker.terminate()
            raise


def _context(work: Callable[..., Any]) -> BaseContext:
    """How workers start: as forks of a server process.

    The server has imported the modules of ``work``, because imports take seconds. It is a separate process, because the
    threads of torch do not survive a fork. On macOS the threads of system libraries do not survive it either, so each
    worker is a new process there.
    """
    if sys.platform != "linux":
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    module = getattr(work, "func", work).__module__  # the function inside a partial function
    context.set_forkserver_preload([__name__, "torch", *([module] if module != "__main__" else [])])
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


def start(work: Callable[..., object], args: tuple[object, ...], imported: Callable[..., object]) -> BaseProcess:
    """A process of one thread that runs ``work`` once, and ends with this process, however this process ends.

    ``imported`` is a function whose module the process needs.
    """
    context: Any = _context(imported)
    process: BaseProcess = context.Process(target=_run_once, args=(dict(os.environ), work, args), daemon=True)
    process.start()
    return process


def _run_once(environment: dict[str, str], work: Callable[..., object], args: tuple[object, ...]) -> None:
    _start_worker(environment)
    work(*args)


def _start_worker(environment: dict[str, str]) -> None:
    import torch

    # The process has the environment of the server, which may have started before the parent changed its environment.
    os.environ.clear()
    os.environ.update(environment)
    torch.set_num_threads(1)
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
) -> Iterator[tuple[JobT, ResultT | None]]:
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
