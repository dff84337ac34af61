# Saksi's two commands: `make demo` shows the whole chain once, `make test` proves it.
# Everything is installed into .venv and tests/*/node/node_modules, nothing elsewhere,
# except Debian packages that `make test` needs and, as root, installs by itself.

PYTHON ?= python3
BIN := .venv/bin
OUT ?= out/demo

.PHONY: demo test test-slow test-complete bench lint format pictures clean

demo: .venv/demo
	$(BIN)/saksi demo --out $(OUT)

test: .venv/test lint
	$(BIN)/python -m pytest -n 2 --dist loadgroup -q -m "not slow"

# -rP: what the slow groups counted is shown although they passed.
test-slow: .venv/test
	$(BIN)/python -m pytest -n 2 -q -rP -m "slow and not complete"

# Every case of the groups of which CI runs a part.
test-complete: .venv/test
	$(BIN)/python -m pytest -n 2 -q -rP -m complete

bench: .venv/demo
	$(BIN)/saksi bench device

lint: .venv/test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright

format: .venv/test
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Saksi needs Python 3.11 or newer: set PYTHON=python3.11 (or newer)"; exit 2; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null \
		|| { echo "Python has no venv here: apt install python3-venv, then try again"; exit 2; }
	$(PYTHON) -m venv .venv

.venv/demo: .venv/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[server]'
	@touch $@

NODE := tests/vectors/node tests/independent/node tests/relay/node

.venv/test: .venv/demo tests/packages.sh $(NODE:%=%/package-lock.json)
	bash tests/packages.sh
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[server,test]'
	for folder in $(NODE); do \
		npm ci --prefix $$folder --ignore-scripts --no-audit --no-fund --silent || exit; \
	done
	@touch $@

# The README's pictures: a sheet whose sum does not hold, as the demo prints and shows it.
pictures: .venv/demo
	$(BIN)/python -m host_tools.demo.pictures

clean:
	rm -rf .venv out $(NODE:%=%/node_modules)
