"""What tests of drawing share."""

from collections.abc import Iterator

import pytest

from triforce_tts import native


@pytest.fixture
def fresh_switch(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The test asks anew whether the library of native operators is there."""
    monkeypatch.delenv(native.SWITCH, raising=False)
    native.available.cache_clear()
    yield
    native.available.cache_clear()
