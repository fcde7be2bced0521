# Each target is one line that calls the command line; `make` alone prints this list.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
GLIOZOO := $(BIN)/gliozoo
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check $(if $(LOCKED),--constraint locked.txt) --editable
FAST := "not slow and not backends and not smoke"
EVERYDAY := "not slow and not backends and not smoke and not thorough"
# Two processes share two cores: threads within them only wait for one another.
ONE_THREAD := TF_NUM_INTRAOP_THREADS=1 TF_NUM_INTEROP_THREADS=1

.DEFAULT_GOAL := help
.PHONY: help setup lock package list names test-newest bench sweep compare report test test-fast smoke test-slow test-backends test-sweep test-web docs demo-files perf-audit perf-compare perf-overhead perf-first-step perf-metrics lint perf-volume perf-data perf-blocks perf-patient perf-memory perf-zoo perf-ratios perf-options perf exports fidelity gpu gpu-carry gpu-unpack gpu-list

help: ## Show what can be made
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## (.*)/  make \1\t\2/' | expand -t 24

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "GlioZoo needs Python 3.11 or newer; this one is " + sys.version.split()[0] + ". Try: make PYTHON=python3.12 ...")'
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: setup.cfg pyproject.toml | $(VENV)/bin/python
	@echo "Installing GlioZoo into $(VENV) (TensorFlow is 600 MB: some minutes the first time) ..."
	@$(PIP) .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	@$(PIP) '.[dev]'
	@touch $@

setup: $(VENV)/.installed-dev ## Install into .venv, with the tools for development

lock: $(VENV)/.installed-dev ## Write the versions of this environment into locked.txt
	@$(BIN)/python -m pip freeze --all --exclude pip --exclude-editable | sort -f > locked.txt

