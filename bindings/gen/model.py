"""Writes core/wire/model.c from the API models of DynamoDB: `model.py MODELDIR` rewrites it, `--check` compares."""

import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
TARGET = ROOT / "core/wire/model.c"
KINDS = {"string": "STRING", "integer": "INTEGER", "long": "LONG", "boolean": "BOOLEAN", "blob": "BLOB",
         "double": "DOUBLE", "timestamp": "TIMESTAMP", "structure": "STRUCTURE", "list": "LIST", "map": "MAP"}


class Tables:
    def __init__(self):
        self.shapes, self.members, self.numbers = [], [], {}

    def shape(self, model, name):
        """The number of a shape; shapes of one name in both models are the same."""
        if name in self.numbers:
            return self.numbers[name]
        number = self.numbers[name] = len(self.shapes)
        self.shapes.append(None)
        shape = model["shapes"][name]
        if name == "AttributeValue":
            self.shapes[number] = (name, "VALUE", 0, 0, 0)
            return number
        kind, element, members = KINDS[shape["type"]], 0, []
        if kind == "LIST":
            element = self.shape(model, shape["member"]["shape"])
        elif kind == "MAP":
            element = self.shape(model, shape["value"]["shape"])
        elif kind == "STRUCTURE":
            members = [(m, self.shape(model, t["shape"])) for m, t in shape["members"].items()]
        first = len(self.members)
        self.members += members
        self.shapes[number] = (name, kind, first, len(members), element)
        return number


def render(directory):
    tables, operations = Tables(), []
    for file, is_stream in (("dynamodb-service-2.json", "false"), ("dynamodbstreams-service-2.json", "true")):
        model = json.loads((directory / file).read_text())
        for name in sorted(model["operations"]):
            operations.append((name, is_stream, tables.shape(model, model["operations"][name]["input"]["shape"])))
    lines = ["/* The operations of the two API models and the shapes of their inputs. Made by bindings/gen/model.py;",
             " * do not edit. */", '#include "wire/model_internal.h"', "",
             "const wire_member st_wire__members[] = {"]
    lines += [f'    {{"{name}", {shape}}},' for name, shape in tables.members]
    lines += ["};", "", "const wire_shape st_wire__shapes[] = {"]
    lines += [f'    {{"{n}", WIRE_{k}, {first}, {count}, {element}}},' for n, k, first, count, element in tables.shapes]
    lines += ["};", "", "const wire_model_operation st_wire__model[] = {"]
    lines += [f'    {{"{name}", {stream}, {shape}}},' for name, stream, shape in operations]
    lines += ["};", "", f"const uint32_t st_wire__model_count = {len(operations)};", ""]
    return "\n".join(lines)


def main():
    text = render(pathlib.Path(sys.argv[-1]))
    if "--check" in sys.argv:
        return 0 if TARGET.read_text() == text else 1
    TARGET.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
