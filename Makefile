# fmkit: `make lab` opens the course, `make test` tests it. Both need nothing but make and Python 3.11 or newer;
# what else they need they put into .venv (once) and into the cache that FMKIT_HOME can move.

ARGS ?=
PART ?=
PYTHON ?= $(firstword $(foreach p,python3 python3.14 python3.13 python3.12 python3.11,$(shell unset PYTHONHOME; \
	$(p) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(p))))
VENV := .venv
RUN := $(VENV)/bin/python -m

# Where no GPU is found, torch comes without CUDA (0.2 GB instead of 3) from PyTorch's own index of CPU builds.
# If that cannot be reached, pip's usual index serves.
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu

# What is set for other programs would lead Python to other packages, pip to other folders, and Jupyter to a
# kernel python3 of another Python.
unexport PYTHONHOME PYTHONPATH PYTHONOPTIMIZE PIP_TARGET PIP_PREFIX PIP_ROOT PIP_REQUIRE_VIRTUALENV
export PIP_USER := 0
export JUPYTER_PREFER_ENV_PATH := 1

.PHONY: help lab test test-all book bench lint data moved clean
.DEFAULT_GOAL := help
help:
	@echo 'make lab        open the course in JupyterLab       (make lab ARGS=--no-browser)'
	@echo '                make lab PART=1 leaves out the data of the second part, chapters 10 on'
	@echo 'make test       the tests, the notebooks too        (make test ARGS="-k losses")'
	@echo 'make test-all   the same with the slow ones and the long chapters, from 05 on'
	@echo 'make book       the same chapters as a book to read, in build/book'
	@echo 'make bench      the benchmarks'
	@echo 'make lint       check the style of the code'
	@echo 'make data       fetch the data and the models (the others do it when needed)'
	@echo 'make clean      remove .venv and everything that was built'

lab: data
	@$(RUN) fmkit lab $(ARGS)

# Files in their order: the one with few and long tests, of the chapters in the browser, must not come last.
PYTEST := OMP_NUM_THREADS=1 $(RUN) pytest -n 2 --dist loadfile --no-loadscope-reorder \
	--nbval --nbval-current-env --nbval-cell-timeout=300 --nbval-sanitize-with tests/sanitize.cfg \
	tests fmkit/[a-z]*.py
LONG := $(wildcard notebooks/0[5-9]-*.ipynb notebooks/1*.ipynb)

test: $(VENV)/.ready-all data
	$(PYTEST) $(filter-out $(LONG),$(wildcard notebooks/*.ipynb)) $(ARGS)

test-all: $(VENV)/.ready-all data
	$(PYTEST) notebooks -m '' $(ARGS)

book: $(VENV)/.ready-all data
	@$(RUN) fmkit.book.build

bench: data
	@for file in benchmarks/[a-z]*.py; do echo "== $$file"; $(VENV)/bin/python $$file || exit 1; done

lint: $(VENV)/.ready-all
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	@$(VENV)/bin/lint-imports

data: $(VENV)/.ready
	@$(RUN) fmkit fetch --quick $(if $(PART),--part $(PART))

# .ready holds the folder it was made for: an environment breaks when the checkout moves, so it is made again.
ifneq ($(shell cat $(VENV)/.ready 2>/dev/null || pwd -P),$(shell pwd -P))
$(VENV)/.ready: moved
endif
moved:
	rm -rf $(VENV)

# uv is quick; pip, which knows the user's own settings, is asked where uv fails.
INSTALL = $(RUN) uv pip install --quiet --python $(VENV)/bin/python --constraint constraints.txt --editable $(1) || \
	$(RUN) pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable $(1)
# torch has 2,000 modules, most of which nobody imports: Python compiles the others when it first reads them.
TORCH := $(RUN) pip install --quiet --disable-pip-version-check --no-compile --no-deps --constraint constraints.txt torch

# The stamp goes first and comes back last: whatever stops this in between, the next run takes it up again.
$(VENV)/.ready: pyproject.toml constraints.txt
	@rm -f $@ $(VENV)/.ready-all
	@test -n "$(PYTHON)" || { echo 'fmkit needs Python 3.11 or newer as python3 (or: make PYTHON=/path/to/python)'; exit 1; }
	@$(RUN) pip --version >/dev/null 2>&1 || { rm -rf $(VENV) && "$(PYTHON)" -m venv $(VENV); } || { rm -rf $(VENV); exit 1; }
	@printf '[install]\nuser = false\n' > $(VENV)/pip.conf # later, too, whatever the user's own pip.conf says
	@echo 'Setting up .venv, once: torch (some 200 MB) ...'
	@if [ "$$(uname)" = Linux ] && ! nvidia-smi -L 2>/dev/null | grep -q GPU; then \
		$(TORCH) --retries 1 --timeout 8 --index-url $(TORCH_INDEX) 2>/dev/null && exit; fi; $(TORCH)
	@echo '... and the other packages ...'
	@$(RUN) pip install --quiet --disable-pip-version-check --constraint constraints.txt uv
	@$(call INSTALL,.)
	@pwd -P > $@

$(VENV)/.ready-all: $(VENV)/.ready
	@echo 'Adding what the tests and the instructors need to .venv ...'
	@$(call INSTALL,'.[course$(comma)book$(comma)test]')
	@touch $@
comma := ,

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .ruff_cache .hypothesis
