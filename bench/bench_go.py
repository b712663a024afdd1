"""Go's cost of one put and one get: the benchmarks of the package itself, as rows of the kind that bench.c prints."""
import json
import re
import subprocess
import sys

text = subprocess.run(["go", "test", "-run", "^$", "-bench", "^Benchmark(Put|Get)$", "-benchtime", "20000x", "./go"],
                      stdout=subprocess.PIPE, check=True).stdout.decode()
found = re.findall(r"^Benchmark(Put|Get)\S*\s+(\d+)\s+([\d.]+) ns/op", text, re.M)
for workload, ops, cost in found:
    print(json.dumps({
        "bench": "languages", "workload": workload.lower(), "engine": "stator", "layer": "go", "threads": 1, "item_bytes": 20,
        "durability": "none", "ops": int(ops), "seconds": float(cost) * int(ops) / 1e9}))
sys.exit(0 if len(found) == 2 else "go test measured nothing: " + text)
