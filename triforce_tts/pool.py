"""Work spread over processes of this machine, or over a Ray cluster; whoever is killed costs one piece of work.

Jobs are independent and what they make is on disk: a result is only a word about it. So an engine may run a job twice.
"""

import multiprocessing
import multiprocessing.connection
import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.context import BaseContext
from typing import Any, TypeVar

from triforce_tts.errors import TriforceError

JobT = TypeVar("JobT")
ResultT = TypeVar("ResultT")


def run(work: Callable[[JobT], ResultT], jobs: Sequence[JobT], workers: int) -> Iterator[tuple[JobT, ResultT | None]]:
    """Each job with its result, as they are done; one worker works here, more are processes.

    A worker that dies (killed, or out of memory) takes those beside it along. What was in hand is tried again, one job
    at a time; the job whose worker dies a second time, alone, is given back without a result.
    """
    if workers <= 1:
        import torch  # here and below, because it takes seconds, for which --help must not wait

        threads = torch.get_num_threads()
        torch.set_num_threads(1)  # as in the workers, so that sums are formed in the same order
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
    """Work through ``left``, which is emptied; when a worker dies, what was ``in_hand`` is put there and it stops."""
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
            # Interrupted, or a job failed: the pool would wait for what is in hand, which may take hours.
            for worker in set(multiprocessing.active_children()) - others:
                worker.terminate()
            raise


def _context(work: Callable[..., Any]) -> BaseContext:
    """How workers start: forked from a server that has imported what ``work`` needs, for imports take seconds.

    The server is a process of its own, because torch's threads do not survive a fork. On macOS the threads of system
    libraries do not either, so that each worker is a fresh process there.
    """
    if sys.platform != "linux":
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    module = getattr(work, "func", work).__module__  # of a partial function too
    context.set_forkserver_preload([__name__, "torch", *([module] if module != "__main__" else [])])
    return context


def _start_worker(environment: dict[str, str]) -> None:
    import torch

    os.environ.clear()  # the server's: it may have started before this process changed its own
    os.environ.update(environment)
    torch.set_num_threads(1)
    parent = multiprocessing.parent_process()
    assert parent is not None
    sentinel = parent.sentinel

    def follow() -> None:
        # A pool's workers outlive a parent that was killed, and wait for jobs for ever.
        multiprocessing.connection.wait([sentinel])
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()


def run_on_ray(
    work: Callable[[JobT], ResultT], jobs: Sequence[JobT], address: str
) -> Iterator[tuple[JobT, ResultT | None]]:
    """As ``run``, on the Ray cluster at ``address`` ("auto": the one that this machine is part of).

    All machines need the project installed, and the same paths for sources and output. Ray tries a job again three
    times when its worker or machine is lost.

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
                f"{address}: no Ray cluster there ({error}); start one with 'ray start --head'"
            ) from error
    remote: Any = ray.remote(num_cpus=1, max_retries=3)(_alone_on_its_core)
    running = {remote.remote(work, job): job for job in jobs}
    while running:
        done, _ = ray.wait(list(running), num_returns=1)
        job = running.pop(done[0])
        try:
            yield job, ray.get(done[0])
        except ray.exceptions.WorkerCrashedError:
            yield job, None


def _alone_on_its_core(work: Callable[[JobT], ResultT], job: JobT) -> ResultT:
    import torch

    torch.set_num_threads(1)
    return work(job)
