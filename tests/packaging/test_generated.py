"""The small files that packages keep of stator.h are what the generator makes of it now."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_generated_files_are_fresh():
    env = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{ROOT / 'build/tools/bin'}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run([sys.executable, "bindings/gen/generate.py", "--check"], cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 stale" in done.stdout
