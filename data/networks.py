"""Networks that lie as ONNX files in installed packages: found, checked, and run on one thread."""

import hashlib
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from triforce_tts.errors import TriforceError


@lru_cache(maxsize=8)
def session(package: str, file: str, sha256: str) -> Any:
    """An onnxruntime session of ``file`` in the folder of ``package``, loaded once in a process; one thread, CPU.

    The package itself is not imported: some have effects on import, or need what they do not declare.

    Raises:
        TriforceError: the package is missing, or its file is another one than the results here were measured with.
    """
    origin = find_spec(package)
    if origin is None or origin.origin is None:
        raise TriforceError(f"the package {package} is missing: pip install 'triforce-tts[data]'")
    path = Path(origin.origin).parent / file
    content = path.read_bytes() if path.is_file() else b""
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise TriforceError(
            f"{path}: expected the SHA-256 {sha256[:12]}..., found {found[:12] if content else 'no file'}; "
            "install the version that pyproject.toml names: pip install 'triforce-tts[data]'"
        )
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
