"""The conformance cases through Python; prints the count, or the first difference."""

import json
import sys
import tempfile
from base64 import b64decode
from decimal import Decimal

import stator

CONDITIONS = {"=": "eq", "<": "lt", "<=": "le", ">": "gt", ">=": "ge", "between": "between", "begins_with": "begins_with"}


def native(value):
    ((kind, content),) = value.items()
    if kind == "M":
        return item(content)
    if kind == "L":
        return [native(member) for member in content]
    one = {"N": Decimal, "B": b64decode}.get(kind[0], str)
    if kind in ("SS", "NS", "BS"):
        return {one(member) for member in content}
    return content if kind == "BOOL" else None if kind == "NULL" else one(content)


def item(content):
    return {name: native(value) for name, value in content.items()}


def parse(text):
    return item(json.loads(text))


class Case:
    def __init__(self):
        self.folder = tempfile.TemporaryDirectory()
        self.open()

    def open(self):
        self.db = stator.open(self.folder.name + "/db", durability="none")
        self.tables = {}

    def table(self, name):
        if name not in self.tables:
            self.tables[name] = self.db.table(name)
        return self.tables[name]

    def query(self, table, words):
        partition, words, sort, options = native(json.loads(words[0])), words[1:], None, {}
        if words and words[0] in CONDITIONS:
            count = 3 if words[0] == "between" else 2
            sort = getattr(stator, CONDITIONS[words[0]])(*(native(json.loads(word)) for word in words[1:count]))
            words = words[count:]
        if "reverse" in words:
            options["reverse"] = True
        if "limit" in words:
            options["limit"] = int(words[words.index("limit") + 1])
        return list(table.query(partition, sort, **options))

    def run(self, op, *words):
        if op in ("flush", "compact"):
            return getattr(self.db, op)()
        if op == "reopen":
            self.db.close()
            return self.open()
        if op == "table":
            self.tables[words[0]] = self.db.table(words[0], partition=words[1], sort=words[2] if len(words) > 2 else None)
            return None
        if op == "drop":
            return self.db.delete_table(words[0])
        table, words = self.table(words[0]), words[1:]
        if op == "batch":
            with self.db.batch() as batch:
                for kind, text in zip(words[::2], words[1::2]):
                    getattr(batch, kind)(table, parse(text))
            return None
        if op == "batch-get":
            return table.batch_get([parse(word) for word in words])
        if op == "query":
            return self.query(table, list(words))
        if op == "scan":
            return sorted(table.scan(), key=repr)
        done = getattr(table, op.split("-")[0])(parse(words[0]), **({"return_old": True} if op.endswith("-old") else {}))
        return None if op in ("put", "delete") else [done]


def expected(lines, at):
    answer, error = [], None
    while at < len(lines) and lines[at][0] in ("=", "none", "error"):
        if lines[at][0] == "error":
            error = lines[at][1:]
        else:
            answer.append(parse(lines[at][1]) if lines[at][0] == "=" else None)
        at += 1
    return answer, error, at


def main(path):
    lines = [line.split("\t") for line in open(path, encoding="utf-8").read().split("\n") if line and line[0] != "#"]
    case, at, count = None, 0, 0
    while at < len(lines):
        words, begin = lines[at], at
        if words[0] == "case":
            if case:
                case.db.close()
            case, at = Case(), at + 1
            continue
        answer, error, at = expected(lines, at + 1)
        try:
            got = case.run(*words)
        except stator.StatorError as failure:
            if error is None or failure.code != error[0] or error[1] not in str(failure):
                sys.exit(f"line {begin}: {words[:2]}: {failure.code}: {failure}; expected {error or answer}")
        else:
            if words[0] == "scan":
                answer = sorted(answer, key=repr)
                same = sorted(map(repr, map(sorted_item, got))) == sorted(map(repr, map(sorted_item, answer)))
            else:
                same = (got or []) == answer
            if error or not same:
                sys.exit(f"line {begin}: {words[:2]}: got {got}, expected {error or answer}")
        count += 1
    case.db.close()
    print(count, "steps")


def sorted_item(value):
    return sorted(value.items())


main(sys.argv[1])
