# SPDX-License-Identifier: Apache-2.0
# The promised names over Meson. "make help" lists them.

BUILD ?= build
JOBS ?= $(shell nproc 2>/dev/null || echo 2)
MESON = meson setup --reconfigure $(1) $(2) >$(1).log 2>&1 || meson setup $(1) $(2) >$(1).log 2>&1 || { cat $(1).log; exit 1; }
PREFIX ?= /usr/local
DESTDIR ?=
# C tests of what runs in several threads
THREADED = base/task base/wake net/client net/listener net/listener_life net/listener_tls crypto/hash vault/relay \
	vault/relay_source vault/base_credentials store/audit_file store/audit_faults store/sqlite core/limiter aws/lambda \
	tvm/document_cache

.PHONY: all help demo check test lint attacks traceability bench soak fuzz sanitize tsan release lambda-tvm format docs \
	docs-check install clean deps

all: ## build the programs into build/
	@packaging/deps/install build
	@mkdir -p $(BUILD)
	@$(call MESON,$(BUILD)/programs,-Dtests=false)
	@echo 'building (about a minute the first time)' >&2
	@ninja -C $(BUILD)/programs -j$(JOBS) --quiet
	@for p in sentinel sentinel-tvm sentinel-lab; do ln -sf programs/src/main/$$p $(BUILD)/$$p; done

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | sort | awk -F'\t' '{printf "  make %-14s %s\n", $$1, $$2}'

demo: ## show the main job from end to end (KEEP=1 leaves the lab open)
	@packaging/deps/install demo
	@$(MAKE) --no-print-directory all
	@contrib/demo/run

check: ## run the whole test suite; does its own set-up
	@packaging/deps/install check
	@tests/run --build $(BUILD)/check

test: check

lint: ## all source and documentation checks
	@packaging/deps/install check
	@tests/run --build $(BUILD)/check --only lint

attacks: ## list the attack classes with their tests; fails when one has none
	@python3 tests/lint/attacks.py

traceability: ## acceptance checks without a test, and ids that do not exist
	@python3 tests/lint/traceability.py

bench: ## measure; BENCH=client|tvm|lambda|policy|audit runs one group
	@packaging/deps/install bench release
	@tests/bench/run $(BENCH)

soak: ## the counted proofs at their full counts (tests/counts.toml); takes hours
	@packaging/deps/install check
	@tests/run --build $(BUILD)/check --counts soak
	@tests/fuzz/run.sh --counts soak

fuzz: ## live fuzzing of every target for the count of tests/counts.toml
	@packaging/deps/install check
	@tests/fuzz/run.sh --counts ci

sanitize: ## the suite under AddressSanitizer and UndefinedBehaviorSanitizer
	@packaging/deps/install check
	@tests/run --build $(BUILD)/asan --meson '-Db_sanitize=address,undefined -Db_lundef=false -Dc_args=-fno-sanitize-recover=all' --only unit,golden,integration

tsan: ## the threaded parts under ThreadSanitizer
	@packaging/deps/install check
	@tests/run --build $(BUILD)/tsan --meson '-Db_sanitize=thread -Db_lundef=false' --only unit --tests '$(THREADED)'

release: ## static programs in build/release/
	@packaging/deps/install release
	@packaging/release/build-release $(BUILD)

lambda-tvm: release ## bin/lambda-tvm-linux-<arch>.zip with one executable, bootstrap
	@packaging/release/build-lambda $(BUILD)

format: ## clang-format in place
	@git ls-files '*.c' '*.h' | xargs clang-format -i

docs: all ## write the generated reference pages again
	@docs/generate $(BUILD)

docs-check: all ## fail when a generated page is not current
	@docs/generate --check $(BUILD)

install: all ## into $(DESTDIR)$(PREFIX)
	@meson configure $(BUILD)/programs --prefix $(abspath $(PREFIX))
	@DESTDIR='$(DESTDIR)' meson install -C $(BUILD)/programs --quiet

clean:
	@rm -rf $(BUILD) bin
