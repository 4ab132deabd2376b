# One command for everything. CI calls these and re-implements nothing.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
export OMP_NUM_THREADS = 1
export OPENBLAS_NUM_THREADS = 1
export MKL_NUM_THREADS = 1

.PHONY: help install run test style bench locks clean

help:
	@echo "make run      train a simulated issuer (or USAGE=… MAPPING=… CATALOG=…) and serve it"
	@echo "make test     style, types, import rules and every test on real servers"
	@echo "make bench    speed and memory as ratios, a table last (ONLY=serving for some)"
	@echo "make install  .venv from the hashed lock"
	@echo "make locks    resolve the locks anew"
	@echo "make clean    remove .venv and var"

install: $(STAMP)

$(STAMP): deploy/locks/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "make: $(PYTHON) is older than 3.11; call make PYTHON=python3.11"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing the locked environment into $(VENV) …"
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes --no-deps -r deploy/locks/dev.txt
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(STAMP)

run: install
	@$(BIN)/recsvc demo \
		$(if $(USAGE),--usage '$(USAGE)') $(if $(MAPPING),--mapping '$(MAPPING)') $(if $(CATALOG),--catalog '$(CATALOG)')

style: install
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy

test: style
	@$(BIN)/pytest -q

bench: install
	@$(BIN)/python -m tests.benchmarks $(ONLY)

locks: install
	@$(BIN)/python -m pip install -q --disable-pip-version-check uv
	@for room in serve train "serve --extra archive"; do \
		$(BIN)/uv pip compile -q pyproject.toml --extra $$room --generate-hashes --no-header \
			--no-emit-index-url -o deploy/locks/$$(echo $$room | sed 's/.*archive/worker/').txt; done
	@echo hatchling | $(BIN)/uv pip compile -q - --generate-hashes --no-header \
		--no-emit-index-url -o deploy/locks/build.txt
	@$(BIN)/uv pip compile -q pyproject.toml --all-extras --generate-hashes --no-header \
		--no-emit-index-url -o deploy/locks/dev.txt

clean:
	rm -rf $(VENV) var
