# Thin targets for people; CMake presets do the work.
.PHONY: help test clean deps

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

deps:
	@bash tools/deps.sh

test: deps ## install what is missing, build, run every suite
	@cmake --preset asan >build/configure.log 2>&1 || { cat build/configure.log; exit 1; }
	@cmake --build --preset asan
	@ctest --preset asan

clean: ## remove the build trees
	rm -rf build
