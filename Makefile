# Names for the commands of run.py, and the Python environment that they run in.
#
#   make samples                    on the engine that suits this machine; `make engine` says why
#   make samples ENGINE=tf2         on this engine
#   make samples ARGS='--seed 7'    ARGS go to run.py as they stand; ARGS=--help lists them

.DEFAULT_GOAL := help

# A recipe is one shell script that ends at the first command that fails.
.ONESHELL:
.SHELLFLAGS := -ec

# --- What this machine has.

# $(call runs,TOOLS,ARGUMENTS): the first of TOOLS that succeeds with ARGUMENTS, else nothing.
runs = $(firstword $(foreach tool,$(1),$(shell $(tool) $(2) >/dev/null 2>&1 && echo $(tool))))

WITH_TF2_WHEELS := import ensurepip, sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))

CONDA    := $(call runs,micromamba mamba conda,--version)
PYTHON37 := $(call runs,python3.7,-c 'import ensurepip')
PYTHON3  := $(call runs,python3.13 python3.12 python3.11 python3.10 python3,-c '$(WITH_TF2_WHEELS)')
NVIDIA    = $(call runs,nvidia-smi,-L)

# The compute capability of a GPU newer than Turing, else nothing. Drivers too old to know the field
# are also too old for the CUDA of tf2.
NEWER_GPU = $(shell nvidia-smi --query-gpu=compute_cap --format=csv,noheader 2>/dev/null | \
	LC_ALL=C awk '$$1 + 0 > 7.5 {print $$1; exit}')

# --- The engine: tf1 is TensorFlow 1.15.5 on Python 3.7, tf2 is TensorFlow 2.21 on Python 3.

# tf1, the pinned baseline, wherever it works as intended: the CUDA 10 that it was built for knows no
# GPU newer than Turing (compute capability 7.5), so those get tf2.
ifneq ($(ENGINE),)
    WHY := set by ENGINE
else ifeq ($(CONDA)$(PYTHON37),)
    ENGINE := tf2
    WHY := found no conda, mamba or micromamba and no python3.7 that runs
else ifneq ($(NEWER_GPU),)
    ENGINE := tf2
    WHY := found a GPU of compute capability $(NEWER_GPU), too new for the CUDA 10 of tf1
else
    ENGINE := tf1
    WHY := found $(or $(CONDA),$(PYTHON37))
endif

ifeq ($(filter tf1 tf2,$(ENGINE)),)
    $(error ENGINE=$(ENGINE) is no engine; type ENGINE=tf1 or ENGINE=tf2)
endif

# --- Its environment, .env/ENGINE: made on first use, and again only when its pins change.

PINS_tf1 := requirements-tf1.lock environment.yml requirements-tf1.txt
PINS_tf2 := requirements-tf2.lock

# The last step of making an environment leaves this file, named after the contents of the pins.
MADE   := .env/$(ENGINE)/made-from-$(firstword $(shell cat $(PINS_$(ENGINE)) | cksum))
PYTHON := .env/$(ENGINE)/bin/python
PIP    := $(PYTHON) -m pip install --quiet --no-input --progress-bar off \
	--disable-pip-version-check

# The locks hold TensorFlow for CPUs and for CUDA; these are the packages of the other build. Of tf2
# there is one for CPUs alone on x86-64 only.
OTHER_BUILD_tf1 = tensorflow$(if $(NVIDIA),,-gpu)
OTHER_BUILD_tf2 = $(if $(NVIDIA),tensorflow-cpu,nvidia-[a-z0-9-]+|tensorflow$(if \
	$(filter x86_64,$(shell uname -m)),,-cpu))
LOCKED = awk '/^[a-z]/ {wanted = !/^($(OTHER_BUILD_$(ENGINE)))==/} wanted' \
	requirements-$(ENGINE).lock

define tf1_by_conda
MAMBA_ALWAYS_YES=1 $(CONDA) $(if $(filter micromamba,$(CONDA)),,env) create \
    -p .env/tf1 -f environment.yml
endef

# Python 3.7 may bring a pip that is too old for the wheels.
define by_venv
$(1) -m venv .env/$(ENGINE)
$(PIP) 'pip>=20.3'
$(LOCKED) | $(PIP) --require-hashes -r /dev/stdin
endef

define make_tf1
$(if $(CONDA),$(tf1_by_conda),$(if $(PYTHON37),$(call by_venv,$(PYTHON37)),\
$(error tf1 needs conda, mamba, micromamba or a python3.7 that runs; or type ENGINE=tf2)))
endef

