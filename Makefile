# What people type. `make` alone lists it.

CARGO ?= cargo
# Where `make install` puts things.
DESTDIR ?=
PREFIX ?= /usr/local

.DEFAULT_GOAL := help
.PHONY: help build plugins guests test-clock demo test lint deny simulate bench azure install clean test-clock

help: ## This list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: plugins ## The daemon, rotorctl and the stand-in, for trying out and for tests
	$(CARGO) build --workspace --bins

plugins: ## The provider components, into build/plugins
	plugins/build

guests: ## The misbehaving components that tests use, into build/guests
	plugins/build guests

# The daemon with a clock that can run faster: for tests that need months in seconds. `--workspace`, so that it is
# built on the same dependencies as the rest.
test-clock:
	$(CARGO) build --workspace --features rotord/test-clock --bin rotord-test-clock

demo: build ## The main job, to watch: KEEP=1 leaves it running
	@$(CARGO) run --quiet --package e2e --bin demo

# nextest where it is installed, else cargo's own runner: the same tests.
test: build guests test-clock ## All tests
	@if $(CARGO) nextest --version >/dev/null 2>&1; then \
		echo '$(CARGO) nextest run --workspace'; $(CARGO) nextest run --workspace; \
	else \
		echo '$(CARGO) test --workspace'; $(CARGO) test --workspace --lib --bins --tests; \
	fi
	$(CARGO) test --workspace --doc

lint: ## Format, clippy with warnings as errors
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets -- -D warnings

deny: ## Licences, sources, duplicates and known vulnerabilities of what we depend on
	.ci/deny

simulate: ## SEEDS=n stories of the simulator (FROM=n on), or SEED=n alone, told (ONLY='...' as printed)
	@SEEDS=$(SEEDS) FROM=$(FROM) SEED=$(SEED) ONLY='$(ONLY)' $(CARGO) run --quiet --release --package simulator

bench: plugins guests ## Figures, as ratios measured in one run
	$(CARGO) build --release --package rotord --package rotorctl
	$(CARGO) bench --package rotord-provider --bench call
	$(CARGO) run --release --package bench

azure: ## The stand-in for Entra and Graph by itself, for any client: CONFIG=file
	$(CARGO) run --quiet --package azure-standin -- --config $(or $(CONFIG),tests/azure/sample.toml) \
		--listen $(or $(LISTEN),127.0.0.1:8443) --ca-file build/azure-ca.pem

install: plugins ## The release build into DESTDIR and PREFIX
	$(CARGO) build --release --package rotord --package rotorctl
	install -D -m 0755 target/release/rotord $(DESTDIR)$(PREFIX)/bin/rotord
	install -D -m 0755 target/release/rotorctl $(DESTDIR)$(PREFIX)/bin/rotorctl
	for plugin in build/plugins/*.wasm; do \
		install -D -m 0644 $$plugin $(DESTDIR)$(PREFIX)/lib/rotord/providers/$${plugin##*/}; \
	done
	install -D -m 0644 config/rotord.toml $(DESTDIR)/etc/rotord/rotord.toml.example
	install -D -m 0644 config/rotord.service $(DESTDIR)$(PREFIX)/lib/systemd/system/rotord.service
	install -D -m 0644 config/rotord.sysusers $(DESTDIR)$(PREFIX)/lib/sysusers.d/rotord.conf
	install -D -m 0644 config/rotord.tmpfiles $(DESTDIR)$(PREFIX)/lib/tmpfiles.d/rotord.conf
	sed -i 's|/usr/bin/rotord|$(PREFIX)/bin/rotord|' $(DESTDIR)$(PREFIX)/lib/systemd/system/rotord.service

clean: ## What was built
	$(CARGO) clean
	rm -rf build
