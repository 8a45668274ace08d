# Everything that one does with Keyward. `make help` lists it; what it lists is safe to repeat.

SHELL := /bin/sh
.DEFAULT_GOAL := help

TARGET := $(abspath $(or $(CARGO_TARGET_DIR),target))
PROGRAM := $(TARGET)/debug/keyward
# Test vectors that are not part of the project, if they are there.
VECTORS := $(abspath $(wildcard ../shared/vectors))

# What is released.
DIST := $(TARGET)/dist

# What builds the book where no mdbook is installed.
MDBOOK_VERSION := 0.5.4

.PHONY: help run build test interop crash lint look bench bench-scale release docs fuzz memory systemd toolchain

help: ## this list
	@echo "Keyward"
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1\t/p' $(MAKEFILE_LIST) | while IFS="$$(printf '\t')" read -r name what; do \
		printf '  make %-11s %s\n' "$$name" "$$what"; \
	done

run: toolchain ## build and start it with demo applications, data in ./data (ARGS="--listen …" adds options)
	@cargo build --package keyward
	@exec $(PROGRAM) dev $(ARGS)

build: toolchain ## build it; the last line is the path of the program
	@cargo build --package keyward
	@echo $(PROGRAM)

test: toolchain ## everything that CI tests; installs or starts what it needs
	@set -e; \
	needs="$$(tests/setup.sh)"; eval "$$needs"; \
	if [ -n "$(VECTORS)" ]; then export KEYWARD_VECTORS="$(VECTORS)"; fi; \
	echo "test: unit, property, conformance and in-process tests"; \
	cargo test --workspace; \
	if [ -x tests/run.sh ]; then \
		echo "test: black box over the built program"; \
		cargo build --package keyward; \
		KEYWARD_BIN=$(PROGRAM) tests/run.sh; \
	fi

interop: toolchain ## relying parties of others and the programs of docs/examples against it (CLIENTS="…" names some)
	@set -e; needs="$$(tests/setup.sh postgres browser clients interop)"; eval "$$needs"; \
	cargo build --package keyward; \
	export KEYWARD_BIN=$(PROGRAM); \
	tests/interop/run.sh $(CLIENTS); \
	if [ -z "$(CLIENTS)" ] && [ -x docs/examples/run.sh ]; then docs/examples/run.sh; fi

fuzz: toolchain ## fuzz every parser, MINUTES (10) each, under the address sanitizer (TARGETS="jwt form" names some)
	@fuzz/run.sh $(TARGETS)

memory: toolchain ## the memory safety of the unsafe module: Miri, address sanitizer, NEON under qemu (PARTS="miri asan" names some)
	@pure/passwords/check.sh $(PARTS)

crash: toolchain ## faults under load, 200 rounds of kills and power losses, about an hour (ARGS="--minutes 20 power" for less)
	@set -e; needs="$$(tests/setup.sh postgres clients)"; eval "$$needs"; \
	cargo build --package keyward; \
	KEYWARD_BIN=$(PROGRAM) tests/crash/run.sh --results $(ARGS)

systemd: toolchain ## the units of deploy/ in a Debian that is booted in a container, as root
	@cargo build --package keyward; KEYWARD_BIN=$(PROGRAM) tests/systemd/run.sh

lint: toolchain ## formatting, clippy without warnings, and the rules of xtask
	@cargo fmt --version >/dev/null 2>&1 && cargo clippy --version >/dev/null 2>&1 || { \
		echo "make lint needs rustfmt and clippy. Type: rustup component add rustfmt clippy" >&2; exit 1; }
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	cargo run --quiet --package xtask -- all

look: toolchain ## draw every page in every state as contact sheets (PNG) under ./look
	@set -e; needs="$$(tests/setup.sh browser)"; eval "$$needs"; tests/look/run.sh

bench: toolchain ## what each operation costs, beside its limit (FULL=1 takes longer; ARGS="--against FILE --only B2,B7")
	@set -e; needs="$$(tests/setup.sh postgres)"; eval "$$needs"; \
	cargo build --release --package keyward --package bench; \
	$(TARGET)/release/bench --program $(TARGET)/release/keyward $(if $(FULL),--full) $(ARGS)

bench-scale: toolchain ## the same with a million people in the store, or ten (ARGS="--people 10000000 --engine sqlite")
	@set -e; needs="$$(tests/setup.sh postgres)"; eval "$$needs"; \
	cargo build --release --package keyward --package bench; \
	$(TARGET)/release/bench scale --program $(TARGET)/release/keyward $(ARGS)

release: toolchain ## the stripped program with its bill of materials and checksums, in target/dist
	@set -e; cargo build --release --locked --package keyward; \
	mkdir -p $(DIST); cp deploy/keyward* $(DIST)/; if [ -f LICENSE ]; then cp LICENSE $(DIST)/; fi; \
	strip -o $(DIST)/keyward $(TARGET)/release/keyward; \
	cargo run --quiet --package xtask -- bom > $(DIST)/keyward.cdx.json; \
	(cd $(DIST) && rm -f SHA256SUMS && sha256sum * > ../SHA256SUMS && mv ../SHA256SUMS .); \
	wc -c < $(DIST)/keyward | xargs echo "bytes of the program:"; echo $(DIST)

docs: ## build the book of docs/ in target/book (without an installed mdbook: compiles one, once, some minutes)
	@set -e; mdbook="$$(command -v mdbook || echo $(TARGET)/mdbook/bin/mdbook)"; \
	if [ ! -x "$$mdbook" ]; then \
		echo "docs: compiling mdbook $(MDBOOK_VERSION) into $(TARGET)/mdbook, which takes two to six minutes, once"; \
		cargo install --quiet mdbook --version $(MDBOOK_VERSION) --locked --no-default-features --features search \
			--root $(TARGET)/mdbook; \
	fi; \
	"$$mdbook" build docs --dest-dir $(TARGET)/book; \
	find $(TARGET)/book/examples \( -name node_modules -o -name target -o -name .venv \) -prune -exec rm -rf {} +; \
	echo $(TARGET)/book/index.html

# A C compiler and a Rust that is new enough, or a sentence that says what to type.
toolchain:
	@want="$$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)"; \
	command -v cc >/dev/null || { \
		echo "Keyward needs a C compiler (for SQLite and the cryptography). Type: sudo apt-get install gcc libc6-dev" >&2; exit 1; }; \
	command -v cargo >/dev/null && command -v rustc >/dev/null || { \
		echo "Keyward needs Rust $$want or newer. Install rustup from https://rustup.rs, then type: rustup toolchain install stable" >&2; exit 1; }; \
	have="$$(rustc --version | cut -d ' ' -f 2)"; \
	[ "$$(printf '%s\n%s\n' "$$want" "$$have" | sort -V | head -n 1)" = "$$want" ] || { \
		echo "Keyward needs Rust $$want or newer; this is $$have. Type: rustup update stable && rustup default stable" >&2; exit 1; }
