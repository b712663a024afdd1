"""The Go module as users get it: from a proxy made of files, built in an empty module, vendored too."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """package main

import (
	"context"
	"fmt"

	stator "github.com/statordb/stator/go"
)

func main() {
	db, err := stator.Open(":memory:", nil)
	if err != nil {
		panic(err)
	}
	movies, err := db.Table(context.Background(), "movies", stator.Schema{Partition: "title:S"})
	fmt.Println(movies.Name(), err, db.Close())
}
"""


@pytest.mark.parametrize("vendored", [False, True])
def test_module(tmp_path, vendored):
    subprocess.run(["python3", str(ROOT / "tools/stage.py"), "go"], check=True, capture_output=True)
    env = {
        **os.environ, "PATH": f"{ROOT / 'build/tools/bin'}{os.pathsep}{os.environ['PATH']}",
        "GOPROXY": f"file://{ROOT}/build/stage/goproxy", "GOSUMDB": "off", "GOFLAGS": "-modcacherw",
        "GOPATH": str(tmp_path / "gopath"), "GOMODCACHE": str(tmp_path / "gopath/pkg/mod"),
    }
    user = tmp_path / "user"
    user.mkdir()
    (user / "main.go").write_text(PROGRAM)

    def run(*words):
        done = subprocess.run(words, cwd=user, env=env, capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    run("go", "mod", "init", "user")
    run("go", "get", "github.com/statordb/stator/go@v0.1.0")
    if vendored:
        run("go", "mod", "vendor")
    run("go", "build", "-o", "user", ".")
    assert run("./user") == "movies <nil> <nil>\n"
