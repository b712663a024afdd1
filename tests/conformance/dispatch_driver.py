"""Answers requests of the JSON protocol from standard input through the Python package: see dispatch_driver.c."""

import sys

import stator


def main():
    db = None
    for line in sys.stdin.buffer:
        operation, _, body = line.rstrip(b"\n").partition(b"\t")
        if operation == b"!new":
            if db:
                db.close()
            db, layer = stator.open(":memory:"), "current"
            status, answer = 0, b""
        elif operation.startswith(b"!clock "):
            db.move_clock(int(operation[7:]) / 1000000)
            status, answer = 0, b""
        elif operation.startswith(b"!layer "):
            layer = ("current", "old", "new")[int(operation[7:])]
            status, answer = 0, b""
        else:
            status, answer = db.dispatch(operation.decode(), body, wording=layer)
        sys.stdout.buffer.write(b"%d\t%s\n" % (status, answer))
        sys.stdout.buffer.flush()
    if db:
        db.close()


if __name__ == "__main__":
    main()
