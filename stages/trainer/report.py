"""The records of a run: progress bar, trackers, metrics.jsonl, previews, and the configuration and environment."""

import json
import math
import platform
import subprocess
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import torch
import yaml
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from triforce_tts.audio.io import Audio
from triforce_tts.files import atomic_path, working_folder, write_json, write_text

from .metrics import open_metrics, validations
from .preview import Preview, draw_gradients, draw_preview
from .progress import Progress as RunProgress
from .settings import RunSettings
from .trackers import open_trackers


class Report:
    """The run folder's ``config.yaml``, ``environment.json``, ``metrics.jsonl`` and ``tensorboard/``, and the bar.

    Only the main process writes anything.
    """

    def __init__(
        self,
        run: Path,
        settings: RunSettings,
        full_config: dict[str, Any],
        stage: str,
        trained_with: dict[str, Any],
        is_main: bool,
    ) -> None:
        self.run, self.settings, self.stage, self.is_main = run, settings, stage, is_main
        self.full_config, self.trained_with = full_config, trained_with
        self.console = Console(stderr=True, quiet=not is_main)
        self._last = (0.0, 0.0)  # seconds of training and of sound at the last figure of speed
        self._is_begun = False  # whether a step was recorded

    def __enter__(self) -> "Report":
        with ExitStack() as stack:  # The stack closes the bar and the trackers if a later one cannot be opened.
            if self.is_main:
                self._open(stack)
            self._stack = stack.pop_all()
        return self

    def _open(self, stack: ExitStack) -> None:
        stack.enter_context(working_folder(self.run, "run"))
        write_text(self.run / "config.yaml", yaml.safe_dump(self.full_config, sort_keys=False))
        write_json(self.run / "environment.json", {**_environment(), **self.trained_with})
        self.trackers = open_trackers(self.settings.trackers, self.run, self.stage, self.full_config)
        for tracker in self.trackers:
            stack.callback(tracker.close)
        self.metrics_file = stack.enter_context(open_metrics(self.run))
        columns = (BarColumn(), TextColumn("{task.fields[numbers]}"), TimeElapsedColumn(), TimeRemainingColumn())
        bar = Progress(TextColumn(self.stage), *columns, console=self.console, refresh_per_second=2)
        self.bar = stack.enter_context(bar)
        self.line = self.bar.add_task("", total=1.0, numbers="")

    def __exit__(self, *exception: object) -> None:
        self._stack.close()

    def say(self, text: str) -> None:
        """Print one line above the bar."""
        self.console.print(text, markup=False, highlight=False, soft_wrap=True)

    def begin(self, progress: RunProgress) -> None:
        """Take the time and the sound from here on for the next figure of speed."""
        self._last = (progress.seconds, progress.audio_seconds)

    def step(
        self,
        progress: RunProgress,
        logged: dict[str, float],
        learning_rate: float,
        wait_share: float,
        samples: Sequence[str] | None,
    ) -> None:
        """Record one training step; the first, the last and every ``log_every``-th are written down."""
        if not self.is_main:
            return
        self.bar.update(self.line, completed=progress.budget_spent(self.settings))
        first, self._is_begun = not self._is_begun, True
        if first or progress.step % self.settings.log_every == 0 or progress.must_stop(self.settings):
            speed = self._speed(progress)
            numbers = f"step {progress.step}  loss {logged['loss']:.4f}  {speed:.0f} audio-s/s"
            self.bar.update(self.line, numbers=numbers)
            values = {**logged, "learning_rate": learning_rate, "data_wait": wait_share, "audio_s_per_s": speed}
            self._write("train", progress, values, {"skipped": progress.skipped, "overflows": progress.overflows})
        if samples is not None:
            self._append({"step": progress.step, "loss_exact": logged["loss"], "samples": list(samples)})

    def validation(self, progress: RunProgress, metrics: dict[str, float]) -> None:
        """Record a validation."""
        if not self.is_main:
            return
        self._write("validation", progress, metrics, {})
        text = "  ".join(f"{name} {value:.4g}" for name, value in metrics.items())
        self.say(f"{self.stage} step {progress.step} validation: {text}")

    def validated(self, step: int) -> dict[str, Any]:
        """The figures of the last validation after ``step`` steps, from ``metrics.jsonl``; empty if there was none.

        Only the main process knows them.
        """
        rows = validations(self.run) if self.is_main else []
        return next((row for row in reversed(rows) if row.get("step") == step), {})

    def preview(self, progress: RunProgress, previews: Sequence[Preview]) -> None:
        """Write pictures and sounds to ``previews/step-XXXXXXXX/`` and to the trackers."""
        if not self.is_main:
            return
        folder = self.run / "previews" / f"step-{progress.step:08d}"
        for preview in previews:
            if preview.pictures:
                self._picture(
                    folder / f"{preview.name}.png", f"preview/{preview.name}", draw_preview(preview), progress
                )
            for name, samples in preview.sounds.items():
                sound = Audio(samples.float().cpu().clamp(-1, 1), preview.sample_rate)
                sound.save(folder / f"{preview.name}-{name}.flac")
                for tracker in self.trackers:
                    title = f"preview/{preview.name}/{name}"
                    tracker.sound(title, sound.samples, sound.sample_rate, progress.step)

    def gradients(self, progress: RunProgress, norms: dict[str, tuple[float, float]]) -> None:
        """Record the gradient flow: norms of gradient and weights of every layer."""
        if not self.is_main:
            return
        self._append({"kind": "gradients", "step": progress.step, "layers": norms})
        self._picture(self.run / "gradients.png", "gradients", draw_gradients(norms), progress)

    def _picture(self, path: Path, title: str, png: bytes, progress: RunProgress) -> None:
        with atomic_path(path) as file:
            file.write_bytes(png)
        for tracker in self.trackers:
            tracker.picture(title, png, progress.step)

    def _speed(self, progress: RunProgress) -> float:
        """The seconds of sound in a second of training since the last record."""
        before = self._last
        self._last = (progress.seconds, progress.audio_seconds)
        took = progress.seconds - before[0]
        return (progress.audio_seconds - before[1]) / took if took > 0 else 0.0

    def _write(self, kind: str, progress: RunProgress, values: dict[str, float], more: dict[str, Any]) -> None:
        self._append({"kind": kind, "step": progress.step, "seconds": round(progress.seconds, 2), **values, **more})
        for tracker in self.trackers:
            tracker.scalars(kind, values, progress.step)

    def _append(self, row: dict[str, Any]) -> None:
        self.metrics_file.write(json.dumps(_finite(row), allow_nan=False) + "\n")
        self.metrics_file.flush()


def _finite(value: Any) -> Any:
    """``value`` with null in place of NaN and infinity, which JSON does not know."""
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _environment() -> dict[str, Any]:
    revision = "unknown"
    with suppress(OSError, subprocess.CalledProcessError):
        revision = subprocess.run(
            ["git", "rev-parse", "HEAD"],
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "torch": torch.__version__,
        "cuda": torch.version.cuda if torch.cuda.is_available() else None,
        "devices": [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())],
        "cpu_threads": torch.get_num_threads(),
        "git_revision": revision,
    }
