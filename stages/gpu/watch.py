"""How busy a GPU is and how much of its memory is used, as ``nvidia-smi`` reports twice a second."""

import shutil
import subprocess
import threading
import time
from dataclasses import dataclass
from types import TracebackType

NOT_MEASURED = "not measured"  # the text for a figure if nvidia-smi is missing or reports nothing
_QUERY = ("--query-gpu=utilization.gpu,memory.used,name", "--format=csv,noheader,nounits", "-i", "0", "-lms", "500")


@dataclass(frozen=True)
class Reading:
    """One reading of ``nvidia-smi``."""

    time: float  # the time by ``time.monotonic()``
    busy: float  # percent
    memory_mib: float  # the memory of all processes on the GPU


@dataclass(frozen=True)
class Use:
    """The use of a GPU over a while."""

    busy: float  # the mean, in percent
    memory_gb: float  # the largest value


class Watch:
    """Reads the state of the first GPU while the block runs; without ``nvidia-smi`` it has no readings."""

    def __init__(self, program: str = "nvidia-smi") -> None:
        self.program = shutil.which(program)
        self.device = ""  # name of the GPU
        self.readings: list[Reading] = []
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> "Watch":
        if self.program is not None:
            self._process = subprocess.Popen(
                [self.program, *_QUERY], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
            )
            self._thread = threading.Thread(target=self._read, daemon=True)
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            self._thread.join()
            assert self._process.stdout is not None
            self._process.stdout.close()

    def _read(self) -> None:
        assert self._process is not None and self._process.stdout is not None
        for line in self._process.stdout:
            busy, _, rest = line.partition(",")
            memory, _, name = rest.partition(",")
            try:
                self.readings.append(Reading(time.monotonic(), float(busy), float(memory)))
            except ValueError:  # The value is "[N/A]" or a driver error, so there is no reading for this time.
                continue
            self.device = name.strip()

    def use(self, since: float, until: float) -> Use | None:
        """The use between two times of ``time.monotonic()``; None if nothing was read."""
        readings = [reading for reading in self.readings if since <= reading.time <= until]
        if not readings:
            return None
        busy = sum(reading.busy for reading in readings) / len(readings)
        return Use(round(busy, 1), round(max(reading.memory_mib for reading in readings) * 2**20 / 1e9, 2))
