# Everything runs from a fresh clone on a machine with Rust, Node.js (with npm) and make; `make help` lists the targets.

FORGE := script/tools/forge
# Where end-to-end tests and the demo find the chain.
export PROOPHI_ANVIL ?= $(CURDIR)/script/tools/anvil

NODE_MODULES := node_modules/.package-lock.json
SNAPSHOTS := snapshots
ABI := crates/bindings/abi
FRESH_ABI := cache/abi
FRESH_SNAPSHOTS := cache/snapshots

# What kind of market the demo plays in.
MECHANISM ?= core
SEALED ?=

# What is formatted; by itself forge looks at the directories of its profile alone.
SOLIDITY := contracts script tests

# What to test, if not everything.
FORGE_TEST_ARGS ?=
CARGO_TEST_SCOPE ?= --workspace --all-features

# Python tools of the checks, and the provers of `make symbolic`.
VENV := .proophi/venv
HALMOS := 0.3.3
CVC5 := 1.4.2

# What to prove, if not everything: `quick`, or names of contracts.
SYMBOLIC ?=

# Schedules of the fault suite, one of them alone, and calls of a settlement and a delivery at each of which a program is killed.
SCHEDULES ?= 500
SEED ?=
EVERY_CALL ?= 30

# Bids by themselves in the large round.
ROUND_BIDS ?= 100000

# How much `make differential` does: rounds settled in the model's markets, rounds cleared on both sides, certificates and proofs next
# to right ones.
ROUNDS ?= 100000
CLEARED ?= 100000
CERTIFICATES ?= 100000
PROOFS ?= 10000

CARGO_MUTANTS := 27.1.0
MUTANTS_ARGS ?=

.DEFAULT_GOAL := help
# Forge and cargo each use every core by themselves.
.NOTPARALLEL:
.PHONY: help demo devnet test setup build contracts test-contracts test-long test-rust faults large-round differential mutants mutants-contracts coverage planted symbolic lint lint-rust lint-contracts fmt fmt-check gas gas-check openapi abi abi-check clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: setup contracts ## One round on a local chain, end to end, with real proofs (MECHANISM=average-fee, SEALED=1, ARGS="...")
	cargo build --workspace --bins
	cargo run --bin proophi -- demo --mechanism $(MECHANISM) $(if $(SEALED),--sealed) $(ARGS)

devnet: setup ## A local chain with a market until Ctrl-C, for commands in other terminals (ARGS="..." for `proophi devnet`)
	cargo run --bin proophi -- devnet $(ARGS)

test: test-contracts gas-check test-rust ## Every test: unit, fuzz, invariant, gas snapshots, Rust, end to end

setup: $(NODE_MODULES) ## Install Foundry, the Solidity compiler and the Solidity libraries from npm

# No package needs an install script.
$(NODE_MODULES): package.json package-lock.json
	npm ci --ignore-scripts
	@touch $@

build: contracts ## Compile everything
	cargo build --workspace --bins

contracts: setup
	$(FORGE) build

test-contracts: contracts ## Unit, fuzz and invariant tests of the contracts (FOUNDRY_PROFILE=ci: more runs)
	$(FORGE) test $(FORGE_TEST_ARGS)

test-long: contracts ## The invariants of the contracts over ten million calls, which takes hours
	FOUNDRY_PROFILE=long $(FORGE) test $(FORGE_TEST_ARGS)

test-rust: contracts ## Rust tests, with the end-to-end tests over Anvil
	cargo test $(CARGO_TEST_SCOPE)

faults: contracts ## Programs against faults of every kind, by seeds (SCHEDULES=5000: an hour and more; SEED=7: one of them)
	cargo test --workspace --all-features --no-run
	target/debug/faults $(if $(SEED),--seed $(SEED),--schedules $(SCHEDULES) --every-call $(EVERY_CALL))

large-round: contracts ## 100,000 bids on Anvil within 2^24 gas and 128 KiB a transaction, 5 minutes or more (ROUND_BIDS=...)
	PROOPHI_LARGE_ROUND=$(ROUND_BIDS) cargo test --workspace --all-features --test large_round -- --nocapture

differential: contracts ## The contracts against Rust: 100,000 rounds of a model and of the crate, 100,000 wrong certificates, 10,000 proofs
	PROOPHI_DIFFERENTIAL_ROUNDS=$(ROUNDS) PROOPHI_DIFFERENTIAL_CLEARED=$(CLEARED) \
		PROOPHI_DIFFERENTIAL_CERTIFICATES=$(CERTIFICATES) PROOPHI_DIFFERENTIAL_PROOFS=$(PROOFS) \
		cargo test --workspace --all-features --test proofs --test settlement --test model -- --nocapture

mutants: ## Mutants of the crate `clearing` that its tests do not notice (MUTANTS_ARGS="-F name"); installs cargo-mutants
	cargo mutants --version 2>/dev/null | grep -q $(CARGO_MUTANTS) || cargo install --locked cargo-mutants --version $(CARGO_MUTANTS)
	script/tools/mutants $(MUTANTS_ARGS)

mutants-contracts: setup ## Mutants of the contracts that the tests do not notice, all compiled at once (MUTANTS_ARGS="--sample 400 --only Ledger")
	script/mutation/mutate.py $(MUTANTS_ARGS)

coverage: setup ## Lines and branches of the contracts that the tests reach; fails below all lines and 98 % of branches
	script/mutation/coverage.py

planted: setup ## Bugs over the threat model, planted one at a time: a test must fail for each (PLANTED="SUITE...")
	script/mutation/plant.py $(PLANTED)

symbolic: setup ## Prove with halmos what tests/symbolic says of all inputs, up to 30 minutes (SYMBOLIC=quick: what .ci/run does)
	[ -x $(VENV)/bin/pip ] || python3 -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check halmos==$(HALMOS) cvc5==$(CVC5)
	$(VENV)/bin/python script/tools/symbolic.py $(SYMBOLIC)

lint: lint-rust lint-contracts ## Lints of both languages, warnings denied, and what the documents point to
	script/tools/check-docs

lint-rust:
	cargo clippy --workspace --all-targets --all-features -- -D warnings

lint-contracts: contracts
	$(FORGE) lint --deny warnings

fmt: setup ## Format both languages
	cargo fmt --all
	$(FORGE) fmt $(SOLIDITY)

fmt-check: setup ## Fail if something is not formatted
	cargo fmt --all --check
	$(FORGE) fmt --check $(SOLIDITY)

gas: contracts ## Measure again what each user action costs and write snapshots/
	FOUNDRY_PROFILE=gas $(FORGE) test

# Forge's own check passes when a snapshot is missing, so the whole directories are compared.
gas-check: contracts ## Fail if an action costs other than snapshots/ says
	rm -rf $(FRESH_SNAPSHOTS)
	FOUNDRY_PROFILE=gas FOUNDRY_SNAPSHOTS=$(FRESH_SNAPSHOTS) $(FORGE) test
	diff -ru $(SNAPSHOTS) $(FRESH_SNAPSHOTS)

openapi: ## Write the OpenAPI document of the relayer's intake
	cargo run --quiet -p relayer --example openapi > docs/openapi.json

abi: contracts ## Write the ABIs and bytecode that the Rust bindings are made from
	node script/tools/abi.mjs out $(ABI)

abi-check: contracts ## Fail if the committed ABIs are not those of the contracts
	rm -rf $(FRESH_ABI)
	node script/tools/abi.mjs out $(FRESH_ABI)
	diff -rq $(ABI) $(FRESH_ABI)

clean: ## Remove everything that was built (keys and installed packages stay)
	cargo clean
	rm -rf out cache
