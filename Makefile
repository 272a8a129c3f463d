# Every target sets up what it needs on a fresh machine; a second start only compares fingerprints.
MAKEFLAGS += --no-print-directory
SETUP := @sh tools/setup.sh
PY := .venv/bin/python
ACCOUNTS ?= 1000000
PARALLEL := -n 3 --dist loadscope --no-loadscope-reorder
# Where this is set, every process that a test starts compiles the whole product anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test test-long test-spark fuzz check bench docs-check requirements unreached lock sbom audit format

help:
	@echo "make demo        the product with a demonstration portfolio, served on http://localhost:8000"
	@echo "make test        every test but those on Apache Spark, in parallel, and the linters beside them"
	@echo "make test-long   the same at full size: a million contacts, every crash run, every scene (at most 40 minutes)"
	@echo "make test-spark  the decisions of the core on Apache Spark too (needs Java)"
	@echo "make fuzz        damaged inputs for every reader, with their figures (at most 10 minutes)"
	@echo "make check       ruff, mypy, import contracts, budgets"
	@echo "make bench       seconds and memory for ACCOUNTS=$(ACCOUNTS) accounts"
	@echo "make docs-check  links and commands named in the documentation"
	@echo "make requirements  docs/requirements.md anew from docs/requirements.yaml"
	@echo "make unreached   what is built and waits for its door"
	@echo "make lock        lock files and their list (SBOM) anew from requirements/*.in (needs uv)"
	@echo "make sbom        docs/sbom.cdx.json anew from the lock files"
	@echo "make audit       asks the advisory databases about every locked version (needs a network)"

demo:
	$(SETUP) base frontend
	@exec .venv/bin/recobra demo $(ARGS)

test:
	$(SETUP) dev frontend chromium
	@$(PY) tools/test.py $(PARALLEL) -m "not spark and not long" $(ARGS)

test-long:
	$(SETUP) dev frontend chromium
	@$(PY) tools/test.py $(PARALLEL) -m "not spark" --whole $(ARGS)

test-spark:
	$(SETUP) spark frontend java
	@$(PY) -m pytest -m spark $(ARGS)

fuzz:
	$(SETUP) dev frontend
	@$(PY) -m tools.fuzz $(ARGS)

check:
	$(SETUP) dev frontend
	@$(PY) tools/test.py --linters
	$(PY) -m pytest -q tests/house

bench:
	$(SETUP) base
	@.venv/bin/recobra bench --accounts $(ACCOUNTS) --json $(ARGS)

docs-check:
	$(SETUP) dev
	$(PY) -m pytest -q tests/house/test_docs.py

requirements:
	$(SETUP) dev
	@$(PY) tools/requirements_page.py

unreached:
	$(SETUP) dev
	@$(PY) -m tests.house.reachability

format:
	$(SETUP) dev
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

lock:
	@for name in base dev spark; do \
	  uv pip compile --generate-hashes --no-emit-index-url --no-emit-find-links --universal --python-version 3.11 \
	    requirements/$$name.in -o requirements/$$name.lock || exit 1; \
	done
	@$(MAKE) sbom

sbom:
	$(SETUP) dev
	@$(PY) tools/sbom.py

audit:
	$(SETUP) dev frontend
	@$(PY) tools/audit.py
