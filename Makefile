# What people type. `make` alone lists it.

CARGO ?= cargo
# Where `make install` puts things.
DESTDIR ?=
PREFIX ?= /usr/local
# Debian's zsh looks below /usr in another folder than below /usr/local.
ZSH_COMPLETIONS ?= $(PREFIX)/share/zsh/$(if $(filter /usr,$(PREFIX)),vendor-completions,site-functions)
# What `make install` copies, and where its programs are.
BUILT ?= target/release
RELEASED := $(BUILT)/rotord $(BUILT)/rotorctl build/plugins/azure-client-secret.wasm \
	build/man/rotorctl.1 build/completions/rotorctl.bash build/completions/rotorctl.zsh build/completions/rotorctl.fish

.DEFAULT_GOAL := help
.PHONY: help needs build plugins guests test-daemon test-release demo test lint deny simulate mutations crash neighbours bench azure clients release pages install deb test-boot clean

help: ## This list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# `--workspace`, here and below, so that all is built on the same dependencies.
build: plugins ## The daemon, rotorctl and the stand-in, for trying out and for tests
	$(CARGO) build --workspace --bin rotord --bin rotorctl --bin azure-standin --bin demo

plugins: ## The provider components, into build/plugins
	plugins/build

guests: ## The misbehaving components that tests use, into build/guests
	plugins/build guests

# The daemon as tests need it: its clock can run faster, and it can be killed at named places.
test-daemon:
	$(CARGO) build --workspace --features rotord/test-build --bin rotord-test

# Before anything is built: who has to install something should not wait for that first.
needs:
	@tests/needs curl

demo: needs build ## The main job, to watch: KEEP=1 leaves it running
	@target/debug/demo

# nextest where it is installed, else cargo's own runner: the same tests.
test: needs build guests test-daemon ## All tests
	@if $(CARGO) nextest --version >/dev/null 2>&1; then \
		echo '$(CARGO) nextest run --workspace'; $(CARGO) nextest run --workspace; \
	else \
		echo '$(CARGO) test --workspace'; $(CARGO) test --workspace --lib --bins --tests; \
	fi
	$(CARGO) test --workspace --doc

test-boot: build ## A real systemd boots, and rotord in it: the service, its sockets, a unit's credential, its watchdog
	@$(MAKE) --no-print-directory pages BUILT=target/debug
	@tests/boot/both

lint: ## Format, clippy with warnings as errors
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets -- -D warnings

deny: ## Licences, sources, duplicates and known vulnerabilities of what we depend on
	.ci/deny

simulate: ## SEEDS=n stories of the simulator (FROM=n on), or SEED=n alone, told (ONLY='...' as printed)
	@SEEDS=$(SEEDS) FROM=$(FROM) SEED=$(SEED) ONLY='$(ONLY)' $(CARGO) run --quiet --release --package simulator

mutations: build test-daemon ## Breaks the domain, then the daemon around it, a rule at a time: every one must be caught
	tests/simulator/mutations
	$(CARGO) build --workspace --bin crash
	tests/crash/mutations

# What thousands of starts and rotations are measured with: optimised, as it is installed.
test-release: plugins guests
	$(CARGO) build --release --workspace --bin rotord --bin rotorctl
	$(CARGO) build --release --workspace --features rotord/test-build --bin rotord-test --bin crash --bin neighbours

# What was played of this commit before is not played again: build/crash-ledger.jsonl.
crash: test-release ## RUNS=n of the real daemon killed at named places and at random; SEED=n plays one again
	@target/release/crash $(if $(SEED),seed $(SEED),$(if $(AT),at $(AT),$(or $(RUNS),200)))

# The bench links the provider host itself, so everything is built as one workspace: the same dependencies once.
bench: plugins guests ## Figures, as ratios measured in one run
	$(CARGO) build --release --workspace --bins
	@target/release/bench
	$(CARGO) bench --workspace --bench call

neighbours: test-release ## How late 500 rotations are beside a failing, a looping and a trapping provider
	@TMPDIR=$(if $(wildcard /dev/shm),/dev/shm,/tmp) target/release/neighbours

azure: ## The stand-in for Entra and Graph by itself, for any client: CONFIG=file
	@mkdir -p build
	$(CARGO) run --quiet --package azure-standin -- --config $(or $(CONFIG),tests/azure/sample.toml) \
		--listen $(or $(LISTEN),127.0.0.1:8443) --ca-file build/azure-ca.pem

clients: ## Microsoft's own clients against the stand-in, from PyPI
	@tests/azure/clients/run

release: plugins ## What `make install` copies, with manual pages and completions
	$(CARGO) build --release --package rotord --package rotorctl
	@$(MAKE) --no-print-directory pages

# What rotorctl says of itself.
pages:
	rm -rf build/man build/completions
	mkdir -p build/man build/completions
	$(BUILT)/rotorctl man build/man
	for shell in bash zsh fish; do \
		$(BUILT)/rotorctl completions $$shell >build/completions/rotorctl.$$shell || exit 1; \
	done

# Builds nothing: as root there is seldom a toolchain, and what root builds belongs to root.
install: ## What `make release` has built, into DESTDIR and PREFIX
	@for file in $(RELEASED); do \
		[ -e $$file ] || { echo "$$file is missing: run make release first, as yourself; root is needed to copy only" >&2; exit 1; }; \
	done
	install -D -m 0755 $(BUILT)/rotord $(DESTDIR)$(PREFIX)/bin/rotord
	install -D -m 0755 $(BUILT)/rotorctl $(DESTDIR)$(PREFIX)/bin/rotorctl
	for plugin in build/plugins/*.wasm; do \
		install -D -m 0644 $$plugin $(DESTDIR)$(PREFIX)/lib/rotord/providers/$${plugin##*/} || exit 1; \
	done
	install -D -m 0644 config/rotord.toml $(DESTDIR)/etc/rotord/rotord.toml.example
	install -D -m 0644 config/rotord.service $(DESTDIR)$(PREFIX)/lib/systemd/system/rotord.service
	for unit in config/rotord-*.socket; do \
		install -D -m 0644 $$unit $(DESTDIR)$(PREFIX)/lib/systemd/system/$${unit##*/} || exit 1; \
	done
	sed -i 's|/usr/bin/rotord|$(PREFIX)/bin/rotord|' $(DESTDIR)$(PREFIX)/lib/systemd/system/rotord.service
	install -D -m 0644 config/rotord.sysusers $(DESTDIR)$(PREFIX)/lib/sysusers.d/rotord.conf
	install -D -m 0644 config/rotord.tmpfiles $(DESTDIR)$(PREFIX)/lib/tmpfiles.d/rotord.conf
	install -D -m 0644 config/native-engine.conf $(DESTDIR)$(PREFIX)/share/doc/rotord/examples/native-engine.conf
	install -D -m 0644 config/rotord.8 $(DESTDIR)$(PREFIX)/share/man/man8/rotord.8
	for page in build/man/*.1; do \
		install -D -m 0644 $$page $(DESTDIR)$(PREFIX)/share/man/man1/$${page##*/} || exit 1; \
	done
	install -D -m 0644 build/completions/rotorctl.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/rotorctl
	install -D -m 0644 build/completions/rotorctl.zsh $(DESTDIR)$(ZSH_COMPLETIONS)/_rotorctl
	install -D -m 0644 build/completions/rotorctl.fish $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/rotorctl.fish

deb: release ## A Debian package, in build/deb
	@config/debian/make

clean: ## What was built
	$(CARGO) clean
	rm -rf build
