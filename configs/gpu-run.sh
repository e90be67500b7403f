#!/usr/bin/env bash
# Train from a pack on a machine with a GPU and without a network; `make gpu-run` calls this. PACK= and OUT= are folders,
# MINUTES= count from the start of this script, PYTHON= is the interpreter that has torch.
# Where that interpreter lacks the project, a new environment gets the project and the pack's wheels, and the machine's own
# packages through a .pth file: an environment inside an environment would not see them otherwise.
set -euo pipefail
began="$(date +%s.%N)"
: "${PACK:?folder that gpu-pack made}" "${OUT:?folder for the results}"
PYTHON="${PYTHON:-python3}" MINUTES="${MINUTES:-9}" STAGES="${STAGES:-dvae codes diffusion gpt}" SET="${SET:-}"
[ -f "$PACK/pack.json" ] || {
  echo "$PACK: no pack here; make one with 'make gpu-pack'" >&2
  exit 2
}
python="$(command -v "$PYTHON")" || {
  echo "PYTHON=$PYTHON: there is no such program" >&2
  exit 2
}
case "$python" in /*) ;; *) python="$PWD/$python" ;; esac

if ! (cd / && "$python" -c 'from triforce_tts.stages import __file__' 2> /dev/null); then
  home="$(mktemp -d)"
  trap 'rm -rf "$home"' EXIT
  "$python" -m venv --without-pip "$home/env"
  "$python" - "$("$home/env/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')" <<'END'
import sys
from pathlib import Path

folders = [folder for folder in sys.path if Path(folder).name in ("site-packages", "dist-packages")]
lines = [f"import site; site.addsitedir({folder!r})" for folder in folders]
(Path(sys.argv[1]) / "zz_machine.pth").write_text("\n".join(lines) + "\n")
END
  install() {
    "$python" -m pip --python "$home/env/bin/python" install --no-index --no-deps --root-user-action=ignore "$@" \
      > "$home/log" 2>&1 || {
      cat "$home/log" >&2
      exit 2
    }
  }
  wheels=("$PACK"/wheels/*.whl)
  if [ -f "${wheels[0]}" ]; then install "${wheels[@]}"; fi
  install --no-build-isolation --editable .
  python="$home/env/bin/python"
fi

words=(--pack "$PACK" --out "$OUT" --minutes "$MINUTES" --stages "$STAGES" --began "$began")
[ -z "${WORK:-}" ] || words+=(--work "$WORK")
[ "${CHECKS:-1}" = 1 ] || words+=(--no-checks)
for setting in $SET; do words+=(--set "$setting"); done
"$python" -m triforce_tts.cli.app gpu-run "${words[@]}"
