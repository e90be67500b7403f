"""Build the native operators beside the package: ``make ext``.

One call of the compiler makes one library, which torch loads; nothing of Python is linked. The library is for this
machine's processor and this version of torch alone.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import torch

from triforce_tts import native

SOURCES = [Path(__file__).parent / name for name in ("decode.cpp", "switched_conv.cpp")]
COMPILERS = ("c++", "g++", "clang++")


def compiler() -> str | None:
    """The C++ compiler: ``$CXX``, or the first of the usual names that is found."""
    return next(
        (path for name in (os.environ.get("CXX", ""), *COMPILERS) if name and (path := shutil.which(name))), None
    )


def command(cxx: str, target: Path) -> list[str]:
    """What compiles the library to ``target``."""
    torch_folder = Path(torch.__path__[0])
    capability = torch.backends.cpu.get_cpu_capability()
    vectors = [f"-DCPU_CAPABILITY={capability}", f"-DCPU_CAPABILITY_{capability}"] if "AVX" in capability else []
    abi = int(torch.compiled_with_cxx11_abi())
    return [
        cxx, "-std=c++17", "-O3", "-fno-math-errno", "-march=native", "-fopenmp", "-shared", "-fPIC", "-w",
        f"-D_GLIBCXX_USE_CXX11_ABI={abi}", *vectors, f"-I{torch_folder / 'include'}", *map(str, SOURCES),
        "-o", str(target), f"-L{torch_folder / 'lib'}", "-ltorch_cpu", "-lc10",
    ]  # fmt: skip


def main() -> int:
    """Build, and say what was built; 2 if it cannot be."""
    cxx = compiler()
    if sys.platform == "win32" or cxx is None:
        print(
            "no C++ compiler was found (Linux and macOS: install g++ or clang++, or set CXX); speech is made by the"
            " slower PyTorch operators",
            file=sys.stderr,
        )
        return 2
    target = native.LIBRARY.with_name(f"{native.LIBRARY.name}.part")
    done = subprocess.run(command(cxx, target), capture_output=True, text=True)
    if done.returncode:
        target.unlink(missing_ok=True)
        print(f"{cxx} could not build the native operators:\n{done.stderr[-2000:]}", file=sys.stderr)
        return 2
    native.STAMP.unlink(missing_ok=True)
    target.replace(native.LIBRARY)
    native.STAMP.write_text(f"{native.BUILD}\n", encoding="utf-8")
    print(f"{native.LIBRARY.name}: {native.LIBRARY.stat().st_size / 1e6:.1f} MB, {native.BUILD}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
