"""The command line as a person uses it: every command, every format that import reads, every exit code."""

import gzip
import json
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
STATOR = os.environ.get("STATOR_CLI", str(ROOT / "build/asan/bin/stator"))


class CliTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.db = str(self.folder / "shop.stator")

    def run_cli(self, *words, stdin=None, code=0, env=None):
        done = subprocess.run(
            [STATOR, *words], input=stdin, capture_output=True, text=True, env={**os.environ, **(env or {})}, timeout=120
        )
        self.assertEqual(done.returncode, code, f"{words}: {done.stdout}{done.stderr}")
        return done

    def create(self, sort="year:N"):
        words = ["create", self.db, "movies", "--partition", "title:S"]
        self.run_cli(*words, *(["--sort", sort] if sort else []))

    def items(self, *words):
        return [json.loads(line) for line in self.run_cli(*words, "-o", "json").stdout.splitlines()]

    def imported(self, name, content, *options, code=0, sort="year:N"):
        self.create(sort)
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        done = self.run_cli("import", self.db, "movies", str(path), *options, code=code)
        return self.items("scan", self.db, "movies"), done.stderr

    # ---- one item ----

    def test_an_item_is_put_got_and_deleted(self):
        self.create()
        self.run_cli("put", self.db, "movies", '{"title": "Alien", "year": 1979, "crew": ["Weaver"]}')
        self.run_cli("put", self.db, "movies", "-", stdin='{"title": {"S": "Heat"}, "year": {"N": "1995"}}')
        self.assertEqual(self.items("get", self.db, "movies", '{"title": "Heat", "year": 1995}'), [{"title": "Heat", "year": 1995}])
        shown = self.run_cli("get", self.db, "movies", '{"title": "Alien", "year": 1979}', "-o", "table").stdout
        self.assertRegex(shown, r'title +year +crew\nAlien +1979 +\["Weaver"\]\n')
        self.run_cli("delete", self.db, "movies", '{"title": "Alien", "year": 1979}')
        missing = self.run_cli("get", self.db, "movies", '{"title": "Alien", "year": 1979}', code=3)
        self.assertIn("no such item", missing.stderr)

    def test_errors_say_what_and_exit_1(self):
        self.create()
        done = self.run_cli("put", self.db, "movies", '{"title": "Alien"}', code=1)
        self.assertIn("INVALID_ARGUMENT: One or more parameter values were invalid: Missing the key year in the item", done.stderr)
        done = self.run_cli("put", self.db, "movies", '{"title": }', code=1)
        self.assertIn("at byte 10", done.stderr)
        self.assertIn("TABLE_EXISTS", self.run_cli("create", self.db, "movies", "--partition", "x:S", code=1).stderr)
        self.assertIn("TABLE_NOT_FOUND", self.run_cli("scan", self.db, "nothing", code=1).stderr)
        self.assertIn("NOT_FOUND", self.run_cli("tables", self.db + "-not", code=1).stderr)
        (self.folder / "foreign").mkdir()
        (self.folder / "foreign" / "letter.txt").write_text("dear")
        done = self.run_cli("create", str(self.folder / "foreign"), "t12", "--partition", "x:S", code=1)
        self.assertIn("NOT_A_DATABASE", done.stderr)
        self.assertIn("letter.txt", done.stderr)

    def test_wrong_words_exit_2(self):
        for words in ([], ["nonsense"], ["tables"], ["create", "a", "b"], ["create", "a", "b", "--partition", "x:Q"],
                      ["query", "a", "b", "c", "--limit", "0"], ["scan", "a", "b", "-o", "xml"], ["completion", "csh"]):
            if words[:1] == ["query"]:
                self.create()
                words = ["query", self.db, "movies", "c", "--limit", "0"]
            self.run_cli(*words, code=2)

    # ---- many items ----

    def test_queries_take_conditions_limits_and_directions(self):
        lines = "".join(json.dumps({"title": "T", "year": year}) + "\n" for year in range(1990, 2010))
        self.imported("movies.json", lines)
        years = lambda *options: [item["year"] for item in self.items("query", self.db, "movies", "T", *options)]
        self.assertEqual(years("--sort", ">= 2005"), [2005, 2006, 2007, 2008, 2009])
        self.assertEqual(years("--sort", "between 1995 1997"), [1995, 1996, 1997])
        self.assertEqual(years("--sort", "= 1999"), [1999])
        self.assertEqual(years("--sort", "<1992"), [1990, 1991])
        self.assertEqual(years("--limit", "2", "--reverse"), [2009, 2008])
        self.assertIn("begins_with", self.run_cli("query", self.db, "movies", "T", "--sort", "begins_with 19", code=1).stderr)

    def test_begins_with_and_parallel_scans(self):
        lines = "".join(json.dumps({"title": f"T{i % 7}", "name": f"n{i}"}) + "\n" for i in range(300))
        items, _ = self.imported("movies.json", lines, sort="name:S")
        self.assertEqual(len(items), 300)
        self.assertEqual(len(self.items("query", self.db, "movies", "T1", "--sort", "begins_with n1")), 16)
        parallel = self.items("scan", self.db, "movies", "--segments", "4")
        order = lambda item: (item["title"], item["name"])
        self.assertEqual(sorted(parallel, key=order), sorted(items, key=order))
        self.assertEqual(len(self.items("scan", self.db, "movies", "--limit", "11", "--segments", "3")), 11)

    def test_what_export_writes_import_reads(self):
        self.create()
        item = {"title": {"S": "A"}, "year": {"N": "1"}, "b": {"B": "AAE="}, "s": {"NS": ["1", "2.5"]}, "n": {"NULL": True},
                "m": {"M": {"l": {"L": [{"BOOL": False}]}}}}
        self.run_cli("put", self.db, "movies", json.dumps(item))
        exported = self.run_cli("export", self.db, "movies").stdout
        self.assertEqual(json.loads(exported), item)
        self.run_cli("create", self.db, "copy", "--partition", "title:S", "--sort", "year:N")
        self.run_cli("import", self.db, "copy", "-", stdin=exported)
        self.assertEqual(self.run_cli("export", self.db, "copy").stdout, exported)

    # ---- what import reads ----

    EXPECTED = [{"title": "A", "year": 1}, {"title": "B", "year": 2}]

    def check_import(self, name, content, *options):
        items, _ = self.imported(name, content, *options)
        self.assertEqual(sorted(items, key=lambda item: item["year"]), self.EXPECTED)

    def test_json_lines(self):
        self.check_import("m.json", '{"title":"A","year":1}\n\n{"title":"B","year":2}')

    def test_a_json_array(self):
        self.check_import("m.json", '[\n {"title":"A","year":1},\n {"title":"B","year":2}\n]\n')

    def test_a_named_array(self):
        self.check_import("m.json", '{"639-3": [{"title":"A","year":1}, {"title":"B","year":2}]}')

    def test_dynamodb_json(self):
        self.check_import("m.json", '{"title":{"S":"A"},"year":{"N":"1"}}\n{"title":{"S":"B"},"year":{"N":"2"}}\n')

    def test_an_export_in_gzip(self):
        lines = '{"Item":{"title":{"S":"A"},"year":{"N":"1"}}}\n{"Item":{"title":{"S":"B"},"year":{"N":"2"}}}\n'
        self.check_import("m.json.gz", gzip.compress(lines.encode()))

    def test_a_batch_write_body(self):
        put = lambda t, y: {"PutRequest": {"Item": {"title": {"S": t}, "year": {"N": y}}}}
        self.check_import("m.json", json.dumps({"RequestItems": {"movies": [put("A", "1"), put("B", "2")]}}))

    def test_csv(self):
        items, _ = self.imported("m.csv", 'title,year,note\r\n"A, the first",1,"say ""hi"""\r\n7,2,\r\nC,3,007\r\n')
        items.sort(key=lambda item: item["year"])
        self.assertEqual(items, [{"title": "A, the first", "year": 1, "note": 'say "hi"'}, {"title": "7", "year": 2},
                                 {"title": "C", "year": 3, "note": "007"}])

    def test_bad_rows_are_reported_and_the_others_are_in(self):
        lines = '{"title":"A","year":1}\n{"title":"x"}\n{"title": nonsense\n{"title":"B","year":2}\n[1]\n'
        items, said = self.imported("m.json", lines, code=4)
        self.assertEqual(sorted(items, key=lambda item: item["year"]), self.EXPECTED)
        self.assertIn("line 2: One or more parameter values were invalid: Missing the key year", said)
        self.assertIn("line 3: ", said)
        self.assertIn("refused", said)

    def test_strict_stops_at_the_first(self):
        lines = '{"title":"x"}\n' + '{"title":"A","year":1}\n'
        _, said = self.imported("m.json", lines, "--strict", code=4)
        self.assertIn("line 1: ", said)
        self.assertEqual(said.count("line "), 1)

    # ---- requests ----

    ALIEN = '{"title": "Alien", "year": 1979}'

    def test_an_update_changes_an_item_and_returns_what_is_asked(self):
        self.create()
        update = ("update", self.db, "movies", self.ALIEN)
        words = (*update, "SET rating = :r, #n = :n", "--values", '{":r": 8.5, ":n": "x\\"y"}', "--names", '{"#n": "name"}')
        self.assertEqual(self.run_cli(*words).stdout, "")
        self.assertEqual(self.items("get", self.db, "movies", self.ALIEN), [{"name": 'x"y', "rating": 8.5, "title": "Alien", "year": 1979}])
        add = (*update, "ADD rating :one", "--values", '{":one": {"N": "1"}}', "--returns")
        self.assertEqual(self.items(*add, "updated-new"), [{"rating": 9.5}])
        self.assertEqual(self.items(*add, "updated-old"), [{"rating": 9.5}])
        self.assertEqual(self.items(*add, "all-old")[0]["rating"], 10.5)
        self.assertEqual(self.run_cli(*add, "all-new", "-o", "dynamodb-json").stdout,
                         '{"name":{"S":"x\\"y"},"rating":{"N":"12.5"},"title":{"S":"Alien"},"year":{"N":"1979"}}\n')
        self.assertRegex(self.run_cli(*add, "all-new", "-o", "table").stdout, r'title +year +name +rating\nAlien +1979 +x"y +13.5\n')
        key = ("update", self.db, "movies", '{"title": {"S": "Heat"}, "year": {"N": "1995"}}')
        self.assertEqual(self.items(*key, "REMOVE absent", "--returns", "all-old"), [])

    def test_an_update_that_is_refused_changes_nothing(self):
        self.create()
        self.run_cli("put", self.db, "movies", self.ALIEN)
        update = ("update", self.db, "movies", self.ALIEN)
        for words, said in (
            (("SET a = :a", "--values", '{":a": 1}', "--condition", "attribute_exists(gone)"),
             "ConditionalCheckFailedException: The conditional request failed"),
            (("SET a = :a",), "Invalid UpdateExpression: An expression attribute value used in expression is not defined"),
            (("SET a = :a", "--values", '{":a": }'), "at byte"),
            (("SET a = :a", "--values", '{":a": 1}, "ReturnValues": "ALL_OLD"'), "at byte"),
            (("SET #a = title", "--names", "[]"), "INVALID_ARGUMENT"),
            (('SET a = "', ), "Invalid UpdateExpression: Syntax error"),
            (("SET title = title",), "ValidationException"),
        ):
            done = self.run_cli(*update, *words, "--returns", "all-new", code=1)
            self.assertIn(said, done.stderr)
            self.assertEqual(done.stdout, "")
        self.run_cli(*update, "SET a = title", "--returns", "some", code=2)
        self.run_cli(*update, code=2)
        self.assertIn("TABLE_NOT_FOUND", self.run_cli("update", self.db, "nothing", self.ALIEN, "REMOVE a", code=1).stderr)
        self.assertEqual(self.items("scan", self.db, "movies"), [json.loads(self.ALIEN)])

    def test_puts_and_deletes_take_conditions(self):
        self.create()
        new = ("--condition", "attribute_not_exists(#t)", "--names", '{"#t": "title"}')
        self.run_cli("put", self.db, "movies", self.ALIEN, *new)
        done = self.run_cli("put", self.db, "movies", '{"title": "Alien", "year": 1979, "again": true}', *new, code=1)
        self.assertIn("stator: ConditionalCheckFailedException: ", done.stderr)
        old = lambda year: ("--condition", "#y < :y", "--names", '{"#y": "year"}', "--values", json.dumps({":y": year}))
        self.assertIn("ConditionalCheckFailed", self.run_cli("delete", self.db, "movies", self.ALIEN, *old(1979), code=1).stderr)
        self.assertEqual(self.items("scan", self.db, "movies"), [json.loads(self.ALIEN)])
        self.run_cli("delete", self.db, "movies", self.ALIEN, *old(1980), "--durability", "none")
        self.assertEqual(self.items("scan", self.db, "movies"), [])
        for command in ("put", "delete"):
            done = self.run_cli(command, self.db, "movies", self.ALIEN, "--values", '{":a": 1}', code=1)
            self.assertIn("ExpressionAttributeValues can only be specified when using expressions", done.stderr)

    def test_statements_take_parameters_and_print_every_page(self):
        lines = "".join(json.dumps({"title": "T", "year": year, "long": "x" * 100_000}) + "\n" for year in range(30))
        self.imported("movies.json", lines)
        sql = lambda *words: self.items("sql", self.db, *words)
        self.assertEqual([item["year"] for item in sql("SELECT * FROM movies")], list(range(30)))
        self.assertEqual(sql("select title, \"year\" from movies where title = ? and \"year\" = ?", '"T"', "7"), [{"title": "T", "year": 7}])
        insert = "INSERT INTO movies VALUE {'title': ?, 'year': ?, 'm': ?}"
        self.assertEqual(self.run_cli("sql", self.db, insert, "--", '"O\'Hara"', "-1", '{"l": [null, true]}').stdout, "")
        self.assertEqual(sql('SELECT m FROM "movies" WHERE title = ?', '"O\'Hara"'), [{"m": {"l": [None, True]}}])
        shown = self.run_cli("sql", self.db, "SELECT \"year\" FROM movies WHERE title = 'T' AND \"year\" < 2", "-o", "table")
        self.assertRegex(shown.stdout, r"^year\n0 *\n1 *\n$")
        self.assertIn("2 items", shown.stderr)
        self.assertEqual(self.run_cli("sql", self.db, "SELECT m FROM movies WHERE title = 'none'", "-o", "table").stdout, "")

    def test_statements_that_are_refused(self):
        self.create()
        select = "SELECT * FROM movies WHERE title = ?"
        self.assertIn("parameter 1: 'Alien'", self.run_cli("sql", self.db, select, "Alien", code=2).stderr)
        self.assertIn("parameter 2: '1, 2'", self.run_cli("sql", self.db, select, '"a"', "1, 2", code=2).stderr)
        self.assertIn("parameter 1: '1e999': Number overflow", self.run_cli("sql", self.db, select, "1e999", code=2).stderr)
        self.assertIn("parameter 1: ''", self.run_cli("sql", self.db, select, "", code=2).stderr)
        self.assertIn("ValidationException: ", self.run_cli("sql", self.db, select, code=1).stderr)
        self.assertIn("ValidationException: ", self.run_cli("sql", self.db, "SELEC", code=1).stderr)
        self.assertIn("ResourceNotFoundException: ", self.run_cli("sql", self.db, "SELECT * FROM films", code=1).stderr)
        insert = "INSERT INTO movies VALUE {'title': 'A', 'year': 1}"
        self.run_cli("sql", self.db, insert)
        self.assertIn("DuplicateItemException: ", self.run_cli("sql", self.db, insert, code=1).stderr)
        self.run_cli("sql", self.db, code=2)
        self.assertIn("NOT_FOUND", self.run_cli("sql", self.db + "-not", "SELECT * FROM movies", code=1).stderr)

    def test_a_call_answers_with_json_on_one_line(self):
        table = {"TableName": "movies", "BillingMode": "PAY_PER_REQUEST", "KeySchema": [{"AttributeName": "title", "KeyType": "HASH"}],
                 "AttributeDefinitions": [{"AttributeName": "title", "AttributeType": "S"}]}
        call = lambda *words, **more: self.run_cli("call", self.db, *words, **more).stdout
        where = ("--region", "eu-west-1", "--account", "123456789012")
        made = call("CreateTable", "-", *where, stdin=json.dumps(table, indent=2))
        self.assertEqual(made.count("\n"), 1)
        self.assertEqual(json.loads(made)["TableDescription"]["TableArn"], "arn:aws:dynamodb:eu-west-1:123456789012:table/movies")
        item = {"TableName": "movies", "Item": {"title": {"S": "a\nb"}}}
        self.assertEqual(call("DynamoDB_20120810.PutItem", json.dumps(item)), "{}\n")
        got = call("GetItem", '{"TableName": "movies", "Key": {"title": {"S": "a\\nb"}}}')
        self.assertEqual(got.count("\n"), 1)
        self.assertEqual(json.loads(got), {"Item": item["Item"]})
        self.assertEqual(json.loads(call("ListTables", "{}")), {"TableNames": ["movies"]})
        self.assertEqual(self.run_cli("call", ":memory:", "ListTables", "{}").stdout, '{"TableNames":[]}\n')

    def test_a_call_that_is_refused_prints_the_refusal_and_exits_6(self):
        self.create(sort=None)
        call = lambda *words, code=6: self.run_cli("call", self.db, *words, code=code)
        kind = lambda *words: json.loads(call(*words).stdout)["__type"].partition("#")[2]
        self.assertEqual(kind("DescribeTable", '{"TableName": "nothing"}'), "ResourceNotFoundException")
        self.assertEqual(kind("PutItem", "{nonsense"), "SerializationException")
        self.assertEqual(kind("Nonsense", "{}"), "UnknownOperationException")
        unknown = '{"TableName": "movies", "Item": {"title": {"S": "A"}}, "ConditionExpression": "a = :a"}'
        old, current, new = (json.loads(call("PutItem", unknown, "--layer", layer).stdout)["message"] for layer in ("old", "current", "new"))
        self.assertNotEqual(old, new)
        self.assertEqual(json.loads(call("PutItem", unknown).stdout)["message"], current)
        self.assertIn("INVALID_ARGUMENT: region", call("ListTables", "{}", "--region", "x" * 40, code=1).stderr)
        call("ListTables", "{}", "--layer", "newest", code=2)
        call("ListTables", code=2)
        self.assertIn("NOT_FOUND", self.run_cli("call", self.db + "-not", "PutItem", "{}", code=1).stderr)
        self.assertFalse(Path(self.db + "-not").exists())

    # ---- care ----

    def test_verify_and_inspect_find_damage(self):
        self.imported("m.json", "".join(json.dumps({"title": "T", "year": year}) + "\n" for year in range(50)))
        self.assertIn("50 items in 1 tables", self.run_cli("verify", self.db).stdout)
        self.assertIn("movies\ttitle:S\tyear:N", self.run_cli("tables", self.db).stdout)
        self.assertIn("tables", self.run_cli("stats", self.db).stdout)
        log = max(Path(self.db).glob("*.log"), key=lambda path: path.stat().st_size)
        self.assertIn("sequence", self.run_cli("inspect", str(log)).stdout)
        self.assertIn("names the manifest", self.run_cli("inspect", str(Path(self.db) / "CURRENT")).stdout)
        content = bytearray(log.read_bytes())
        content[200] ^= 1
        log.write_bytes(content)
        done = self.run_cli("verify", self.db, code=5)
        self.assertIn("CORRUPT", done.stderr)
        self.assertIn(log.name, done.stderr)

    def test_help_manual_and_completion_know_every_command(self):
        usage = self.run_cli("--help").stdout
        manual = self.run_cli("man").stdout
        for command in ("create", "tables", "put", "get", "delete", "update", "sql", "call", "query", "scan", "import", "export", "stats", "verify", "inspect"):
            self.assertIn(f"  {command} ", usage)
            self.assertIn("example:", self.run_cli(command, "--help").stdout)
            self.assertIn(f'"stator {command} ', manual)
            for shell in ("bash", "zsh", "fish"):
                self.assertIn(command, self.run_cli("completion", shell).stdout)
        script = self.folder / "completion.bash"
        script.write_text(self.run_cli("completion", "bash").stdout)
        subprocess.run(["bash", "-n", str(script)], check=True)

    def test_stored_escape_sequences_do_not_reach_the_terminal(self):
        self.create()
        self.run_cli("put", self.db, "movies", json.dumps({"title": "\x1b[31mred", "year": 1}))
        self.assertNotIn("\x1b", self.run_cli("scan", self.db, "movies", "-o", "table").stdout)


if __name__ == "__main__":
    unittest.main()
