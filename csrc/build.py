"""Build the native operators beside the package: ``make ext``.

One library is made, which torch loads; nothing of Python is linked. It is for this machine's processor and this version
of torch alone. Where there are a GPU and ``nvcc``, it holds the operators of that GPU too.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import torch

from triforce_tts import native

FOLDER = Path(__file__).parent
SOURCES = [FOLDER / name for name in ("decode.cpp", "switched_conv.cpp")]
KERNELS, BINDING = FOLDER / "switched_conv.cu", FOLDER / "switched_conv_cuda.cpp"
COMPILERS = ("c++", "g++", "clang++")
ARCHITECTURES = ((8, 0), (9, 0))  # The library is compiled for these architectures if the machine has no GPU.


class BuildError(Exception):
    """The library cannot be built; the message says why."""


def compiler() -> str | None:
    """The C++ compiler: ``$CXX``, or the first of the usual names that is found."""
    return next(
        (path for name in (os.environ.get("CXX", ""), *COMPILERS) if name and (path := shutil.which(name))), None
    )


def command(cxx: str, target: Path, cuda: list[str]) -> list[str]:
    """The command that compiles the library to ``target``; the arguments ``cuda`` add the operators of GPUs."""
    torch_folder = Path(torch.__path__[0])
    capability = torch.backends.cpu.get_cpu_capability()
    vectors = [f"-DCPU_CAPABILITY={capability}", f"-DCPU_CAPABILITY_{capability}"] if "AVX" in capability else []
    abi = int(torch.compiled_with_cxx11_abi())
    return [
        cxx, "-std=c++17", "-O3", "-fno-math-errno", "-march=native", "-fopenmp", "-shared", "-fPIC", "-w",
        f"-D_GLIBCXX_USE_CXX11_ABI={abi}", *vectors, f"-I{torch_folder / 'include'}", *map(str, SOURCES), *cuda,
        "-o", str(target), f"-L{torch_folder / 'lib'}", "-ltorch_cpu", "-lc10",
        *(("-ltorch_cuda", "-lc10_cuda", "-lcudart") if cuda else ()),
    ]  # fmt: skip


def cuda_home(wish: str) -> Path | None:
    """The folder of the CUDA compiler that suits this torch; None if GPUs are left out.

    Raises:
        BuildError: the compiler is asked for but missing.
    """
    if wish == "no" or (wish == "auto" and not torch.cuda.is_available()):
        return None
    nvcc = shutil.which("nvcc")
    if nvcc is None:
        fault = "nvcc was not found"
    else:
        found = re.search(r"release (\d+)", subprocess.run([nvcc, "--version"], capture_output=True, text=True).stdout)
        wanted = (torch.version.cuda or "none").split(".")[0]
        if found and found[1] == wanted:
            # The file called nvcc may be a link or a script, so the compiler itself is asked where it lies.
            told = subprocess.run([nvcc, "--dryrun", "-c", str(KERNELS)], capture_output=True, text=True).stderr
            top = re.search(r"^#\$ TOP=(.*)$", told, re.MULTILINE)
            return Path(top[1]).resolve() if top else Path(nvcc).resolve().parent.parent
        fault = f"nvcc is of CUDA {found[1] if found else 'unknown'}, and this torch is of CUDA {wanted}"
    if wish == "yes":
        raise BuildError(f"the operators of GPUs cannot be built: {fault}")
    print(f"the operators of GPUs are left out: {fault}", file=sys.stderr)
    return None


def compiled_kernels(home: Path, target: Path) -> list[str]:
    """Compile the kernels to ``target``; returns the arguments that link them into the library."""
    devices = range(torch.cuda.device_count())
    wanted = {torch.cuda.get_device_capability(device) for device in devices} or set(ARCHITECTURES)
    codes = [f"-gencode=arch=compute_{a}{b},code=sm_{a}{b}" for a, b in sorted(wanted)]
    run([str(home / "bin" / "nvcc"), "-std=c++17", "-O3", "--threads", "0", "-Xcompiler", "-fPIC", *codes, "-c",
         str(KERNELS), "-o", str(target)])  # fmt: skip
    libraries = next((path for path in (home / "lib64", home / "lib") if path.is_dir()), home / "lib64")
    return [str(BINDING), f"-I{home / 'include'}", str(target), f"-L{libraries}"]


def run(words: list[str]) -> None:
    """Run a compiler.

    Raises:
        BuildError: the compiler failed; the message has the end of its output.
    """
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode:
        raise BuildError(f"{words[0]} could not build the native operators:\n{done.stderr[-2000:]}")


def build(cxx: str, wish: str) -> None:
    """Build the library and put it in its place."""
    target = native.LIBRARY.with_name(f"{native.LIBRARY.name}.part")
    home = cuda_home(wish)
    try:
        with tempfile.TemporaryDirectory() as folder:
            run(command(cxx, target, compiled_kernels(home, Path(folder) / "kernels.o") if home else []))
    except BuildError:
        target.unlink(missing_ok=True)
        raise
    native.STAMP.unlink(missing_ok=True)
    target.replace(native.LIBRARY)
    native.STAMP.write_text(f"{native.BUILD}\n", encoding="utf-8")
    devices = "CPU and GPU" if home else "CPU"
    print(f"{native.LIBRARY.name}: {native.LIBRARY.stat().st_size / 1e6:.1f} MB, {devices}, {native.BUILD}")


def main() -> int:
    """Build the library, and print what was built; returns 2 if it cannot be built."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--cuda", choices=("auto", "yes", "no"), default="auto",
        help="operators of GPUs; auto: where there are a GPU and nvcc. Without a GPU they are for the A100 and the H100",
    )  # fmt: skip
    chosen = parser.parse_args()
    cxx = compiler()
    if sys.platform == "win32" or cxx is None:
        print(
            "no C++ compiler was found (Linux and macOS: install g++ or clang++, or set CXX); speech is made by the"
            " slower PyTorch operators",
            file=sys.stderr,
        )
        return 2
    try:
        build(cxx, chosen.cuda)
    except BuildError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
