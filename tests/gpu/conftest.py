"""Tests of the GPU: ``pytest -m gpu tests/gpu``. They need no more than what training on a rented machine needs."""

from collections.abc import Iterator

import pytest
import torch


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Show the warnings of tests that need a GPU instead of failing at them: its libraries warn of what no CPU meets."""
    for item in items:
        if item.get_closest_marker("gpu"):
            item.add_marker(pytest.mark.filterwarnings("default"))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip tests that are marked ``gpu`` where there is none."""
    if item.get_closest_marker("gpu") and not torch.cuda.is_available():
        pytest.skip("needs a CUDA device")


@pytest.fixture
def exact() -> Iterator[None]:
    """Convolutions and products in whole float32: cuDNN would round their inputs to TF32, which has 10 bits."""
    with torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=False, allow_tf32=False):
        yield
