# The main commands are `make build image=edge.yml` and `make test`. Both first install what they need.
VENV   ?= .venv
PYTHON ?= python3
DOIT   := $(VENV)/bin/doit
PYTEST := $(VENV)/bin/python -m pytest

# Needed on the host: Python, gpg, newuidmap for an ordinary user; qemu and OVMF to boot images.
BUILD_PACKAGES := python3-venv gnupg uidmap debian-archive-keyring
BOOT_PACKAGES  := qemu-system-x86 ovmf
# Used only by tests and benchmarks, to compare with.
STANDIN_PACKAGES := createrepo-c gnupg openssl rpm
TEST_PACKAGES  := $(BOOT_PACKAGES) $(STANDIN_PACKAGES) apt-utils binutils btrfs-progs cpio cryptsetup-bin dnf dosfstools e2fsprogs efitools erofs-utils fdisk gcc gdisk git grub-common grub-efi-amd64-bin grub-pc-bin libc6-dev libfaketime mmdebstrap mtools pigz openssh-client qemu-utils sbsigntool softhsm2 squashfs-tools xfsprogs xorriso zstd zstd

# A word that make would drop in silence, such as IMAGE=edge, is refused; those of a build are handed on to it.
OWN   := VENV PYTHON seconds harness serve
WORDS := $(filter image=% cache=% timeout=% var.%,$(MAKEOVERRIDES))
WRONG := $(filter-out $(WORDS) $(addsuffix =%,$(OWN)),$(MAKEOVERRIDES))
ifneq ($(WRONG),)
$(error expected image=, cache=, timeout=, var.NAME=, $(addsuffix =,$(OWN)) found $(WRONG))
endif

.PHONY: help build boot-test test test-all lint coverage bench fuzz standin lock clean packages-build packages-boot packages-test packages-standin

build: $(VENV)/build.stamp packages-build
	$(DOIT) build $(WORDS)

help:
	@echo 'make [build] [image=edge.yml]   set up .venv, build (without image=: the recipes marked default: true)'
	@echo 'make boot-test image=edge.yml   the same, with qemu and firmware, and boot the image'
	@echo 'make test                       lint, types and the quick tests;  make test-all: all of them'
	@echo 'make lint                       ruff and mypy'
	@echo 'make bench                      measure a build, see docs/benchmarks.md'
	@echo 'make fuzz [seconds=180]         see docs/fuzzing.md;  make coverage: docs/coverage.md'
	@echo 'make standin [serve=1]          the stand-in rpm distribution, see docs/standin.md'
	@echo 'make lock                       write the lists of Python packages again'
	@echo 'make clean                      remove the environments'
	@echo 'cache=DIRECTORY, timeout=SECONDS and var.NAME=VALUE are handed to the build.'

boot-test: $(VENV)/build.stamp packages-build packages-boot
	$(DOIT) boot-test $(WORDS)

test: $(VENV)/test.stamp packages-test lint
	$(PYTEST) -m "not slow"

test-all: $(VENV)/test.stamp packages-test lint
	$(PYTEST)

lint: $(VENV)/test.stamp
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

# make coverage [tests='tests/net -m "not slow"']: the lines of oic that no test reaches, see docs/coverage.md.
coverage: $(VENV)/test.stamp packages-test
	$(VENV)/bin/python -m tests.reach $(tests)

bench: $(VENV)/test.stamp packages-test
	$(VENV)/bin/python benchmarks/build.py

# make fuzz [seconds=180] [harness=NAME]: see docs/fuzzing.md. It has its own environment.
fuzz: $(VENV)-fuzz/fuzz.stamp
	PYTHONPATH=tests $(VENV)-fuzz/bin/python -m fuzz run $(if $(seconds),--seconds $(seconds)) $(harness)

# The stand-in for the rpm distributions, in OIC_STANDIN or the user's cache: see docs/standin.md.
standin: $(VENV)/test.stamp packages-standin
	$(VENV)/bin/python -m tests.standin $(if $(serve),serve)

packages-build: ; @./.ci/packages $(BUILD_PACKAGES)
packages-boot:  ; @./.ci/packages $(BOOT_PACKAGES)
packages-test:  ; @./.ci/packages $(BUILD_PACKAGES) $(TEST_PACKAGES)
packages-standin: ; @./.ci/packages $(STANDIN_PACKAGES)

# requirements.lock has the packages to run and install oic, requirements-test.lock the same versions and test tools.
$(VENV)/build.stamp: pyproject.toml requirements.lock | packages-build
	@./.ci/environment build $(VENV) $(PYTHON)

$(VENV)/test.stamp: pyproject.toml requirements.lock requirements-test.lock | packages-build
	@./.ci/environment test $(VENV) $(PYTHON)

$(VENV)-fuzz/fuzz.stamp: pyproject.toml requirements.lock requirements-fuzz.lock | packages-build
	@./.ci/environment fuzz $(VENV)-fuzz $(PYTHON)

lock: packages-build
	PYTHON=$(PYTHON) ./.ci/lock

clean:
	rm -rf $(VENV) $(VENV)-fuzz .mypy_cache .ruff_cache .pytest_cache
