"""Counting how often the host waits for the device."""

from typing import Any

from torch.overrides import TorchFunctionMode


class Waits(TorchFunctionMode):
    """Counts the calls that make the host wait for the device: on an accelerator each of them empties its queue."""

    CALLS = frozenset(
        {"item", "tolist", "numpy", "cpu", "nonzero", "__bool__", "__int__", "__float__", "__index__", "__contains__"}
    )

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.count += getattr(func, "__name__", "") in self.CALLS
        return func(*args, **(kwargs or {}))
