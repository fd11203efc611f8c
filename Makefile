# Each target sets up what it needs; nothing else has to be installed by hand.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.DELETE_ON_ERROR:
.PHONY: demo test up check clean coverage lock mutants

demo: $(READY)  ## the main job in one go, with a report
	@$(BIN)/smslab demo

test: $(READY)  ## the whole test suite, in three processes because many tests wait for processes of their own
	@$(BIN)/python -m pytest -n 3 --dist loadfile $(ARGS)

coverage: $(READY)  ## the test suite once more, with the branches it takes; fails below 90 %
	@$(BIN)/coverage erase
	@$(BIN)/coverage run -m pytest -n 3 --dist loadfile $(ARGS)
	@$(BIN)/coverage combine -q
	@$(BIN)/coverage report

mutants: $(READY)  ## break the gateway's heart by machine; its fast tests must notice (at most 20 minutes)
	@nice -n 19 $(BIN)/python -m tests.mutation $(ARGS)

up: $(READY)  ## gateway, carrier and console until Ctrl-C
	@$(BIN)/smslab up

check: $(READY)  ## everything that is not a test
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/openapi-spec-validator openapi.yaml
	@! grep -rn '://' requirements || { echo "requirements/ must not name an address"; exit 1; }

clean:  ## everything that was made here
	rm -rf .venv var .coverage* .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

lock: $(READY)  ## new locks, with hashes and without addresses
	$(BIN)/uv pip compile -q -U --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		--no-annotate pyproject.toml --extra postgres --extra redis --group dev -o requirements/dev.txt
	printf '%s\n' apprise openapi-core openapi-spec-validator telnyx | $(BIN)/uv pip compile -q -U - --universal \
		--python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate -o requirements/opinions.txt

$(READY): requirements/uv.txt requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=python3.11 ..."; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' || { echo "The venv module is missing: apt-get install python3-venv"; exit 1; }
	@echo "Setting up .venv (once) ..."
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install -q --require-hashes -r requirements/uv.txt
	@$(BIN)/uv pip sync -q --require-hashes requirements/dev.txt
	@$(BIN)/uv pip install -q --no-deps --no-build-isolation --editable .
	@touch $@
