# Everything that a user does from a clone. `make help` lists it.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV ?= .venv
# The versions that were tested; CONSTRAINTS= installs the newest ones instead.
CONSTRAINTS ?= -c constraints.txt
PIP_ARGS ?=
# What installs: pip, or PIP='uv pip' with VIRTUAL_ENV set, which unpacks several packages at once.
PIP ?= $(BIN)/pip
SHARED ?= ../shared
CONFIG ?= nano
GPUS ?= 1
TEST_PROCESSES ?= auto
SET ?=
DRY_RUN ?=
# Of ext: operators of GPUs. auto: where there are a GPU and nvcc.
CUDA ?= auto
# Of gpu-pack and gpu-run: which plan of configs/gpu, and the size of the folder in millions of bytes.
PLAN ?= $(if $(filter tiny,$(CONFIG)),tiny,default)
MEGABYTES ?= 34
MINUTES ?= 9
STAGES ?= dvae codes diffusion gpt
CHECKS ?= 1
BIN := $(VENV)/bin
TTS := $(BIN)/triforce-tts

# `accelerate launch` only where there are several processes: one needs no launcher. Where there is no GPU, accelerate
# starts a single process, whatever it is asked for, unless it is told both of these.
NO_GPU = $(if $(filter True,$(shell $(BIN)/python -c 'import torch; print(torch.cuda.is_available())')),,ACCELERATE_USE_CPU=true)
SEVERAL = $(NO_GPU) $(BIN)/accelerate launch --multi_gpu --num_processes $(GPUS) $(LAUNCH_ARGS)
LAUNCH = $(if $(filter 1,$(GPUS)),$(BIN)/python,$(SEVERAL)) -m triforce_tts.cli.app
# Quoted, because a shell would take the braces of a setting for its own.
SETTINGS = $(foreach setting,$(SET),--set '$(setting)') $(if $(DRY_RUN),--dry-run)
SHARDS = $(foreach folder,$(DATA),--data $(folder))
# A name with spaces for the shell, which leaves a '~/' in quotation marks as it is. Names that the user quoted stay so.
START := <start>
quoted = $(if $(filter '% "%,$(firstword $(1)))$(findstring \,$(1)),$(1),"$(subst $(START),,$(subst $(START)~/,$(HOME)/,$(START)$(1)))")
need = $(if $($(1)),,$(error $(1) is missing: $(2)))

.PHONY: help demo test lint types format smoke train-dvae train-gpt train-diffusion train-distill train-dpo narrate speak-lines nano gpu-pack gpu-run wheel clean install dev ext

help: ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

$(VENV)/.python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' || { echo "Python 3.10 to 3.13 is needed; set PYTHON=..." >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.core: $(VENV)/.python pyproject.toml constraints.txt
	$(PIP) install --quiet $(CONSTRAINTS) $(PIP_ARGS) -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.python pyproject.toml constraints.txt
	$(PIP) install --quiet $(CONSTRAINTS) $(PIP_ARGS) -e '.[dev]'
	$(PIP) install --quiet $(PIP_ARGS) --no-deps resemblyzer==0.1.4  # for its weights alone: what it requires does not build everywhere
	@touch $@ $(VENV)/.core

# Where there is no compiler, installing goes on without the native operators.
NATIVE := triforce_tts/_native.txt
$(NATIVE): $(wildcard csrc/*.py csrc/*.cpp csrc/*.h csrc/*.cu) triforce_tts/native.py $(VENV)/.core
	@$(BIN)/python csrc/build.py || echo "going on without them" >&2

install: $(VENV)/.core $(NATIVE) ## Install what speaking needs into .venv
dev: $(VENV)/.dev $(NATIVE) ## Install everything: training, builder, tests
ext: $(VENV)/.core ## Build the native operators of csrc, for which a C++ compiler is needed; install and dev try it too. CUDA=auto, yes or no
	$(BIN)/python csrc/build.py --cuda $(CUDA)

demo: $(VENV)/.core $(NATIVE) ## Install, and speak a sentence with the bundled model to out/demo.wav
	@mkdir -p out
	$(TTS) speak "The birch canoe slid on the smooth planks." --out out/demo.wav

test: $(VENV)/.dev $(NATIVE) ## Install, and run all tests, in as many processes of one thread as there are cores
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(TEST_PROCESSES) --dist worksteal $(PYTEST_ARGS)

lint: $(VENV)/.dev ## Check style
	$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: $(VENV)/.dev ## Check types
	$(BIN)/mypy

format: $(VENV)/.dev ## Format the code
	$(BIN)/ruff check --fix . && $(BIN)/ruff format .

smoke: $(VENV)/.dev ## Whole chain at the size 'tiny': corpus, three stages, bundle, speak, listen
	$(BIN)/python -m tests.smoke

train-dvae: $(VENV)/.dev ## Stage 1: CONFIG= DATA="shards ..." RUN= GPUS= SET="run.steps=100 ..." DRY_RUN=1
	$(call need,DATA,folders of shards)$(call need,RUN,folder of the run)
	$(LAUNCH) train dvae --config $(call quoted,$(CONFIG)) $(SHARDS) --run $(call quoted,$(RUN)) $(SETTINGS)

train-gpt: $(VENV)/.dev ## Stage 2: as above; DATA holds coded shards
	$(call need,DATA,folders of coded shards)$(call need,RUN,folder of the run)
	$(LAUNCH) train gpt --config $(call quoted,$(CONFIG)) $(SHARDS) --run $(call quoted,$(RUN)) $(SETTINGS)

train-diffusion: $(VENV)/.dev ## Stage 3: as above, and DVAE=run of stage 1
	$(call need,DATA,folders of shards)$(call need,RUN,folder of the run)$(call need,DVAE,run or checkpoint of stage 1)
	$(LAUNCH) train diffusion --config $(call quoted,$(CONFIG)) $(SHARDS) --dvae $(call quoted,$(DVAE)) --run $(call quoted,$(RUN)) $(SETTINGS)

train-distill: $(VENV)/.dev ## Fewer steps for stage 3: as above, and TEACHER=run of stage 3
	$(call need,DATA,folders of shards)$(call need,RUN,folder of the run)$(call need,DVAE,run or checkpoint of stage 1)$(call need,TEACHER,run of stage 3)
	$(LAUNCH) train distill --config $(call quoted,$(CONFIG)) $(SHARDS) --dvae $(call quoted,$(DVAE)) --teacher $(call quoted,$(TEACHER)) --run $(call quoted,$(RUN)) $(SETTINGS)

train-dpo: $(VENV)/.dev ## After stage 2, on pairs of 'triforce-tts prefer': PAIRS="pairs ..." INIT= RUN=, and as above; DATA= for held-out speech
	$(call need,PAIRS,folders of pairs)$(call need,INIT,model folder or run of stage 2)$(call need,RUN,folder of the run)
	$(LAUNCH) train dpo --config $(call quoted,$(CONFIG)) $(foreach folder,$(PAIRS),--pairs $(folder)) --init $(call quoted,$(INIT)) $(SHARDS) --run $(call quoted,$(RUN)) $(SETTINGS)

narrate: $(VENV)/.dev ## Read a book aloud: BOOK= OUT= GPUS= OPTIONS="--master podcast ..."
	$(call need,BOOK,a book)$(call need,OUT,file or folder of the audiobook)
	$(LAUNCH) narrate $(call quoted,$(BOOK)) --out $(call quoted,$(OUT)) $(OPTIONS)

speak-lines: $(VENV)/.dev ## Speak a list of texts, a file each: LINES= OUT= GPUS= OPTIONS="--format .flac ..."
	$(call need,LINES,a list of texts)$(call need,OUT,folder of the files)
	$(LAUNCH) speak --lines $(call quoted,$(LINES)) --out $(call quoted,$(OUT)) $(OPTIONS)

nano: $(VENV)/.dev ## Train the bundled model anew: DATA=labelled recordings TEXTS=sentences KOKORO=the files of the teacher (resumable)
	PATH="$(abspath $(BIN)):$$PATH" DATA="$(or $(DATA),$(SHARED)/speech)" TEXTS="$(or $(TEXTS),$(SHARED)/texts/sentences.txt)" $(SHELL) configs/nano.sh

gpu-pack: $(VENV)/.dev ## For a rented GPU: DATA="shards ..." OUT= CODES= CONFIG= INIT= VOICE= WHEELS="package ..." WHEELS_PYTHON= MEGABYTES=34 SET=
	$(call need,DATA,folders of shards)$(call need,OUT,folder of the pack)
	$(TTS) gpu-pack --config $(call quoted,$(CONFIG)) --plan $(call quoted,$(PLAN)) $(SHARDS) $(foreach folder,$(CODES),--codes $(folder)) --out $(call quoted,$(OUT)) \
	  $(if $(INIT),--init $(call quoted,$(INIT))) $(if $(VOICE),--voice $(call quoted,$(VOICE))) $(foreach wheel,$(WHEELS),--wheels $(wheel)) \
	  $(if $(WHEELS_PYTHON),--python $(WHEELS_PYTHON)) --constraints constraints.txt --megabytes $(MEGABYTES) \
	  $(foreach setting,$(SET),--set '$(setting)') $(if $(FORCE),--force)

gpu-run: ## On that GPU, without a network: PACK= OUT= MINUTES=9 STAGES="dvae codes diffusion gpt" PYTHON= CHECKS=1 WORK= SET=
	$(call need,PACK,folder that gpu-pack made)$(call need,OUT,folder for the results)
	PACK="$(PACK)" OUT="$(OUT)" MINUTES="$(MINUTES)" STAGES="$(STAGES)" CHECKS="$(CHECKS)" WORK="$(WORK)" SET="$(SET)" \
	  PYTHON="$(if $(wildcard $(VENV)/.dev),$(BIN)/python,$(PYTHON))" $(SHELL) configs/gpu-run.sh

wheel: $(VENV)/.dev ## Build a wheel into dist/
	$(BIN)/pip wheel --quiet --no-deps --wheel-dir dist .

clean: ## Remove environments and build products (not runs, not shards)
	rm -rf $(VENV) .ci-venv build dist out *.egg-info triforce_tts/_native.* .pytest_cache .mypy_cache .ruff_cache
