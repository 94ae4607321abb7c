# Verbs of this project. `make demo` and `make test` install what they need into .venv first: with uv when it
# is there, else with plain pip from the exported lock (requirements-dev.txt, with hashes).

PYTHON ?= python3
PORT ?= 8080
# one more than there are cores: a journey waits for its servers
WORKERS ?= $(shell echo $$(($$(getconf _NPROCESSORS_ONLN) + 1)))
TESTS ?= tests
BIN := .venv/bin
INSTALLED := .venv/.installed

.DEFAULT_GOAL := help
.PHONY: help install demo test quick check format reference lock bench fuzz clean

help: ## what can be made
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

install: $(INSTALLED) ## the environment, with the locked versions

$(INSTALLED): pyproject.toml uv.lock requirements-dev.txt
	PYTHON=$(PYTHON) scripts/install
	@touch $@

demo: $(INSTALLED) ## a demo school's LVS and the gateway before it, on loopback
	@$(BIN)/python -m compileall -q gateway
	$(BIN)/gateway demo --port $(PORT)

test: $(INSTALLED) ## every check and every test, in parallel, with the coverage floor
	@$(BIN)/python -m compileall -q gateway
	@failed=0; scripts/check || failed=1; \
	$(BIN)/python -m pytest -n $(WORKERS) --cov --cov-report=term $(TESTS) || failed=1; exit $$failed

quick: $(INSTALLED) ## the tests that need no servers
	$(BIN)/python -m pytest -n $(WORKERS) -m "not slow and not journey" $(TESTS)

check: $(INSTALLED) ## format, lint, types, layers
	scripts/check

format: $(INSTALLED) ## rewrite the source in the house format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

reference: $(INSTALLED) ## rewrite the tables of docs/reference.md from the code
	$(BIN)/python -m scripts.reference

lock: ## renew the lock and its exports (needs uv)
	scripts/lock

bench: $(INSTALLED) ## speed against nginx + Lua; whether time tells; start of the demo; writes bench/*.md
	$(BIN)/python -m bench.run
	$(BIN)/python -m bench.latency
	$(BIN)/python -m bench.start
	$(BIN)/python -m bench.facts
	$(BIN)/python -m bench.xml
	$(BIN)/python -m bench.filter

fuzz: $(INSTALLED) ## inputs that nobody thought of for each minimiser: made by hypothesis, then led by atheris
	-@$(BIN)/python -c "import atheris" 2>/dev/null || $(BIN)/python -m pip install --quiet "atheris>=3.0.0" || \
		uv pip install --quiet --python $(BIN)/python "atheris>=3.0.0"
	$(BIN)/python -m fuzz.mutated
	$(BIN)/python -m fuzz.guided

clean: ## remove what was built, the demo school included
	rm -rf .venv dist demo demo.key demo.lvs-secret demo.session .coverage .coverage.* htmlcov .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
