"""Networks in files of installed packages: each is found, checked by its SHA-256, and run on one thread."""

import importlib.util
from functools import lru_cache
from pathlib import Path
from typing import Any

from triforce_tts.errors import TriforceError
from triforce_tts.files import file_sha256

INSTALL = "pip install 'triforce-tts[data]'"


def absent(*packages: str) -> list[str]:
    """The ``packages`` that are not installed."""
    return [name for name in packages if importlib.util.find_spec(name) is None]


def packaged_path(package: str, file: str, sha256: str, install: str = INSTALL) -> Path:
    """The path of ``file`` in the folder of ``package``.

    The package itself is not imported: some have effects on import, or need what they do not declare.

    Raises:
        TriforceError: the package is missing (``install`` is the command that mends it), or its file is another one
            than the results here were measured with.
    """
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise TriforceError(f"the package {package} is missing; install it with: {install}")
    path = Path(spec.origin).parent / file
    digest = file_sha256(path) if path.is_file() else "no file"
    if digest != sha256:
        raise TriforceError(
            f"{path}: expected the SHA-256 {sha256[:12]}..., found {digest[:12]}; "
            f"install the version that pyproject.toml names: {install}"
        )
    return path


def packaged_file(package: str, file: str, sha256: str, install: str = INSTALL) -> bytes:
    """The content of ``file`` in the folder of ``package``.

    Raises:
        TriforceError: as ``packaged_path``.
    """
    return packaged_path(package, file, sha256, install).read_bytes()


@lru_cache(maxsize=8)
def session(package: str, file: str, sha256: str) -> Any:
    """An onnxruntime session of a ``packaged_file``, loaded once in a process; one thread, CPU.

    Raises:
        TriforceError: as ``packaged_file``.
    """
    content = packaged_file(package, file, sha256)
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
