"""Lays out what is released, below build/stage: a Python source tree with the engine inside, and a Go module for a file proxy.

python: the package with core/ and ffi/ in engine/, from which `python -m build --sdist` and pip work without the repository.
wheel: the wheel of it for this machine, as it is released: with libzstd.a linked in, so that it asks for no library.
go: GOPROXY=file://build/stage/goproxy gives the module at one version, with the engine beside the package, so that `go get`,
`go build` and `go mod vendor` work without the repository.
"""

import argparse
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
STAGE = ROOT / "build/stage"
MODULE = "github.com/statordb/stator"
SOURCES = (".c", ".h", ".def", ".map")


def engine_files():
    for folder in ("core", "ffi"):
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in SOURCES:
                yield path


def stage_python():
    out = STAGE / "python"
    shutil.rmtree(out, ignore_errors=True)
    shutil.copytree(ROOT / "python", out, ignore=shutil.ignore_patterns("build", "dist", "__pycache__", "tests", "*.egg-info"))
    for path in (*engine_files(), ROOT / "core/zstd.cmake"):
        target = out / "engine" / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    shutil.copy(ROOT / "LICENSE", out / "LICENSE")
    return out


def stage_wheel():
    out = STAGE / "wheel"
    shutil.rmtree(out, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "pip", "wheel", "--disable-pip-version-check", "-q", "--no-deps", "-w", str(out),
                    "--config-settings=cmake.define.STATOR_ZSTD=static", str(stage_python())], check=True)
    return next(out.glob("*.whl"))


def go_files():
    """What the module holds: the package, and the engine's sources under its own folder, where vendoring keeps them."""
    for path in sorted((ROOT / "go").iterdir()):
        if path.suffix in (".go", ".c", ".h", ".md") and not path.name.endswith("_test.go") and path.name != "stator_hash.h":
            yield f"go/{path.name}", path.read_text()
    yield "go.mod", (ROOT / "go.mod").read_text()
    yield "LICENSE", (ROOT / "LICENSE").read_text()


def stage_go(version):
    import amalgamate

    out = STAGE / "goproxy" / MODULE / "@v"
    shutil.rmtree(STAGE / "goproxy", ignore_errors=True)
    out.mkdir(parents=True)
    source, header = amalgamate.amalgamate()
    files = dict(go_files())
    files["go/stator.c"] = source  # vendoring keeps no folder without Go files: the engine comes as one file
    files["go/stator.h"] = header
    files["go/bridge.h"] = files["go/bridge.h"].replace("../ffi/include/stator.h", "stator.h")
    files["go/call.go"] = "\n".join(line for line in files["go/call.go"].split("\n") if "SRCDIR" not in line)
    with zipfile.ZipFile(out / f"{version}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(f"{MODULE}@{version}/{name}", (2026, 1, 1, 0, 0, 0)), text)
    (out / f"{version}.mod").write_text(files["go.mod"])
    (out / f"{version}.info").write_text(f'{{"Version":"{version}","Time":"2026-01-01T00:00:00Z"}}\n')
    (out / "list").write_text(version + "\n")
    return STAGE / "goproxy"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("python", "wheel", "go"))
    parser.add_argument("--version", default="v0.1.0", help="of the Go module")
    options = parser.parse_args()
    stages = {"python": stage_python, "wheel": stage_wheel, "go": lambda: stage_go(options.version)}
    print(stages[options.what]())
    return 0


if __name__ == "__main__":
    sys.exit(main())
