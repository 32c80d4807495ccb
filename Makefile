# The commands of the house. `make demo` and `make test` do all set-up themselves (tools/setup.sh).

PY     := .venv/bin/python
JOBS   := $(shell nproc 2>/dev/null || echo 2)
NATIVE := flock build/native.lock $(MAKE) --no-print-directory -j$(JOBS) -f tools/native.mk
# `make test T=tests/py/test_house.py`, `make ctest T=mem`: what to run instead of everything.
T      ?=

help:            ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: build      ## set up, build, archive a demo checkpoint tree and print what came out
	@PATH="$(CURDIR)/.venv/bin:$$PATH" tools/demo.sh

test: build-test ## set up, build, run every test (T=path or -k expression for some)
	@$(PY) -m pytest --timeout=300 $(T)

build: setup-base
	@tools/build.sh
build-test: setup-test
	@tools/build.sh
setup-base setup-test setup-fuzz: setup-%:
	@tools/setup.sh $*

ctest: setup-base ## build and run the C tests (T=name for some)
	@mkdir -p build; $(NATIVE) VARIANT=plain tests
	build/native/plain/test_all $(T)

ctest-asan: setup-base
	@mkdir -p build; $(NATIVE) VARIANT=asan tests
	ASAN_OPTIONS=detect_leaks=1 build/native/asan/test_all $(T)

asan: setup-test ## C tests, fuzz corpus and Python tests under address, leak and undefined-behaviour sanitizers
	@tools/asan.sh

leak: build-test ## failing calls repeated under a counter of allocated blocks
	@$(PY) -m pytest -k leak $(T)

fuzz: setup-fuzz ## libFuzzer on every target, SECONDS_EACH=60 seconds each
	@tools/fuzz.sh

lint: build-test ## floors, symbols, binding rules
	@tools/lint.sh

interop: build-test ## other readers (Java, Go, JavaScript, Python) on every type and encoding; DOCS=--write-docs for the page
	@$(PY) tests/interop/run_interop.py $(DOCS)

bench: build-test ## ratios to the peers
	@$(PY) benchmarks/run.py $(T)

minimal:         ## build and test with Debian's python3, setuptools and pytest only
	@tools/minimal.sh

clean:           ## remove what was built (not .venv)
	rm -rf build dist *.egg-info ccpq/_core*.so .pytest_cache .hypothesis
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +

.PHONY: help demo test build build-test setup-base setup-test setup-fuzz ctest ctest-asan asan leak fuzz lint interop bench minimal clean
