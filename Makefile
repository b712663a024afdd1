# Thin targets for people; CMake presets do the work.
.PHONY: help quickstart test test-long test-one fuzz fuzz-corpus tidy bench clean deps build fuzz-build
quiet = @bash tools/quiet.sh
jobs = $(shell nproc)

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

deps:
	@bash tools/deps.sh

build: deps
	$(quiet) configure-asan cmake --preset asan
	$(quiet) build-asan cmake --build --preset asan -j$(jobs)
	$(quiet) configure-tsan cmake --preset tsan
	$(quiet) build-tsan cmake --build --preset tsan -j$(jobs) --target threads_tests
	@python3 tools/core_hash.py
	@bash tools/python_env.sh

quickstart: deps ## the main job on real data: load, query from four places, kill, verify
	@bash tools/quickstart/prepare.sh
	@python3 tools/quickstart/run.py --cli build/release/bin/stator --python build/python-venv/bin/python \
		--go build/quickstart/query-go --node "$$(PATH="$$PWD/build/tools/bin:$$PATH" command -v node)" \
		--node-package "$$PWD/node"

test: build ## install what is missing, build, run every suite
	@python3 tests/run.py $(SUITES)

test-long: export STATOR_LONG = 1
test-long: build ## the same, with the long versions of the fault tests
	@python3 tests/run.py $(SUITES)

test-one: deps ## one C test under the sanitizers: make test-one NAME=base
	@test -n "$(NAME)" || { echo "usage: make test-one NAME=base"; exit 2; }
	$(quiet) configure-asan cmake --preset asan
	$(quiet) build-asan cmake --build --preset asan -j$(jobs) --target test_$(NAME)
	@ctest --test-dir build/asan --no-tests=error --output-on-failure -R '^$(NAME)$$'

fuzz-build:
	@bash tools/deps.sh clang
	$(quiet) configure-fuzz cmake --preset fuzz
	$(quiet) build-fuzz cmake --build --preset fuzz -j$(jobs) --target fuzz_targets

fuzz: fuzz-build ## fuzz every target for FUZZ_SECONDS (60): make fuzz NAME=number FUZZ_SECONDS=600
	@bash tools/fuzz.sh $(NAME)

fuzz-corpus: fuzz-build ## choose the inputs that tests/fuzz/corpus keeps
	@bash tools/fuzz.sh --minimise $(NAME)

tidy: ## check the rules of the house
	@python3 tools/tidy.py

bench: deps ## measure beside other engines: build/bench/bench.jsonl and a table
	@bash tools/bench_deps.sh
	$(quiet) configure-release cmake --preset release
	@bash tools/quickstart/prepare.sh
	$(quiet) build-bench cmake --build --preset release -j$(jobs) --target stator_bench
	@PATH="$$PWD/build/tools/bin:$$PATH" python3 bench/run.py \
		--language "build/python-venv/bin/python bench/bench_python.py" \
		--language "python3 bench/bench_go.py" --language "node bench/bench_node.mjs"

clean: ## remove the build trees
	rm -rf build
