"""Runs the cases of dynamodb/*.json through a driver that speaks the line protocol of dispatch_driver.c.

    run_dynamodb.py [-v] [-k TEXT] [--files NAME ...] -- DRIVER [ARGUMENT ...]

A case has a fresh memory database. README.md says what a case looks like.
"""

import argparse
import base64
import json
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
CASES = HERE / "dynamodb"
sys.setrecursionlimit(100000)


class Driver:
    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, line):
        self.process.stdin.write(line.encode("utf-8", "surrogatepass") + b"\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError("the driver ended: %s" % line[:200])
        status, _, body = answer.rstrip(b"\n").partition(b"\t")
        return int(status), body

    def close(self):
        self.process.stdin.close()
        return self.process.wait()


def dump(value):
    """JSON without recursion, for values of any depth."""
    out, stack = [], [value]
    while stack:
        at = stack.pop()
        if isinstance(at, tuple):
            out.append(at[0])
        elif isinstance(at, dict):
            parts = [("{",)]
            for i, (key, member) in enumerate(at.items()):
                parts += [("," if i else "",), (json.dumps(key) + ":",), member]
            stack += reversed(parts + [("}",)])
        elif isinstance(at, list):
            parts = [("[",)]
            for i, member in enumerate(at):
                parts += [("," if i else "",), member]
            stack += reversed(parts + [("]",)])
        else:
            out.append(json.dumps(at))
    return "".join(out)


def follow(value, path):
    for part in path.split("."):
        value = value[int(part)] if isinstance(value, list) else value[part]
    return value


def expand(value, answers, index):
    if isinstance(value, str):
        return value.replace("{i}", str(index)) if index is not None else value
    if isinstance(value, list):
        return [expand(member, answers, index) for member in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"$"}:
        path = value["$"]
        back = -1
        if path.startswith("-"):
            number, _, path = path.partition(":")
            back = int(number)
        return follow(answers[back], path) if path else answers[back]
    if set(value) == {"$repeat"}:
        text, count = value["$repeat"]
        return text * count
    if set(value) == {"$nest"}:
        depth, leaf = value["$nest"]
        for _ in range(depth):
            leaf = {"L": [leaf]}
        return leaf
    if set(value) == {"$each"}:
        count, template = value["$each"]
        return [expand(template, answers, i) for i in range(count)]
    if set(value) == {"$base64"}:
        return base64.b64encode(value["$base64"].encode()).decode()
    return {expand(key, answers, index): expand(member, answers, index) for key, member in value.items()}


def canonical(value):
    return json.dumps(value, sort_keys=True)


def same(expected, got, path, unordered):
    if path in unordered and isinstance(expected, list) and isinstance(got, list):
        return sorted(map(canonical, expected)) == sorted(map(canonical, got))
    if isinstance(expected, dict) and isinstance(got, dict) and unordered:
        return expected.keys() == got.keys() and all(
            same(expected[k], got[k], (path + "." + k).lstrip("."), unordered) for k in expected)
    if isinstance(expected, bool) or isinstance(got, bool):
        return expected is got
    if isinstance(expected, list) and isinstance(got, list):
        return len(expected) == len(got) and all(same(e, g, path, ()) for e, g in zip(expected, got))
    if isinstance(expected, dict) and isinstance(got, dict):
        return expected.keys() == got.keys() and all(same(expected[k], got[k], path, ()) for k in expected)
    return type(expected) is type(got) and expected == got or (
        isinstance(expected, (int, float)) and isinstance(got, (int, float)) and expected == got)


def matches(expected, got, path, unordered):
    """The first member of expected that got lacks or has otherwise; None: there is none."""
    if isinstance(expected, dict) and isinstance(got, dict):
        for key, value in expected.items():
            inner = (path + "." + key).lstrip(".")
            if key not in got:
                return inner
            wrong = matches(value, got[key], inner, unordered)
            if wrong:
                return wrong
        return None
    return None if same(expected, got, path, unordered) else path


def judge(step, status, body):
    """What is wrong with an answer; None: nothing."""
    try:
        answer = json.loads(body) if body else None
    except (ValueError, RecursionError) as error:
        return "no JSON: %s" % error
    text = body.decode("utf-8", "replace")[:1500]
    if "error" in step:
        name = (answer or {}).get("__type", "").partition("#")[2] if isinstance(answer, dict) else ""
        if status == 200 or name != step["error"]:
            return "want %s, got %d %s" % (step["error"], status, text)
        message = answer.get("message", answer.get("Message"))
        if "message" in step and message != step["message"]:
            return "want message %r\n      got          %r" % (step["message"], message)
        if "message_begins" in step and not (message or "").startswith(step["message_begins"]):
            return "want beginning %r\n      got            %r" % (step["message_begins"], message)
        if "message_has" in step and step["message_has"] not in (message or ""):
            return "want within %r\n      got         %r" % (step["message_has"], message)
    elif status != 200:
        return "want 200, got %d %s" % (status, text)
    unordered = tuple(step.get("unordered", ()))
    if "expect" in step and not same(step["expect"], answer, "", unordered):
        return "want %s\n      got  %s" % (canonical(step["expect"])[:1500], canonical(answer)[:1500])
    if "match" in step:
        wrong = matches(step["match"], answer, "", unordered)
        if wrong is not None:
            return "differs at %s: want %s\n      got  %s" % (wrong, canonical(step["match"])[:1500], text)
    for path in step.get("absent", ()):
        try:
            follow(answer, path)
        except (KeyError, IndexError, ValueError, TypeError):
            continue
        return "has %s: %s" % (path, text)
    return None


def run_case(driver, case, fixtures):
    driver.ask("!new")
    if "layer" in case:
        driver.ask("!layer %d" % {"old": 1, "new": 2}[case["layer"]])
    for table in case.get("tables", ()):
        status, body = driver.ask("CreateTable\t" + json.dumps(fixtures[table]))
        if status != 200:
            return "fixture %s: %s" % (table, body.decode())
    answers, clock = [], 0
    for number, step in enumerate(case["steps"], 1):
        if "clock" in step and "op" not in step:
            clock += step["clock"]
            driver.ask("!clock %d" % int(clock * 1000000))
            continue
        for index in range(step.get("repeat", 1)):
            at = index if "repeat" in step else None
            try:
                wanted = {k: (expand(v, answers, at) if k in ("expect", "match") else v) for k, v in step.items()}
                body = step["raw"] if "raw" in step else dump(expand(step.get("body", {}), answers, at))
            except (KeyError, IndexError, TypeError) as error:
                return "step %d (%s): an earlier answer has nothing at %s" % (number, step["op"], error)
            operation = step["op"].replace("DynamoDBStreams.", "DynamoDBStreams_20120810.")
            status, answer = driver.ask(operation + "\t" + body.replace("\n", " "))
            wrong = judge(wanted, status, answer)
            if wrong:
                return "step %d (%s): %s" % (number, step["op"], wrong)
        try:
            answers.append(json.loads(answer) if answer else None)
        except (ValueError, RecursionError):
            answers.append(None)
    return None


def load(names=()):
    fixtures = json.loads((CASES / "fixtures.json").read_text())
    cases = []
    for file in sorted(CASES.glob("*.json")):
        if file.name != "fixtures.json" and (not names or file.stem in names):
            cases += [(file.stem, case) for case in json.loads(file.read_text())["cases"]]
    return fixtures, cases


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("-v", action="store_true")
    parser.add_argument("-k", default="")
    parser.add_argument("--files", nargs="*", default=())
    parser.add_argument("driver", nargs="+")
    arguments = parser.parse_args()
    fixtures, cases = load(arguments.files)
    driver = Driver(arguments.driver)
    failed, ran, by_file = 0, 0, {}
    for file, case in cases:
        if arguments.k not in case["name"]:
            continue
        ran += 1
        wrong = run_case(driver, case, fixtures)
        if wrong:
            failed += 1
            by_file[file] = by_file.get(file, 0) + 1
            print("FAILED %s: %s\n   %s" % (file, case["name"], wrong))
        elif arguments.v:
            print("ok %s: %s" % (file, case["name"]))
    driver.close()
    print(by_file)
    print("%d passed, %d failed" % (ran - failed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