define make_tf2
$(if $(PYTHON3),$(call by_venv,$(PYTHON3)),\
$(error tf2 needs a Python from 3.10 to 3.13 with venv; install one, such as python3.12))
endef

# Of two `make` at once one makes the environment and the other waits. The lock ends with its owner.
define lock
exec 9> .env/$(ENGINE).lock
if command -v flock >/dev/null && ! flock -n 9; then
    echo "environment: another make is making .env/$(ENGINE); waiting for it"
    flock 9
fi
endef

$(MADE): | engine
	@mkdir -p .env
	$(lock)
	if test -e $@; then exit; fi
	echo "environment: making .env/$(ENGINE), once; this takes a minute or two"
	rm -rf .env/$(ENGINE)
	$(make_$(ENGINE))
	touch $@

# --- The targets. `make` alone prints them.

.PHONY: help engine env lock demo download prune train-stylegan train-gpt2 train-tagger samples cards
.PHONY: explore text metrics bench lint test test-all torture parity parity-measure clean

help:            ## print this list
	@awk -F ':.*## ' '/^[a-z]/ && NF == 2 {printf "make %-15s %s\n", $$1, $$2}' Makefile

samples:         ## make fake products: images, videos, texts and a page in out/samples
train-stylegan:  ## train StyleGAN, on the demo catalogue unless ARGS='--data DIR'
train-gpt2:      ## fine-tune GPT-2, on the demo catalogue unless ARGS='--data DIR'
train-tagger:    ## train classifiers of category and attributes, for images and texts
cards:           ## make products only, each with a text that fits: ARGS='--count 100'
explore:         ## make, change, describe and find products on a page of your own machine
demo:            ## draw the demo catalogue
download:        ## fetch released weights and public data: ARGS=--list
prune:           ## sort bad shots out of a catalogue: ARGS='--data DIR --out DIR2'
text:            ## write descriptions: ARGS='--prompt "red dress" --count 4'
metrics:         ## measure generated images against the catalogue's
bench:           ## measure the speed beside what this machine could do at best

demo download prune train-stylegan train-gpt2 train-tagger samples cards explore text metrics bench: env
	$(PYTHON) run.py $@ $(ARGS)

# Up to four processes, each with whole files: what a file has trained serves all of its tests.
PYTEST := -m pytest -q -n auto --maxprocesses 4 --dist loadfile --durations 10

lint: env        ## check the code with ruff, by the rules in pyproject.toml
	$(PYTHON) -m ruff check .

test: env        ## run the tests, without the slow ones; ARGS=tests/gpt2 runs one folder
	$(PYTHON) $(PYTEST) -m 'not slow' $(or $(ARGS),tests)

test-all: env    ## run all tests
	$(PYTHON) $(PYTEST) $(or $(ARGS),tests)

torture: env     ## kill trainings, fill disks, damage files: hours; ARGS='--kills 4 --pairs 2'
	$(PYTHON) tests/torture.py $(ARGS)

parity:          ## compare both networks with the originals' numbers in tests/data, on both engines
	@rm -rf out/parity
	$(MAKE) --no-print-directory parity-measure ENGINE=tf1 || true
	$(MAKE) --no-print-directory parity-measure ENGINE=tf2 || true
	$(PYTHON) tests/parity.py --table out/parity/*.json

parity-measure: env  ## measure it on one engine: ENGINE=tf1 or ENGINE=tf2
	@mkdir -p out/parity
	$(PYTHON) tests/parity.py out/parity/$(ENGINE).json

UV_LOCK := uv pip compile --quiet --generate-hashes --no-annotate --no-header

lock:            ## resolve requirements-tf*.txt anew into the .lock files, with hashes; needs uv
	sed '/^tensorflow-gpu/ {p; s/-gpu//}' requirements-tf1.txt | $(UV_LOCK) \
	    --python-version 3.7 --python-platform x86_64-manylinux_2_28 - > requirements-tf1.lock
	sed '/^tensorflow\[/ {p; s/\[and-cuda\]/-cpu/}' requirements-tf2.txt | $(UV_LOCK) \
	    --python-version 3.10 --universal - > requirements-tf2.lock

engine:          ## say which engine is taken and why: ENGINE=tf1 or ENGINE=tf2 asks for one
	@echo "engine: $(ENGINE) ($(WHY))"

env: engine $(MADE)  ## make the environment of the engine, where it is not made yet

clean:           ## remove the environments; catalogues, trained runs and samples stay
	rm -rf .env