package: $(VENV)/.installed-dev ## Build wheel and sdist into dist/, and check them
	@rm -rf dist
	@$(BIN)/python -m build --quiet
	@$(BIN)/python -m twine check --strict dist/*

list: $(VENV)/.installed ## List the architectures
	@$(GLIOZOO) list

bench: $(VENV)/.installed ## Train and score: MODEL=mod_r2au [PROTOCOL= DATA= SEED= FOLD= BACKEND= PRECISION=]
	@$(GLIOZOO) bench "$(MODEL)" $(foreach option,PROTOCOL DATA SEED FOLD BACKEND PRECISION,$(if $($(option)),--$(shell echo $(option) | tr A-Z a-z) "$($(option))"))

sweep: $(VENV)/.installed ## Train many: [MODELS=all SEEDS=0-2 FOLDS=0-4 PROTOCOL= DATA= EXECUTOR=local JOBS=1]
	@$(GLIOZOO) sweep $(foreach option,MODELS SEEDS FOLDS PROTOCOL DATA EXECUTOR JOBS BACKEND PRECISION,$(if $($(option)),--$(shell echo $(option) | tr A-Z a-z) "$($(option))"))

compare: $(VENV)/.installed ## Rank all records in results/: [PROTOCOL=]
	@$(GLIOZOO) compare $(if $(PROTOCOL),--protocol "$(PROTOCOL)")

report: $(VENV)/.installed ## Make results/report.html from all records: [PROTOCOL=]
	@$(GLIOZOO) report $(if $(PROTOCOL),--protocol "$(PROTOCOL)")

test: $(VENV)/.installed-dev ## Run the fast tests
	@$(ONE_THREAD) $(BIN)/python -m pytest tests -m $(FAST) -n 2 --durations=20 --dist worksteal

test-fast: $(VENV)/.installed-dev ## Run what needs no Keras: for everyday work
	@$(BIN)/python -m pytest tests -m $(EVERYDAY) --light -n 2 --dist worksteal -q -r fE

names: $(VENV)/.installed ## Print the names of all architectures as JSON
	@$(GLIOZOO) list --json | $(BIN)/python -c 'import json, sys; print(json.dumps([row["name"] for row in json.load(sys.stdin)]))'

smoke: $(VENV)/.installed-dev ## Train every architecture for seconds: does it run at all [MODEL=]
	@$(BIN)/python -m pytest tests/smoke -m smoke -rA --no-header -q $(if $(MODEL),-k "[$(MODEL)]" -p no:xdist,-n 2 --dist worksteal)

test-slow: $(VENV)/.installed-dev ## Run the slow tests
	@$(BIN)/python -m pytest tests -m slow

test-backends: $(VENV)/.installed-dev ## Install JAX and torch, compare all three backends
	@$(PIP) '.[jax,torch]'
	@$(BIN)/python -m pytest tests -m backends

exports: $(VENV)/.installed-dev ## Export every architecture in every format, into docs/export.md (20 minutes) [MODEL=]
	@$(PIP) '.[export,openvino,torch]'
	@for backend in tensorflow torch; do KERAS_BACKEND=$$backend GLIOZOO_WRITE_EXPORTS=1 $(BIN)/python -m pytest \
		-m slow tests/benchmarks/exporting/test_every_export.py $(if $(MODEL),-k "[$(MODEL)-") || exit; done

fidelity: $(VENV)/.installed-dev ## Measure how far each architecture is from its source's form, into docs/fidelity.md
	@$(PIP) '.[torch]'
	@$(BIN)/python tests/perf/fidelity.py

test-newest: $(VENV)/.installed-dev ## Run the fast tests with the newest Keras and TensorFlow that there are
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade keras tensorflow
	@$(ONE_THREAD) $(BIN)/python -m pytest tests -m $(FAST) -n 2 --dist worksteal

test-sweep: $(VENV)/.installed-dev ## Install Ray, submitit, MLflow; test sweeps on them (many minutes)
	@$(PIP) '.[ray,slurm,track]'
	@$(BIN)/python -m pytest tests/benchmarks/sweep tests/benchmarks/tracking

test-web: $(VENV)/.installed-dev ## Test report, viewer and site in Chromium (apt-get install chromium)
	@$(PIP) '.[web,docs]'
	@$(BIN)/python -m pytest tests/benchmarks/report/test_report_browser.py tests/benchmarks/viewing/test_view_browser.py tests/website/test_site_browser.py tests/website/test_demo_browser.py

docs: $(VENV)/.installed ## Build the documentation into site/, and test its links
	@$(PIP) '.[dev,docs]'
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --quiet
	@$(BIN)/python -m pytest tests/website/test_site_pages.py tests/website/test_site_build.py

demo-files: $(VENV)/.installed ## Write the files of the site's demo out of a run: RUN=results/HOST/runs/RUN
	@$(PIP) '.[export]'
	@$(BIN)/python -m website.demo_files "$(RUN)"

perf-compare: $(VENV)/.installed-dev ## Time the comparison of 1,000 records
	@$(BIN)/python tests/perf/compare_speed.py

perf-overhead: $(VENV)/.installed ## Time the harness against a bare model.fit
	@$(BIN)/python tests/perf/overhead.py

perf: $(VENV)/.installed ## Time five networks against native PyTorch (PEER_PYTHON=/path/to/python) [MODELS="a b" COMPILE=1]
	@$(BIN)/python tests/perf/native_speed.py $(MODELS)

perf-options: $(VENV)/.installed ## Time what else a training step could do [MODELS="a b" ONLY="words,of options"]
	@$(BIN)/python tests/perf/step_options.py $(MODELS)

perf-sweep: $(VENV)/.installed ## Time a sweep beyond its runs, and two workers against one
	@$(BIN)/python tests/perf/sweep_speed.py

perf-first-step: $(VENV)/.installed ## Time the first training step against a bare tf.function
	@$(BIN)/python tests/perf/first_step.py

perf-audit: $(VENV)/.installed ## Audit every architecture's count against the compiler's [MODELS="a b"]
	@$(BIN)/python tests/perf/audit_speed.py $(MODELS)

perf-metrics: $(VENV)/.installed-dev ## Time HD95 and NSD against MONAI's (PEER_PYTHON=/path/to/python)
	@$(BIN)/python tests/perf/metrics_speed.py

lint: $(VENV)/.installed-dev ## Run ruff and mypy
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

perf-volume: $(VENV)/.installed-dev ## Time sliding windows against bare calls and MONAI (PEER_PYTHON=/path/to/python)
	@$(BIN)/python tests/perf/volume_speed.py

perf-patient: $(VENV)/.installed-dev ## Time a patient from files to mask, by stage, in 2D and 3D [SCAN=folder MODELS="a b"]
	@SCAN="$(SCAN)" $(BIN)/python tests/perf/patient_speed.py $(MODELS)

perf-memory: $(VENV)/.installed-dev ## Measure what the commands hold in memory at most, into docs/perf/memory.md
	@$(BIN)/python tests/perf/memory_peaks.py

perf-blocks: $(VENV)/.installed ## Time depthwise convolutions and norms against Keras' plain forms
	@$(BIN)/python tests/perf/block_speed.py

perf-zoo: $(VENV)/.installed ## Profile every architecture at its card's shape, into docs/perf/zoo.md [MODELS="a b"]
	@$(BIN)/python tests/perf/zoo_costs.py $(MODELS)

perf-ratios: $(VENV)/.installed ## Write docs/perf/README.md: every ratio that was measured beside its peer
	@$(BIN)/python tests/perf/ratios.py

perf-data: $(VENV)/.installed-dev ## Time the data pipeline against other loaders (PEER_PYTHON=/path/to/python)
	@$(BIN)/python tests/perf/data_speed.py

gpu: ## Do on a GPU, without network or TensorFlow, what gpu-list shows: [BACKEND=jax MINUTES=8.5 OUT= REHEARSE= DRY=]
	@$(PYTHON) -m benchmarks.gpu run $(foreach option,BACKEND MINUTES OUT MACHINE,$(if $($(option)),--$(shell echo $(option) | tr A-Z a-z) "$($(option))")) $(if $(REHEARSE),--rehearse) $(if $(DRY),--dry-run)

gpu-carry: $(VENV)/.installed ## Pack what the GPU's machine needs into carry/: [LGG=folder BRATS=folder VERSION=2021 FOR=3.12]
	@$(BIN)/python -m benchmarks.gpu carry $(foreach option,LGG BRATS VERSION,$(if $($(option)),--$(shell echo $(option) | tr A-Z a-z) "$($(option))")) $(if $(FOR),--python "$(FOR)")

gpu-unpack: $(VENV)/.installed ## Put what came back into results/: FROM="folder folder"
	@$(BIN)/python -m benchmarks.gpu unpack $(FROM)

gpu-list: $(VENV)/.installed ## List what is outstanding for the GPU
	@$(BIN)/python -m benchmarks.gpu list
