"""Fixtures that several tests share."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder of hardly trained tiny networks; read it, do not write to it."""
    from tests.corpus import tiny_model

    return tiny_model(tmp_path_factory.mktemp("tiny"))
