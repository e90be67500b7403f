"""The steps of an adaptation that are done: a file in the work folder, from which a killed command goes on.

A step is done for the input that it had: its stamp is a checksum of that input and of the stamps of the steps before
it. If the input changes, such as the minutes of training, this step and those after it are done again.
"""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import Field, JsonValue

from triforce_tts.errors import TriforceError
from triforce_tts.files import write_json
from triforce_tts.schema import Record, read_record

STEPS = "steps.json"
Facts = dict[str, Any]


class _Step(Record):
    stamp: str
    facts: dict[str, JsonValue]


class _Steps(Record):
    steps: dict[str, _Step] = Field(default_factory=dict)


class Journal:
    """The steps of the adaptation in ``folder``; each is done once, in the order in which they are asked for."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / STEPS
        self._known = read_record(self.file, _Steps, TriforceError).steps if self.file.exists() else {}
        self._last = ""

    def is_done(self, name: str) -> bool:
        """Whether the step ``name`` was ever done, for any input."""
        return name in self._known

    def do(self, name: str, inputs: Facts, work: Callable[[], Facts]) -> Facts:
        """The facts of the step ``name``: those of an earlier start, if it was done for the same input, or of ``work``.

        Args:
            name: the name of the step.
            inputs: all of its input that the steps before it do not decide.
            work: does the step; its result must be JSON.
        """
        stamp = hashlib.sha256(json.dumps([self._last, name, inputs], sort_keys=True).encode()).hexdigest()
        self._last = stamp
        earlier = self._known.get(name)
        if earlier is not None and earlier.stamp == stamp:
            return dict(earlier.facts)
        facts = work()
        self._known[name] = _Step(stamp=stamp, facts=facts)
        write_json(self.file, _Steps(steps=self._known).model_dump(mode="json"))
        return facts
