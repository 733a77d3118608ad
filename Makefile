# Two commands on a fresh machine: `make run` (the main job) and `make test` (everything that can be proven).

SWIFT ?= swift
# The engine's handlers tail-call each other; these two flags keep LLVM from turning the calls back
# (docs/decisions/0002-release-flags.md). They stay out of Package.swift so that lvdsim can be a dependency.
FLAGS  = -c release -Xswiftc -Xllvm -Xswiftc -swiftmergefunc-threshold=0 -Xcc -momit-leaf-frame-pointer
BUILD  = .build
# Release tests need testable modules: a scratch path of their own, or each alternation would rebuild everything.
TESTS  = .build-tests
# With the address sanitizer, which changes every object.
FUZZ   = .build-fuzz
LVDSIM = $(BUILD)/release/lvdsim
# make fuzz: how long, and the seed of the first case.
TIME  ?= 600
SEED  ?= 1

.PHONY: run build test oracle fuzz kvm-unit-tests bench boot-linux guest glue check-handlers bootstrap oracles debian clean

## install what is missing, build, and run Debian's own driver in an isolated domain
run: build debian
	@$(LVDSIM) run $$(scripts/main-image.sh) --workload tx:10000

build: bootstrap
	@$(SWIFT) build $(FLAGS) --scratch-path $(BUILD) --product lvdsim

## every test, in release
test: bootstrap oracles debian
	@$(SWIFT) build $(FLAGS) --scratch-path $(TESTS) --build-tests -Xswiftc -enable-testing
	@$(SWIFT) test $(FLAGS) --scratch-path $(TESTS) --skip-build -Xswiftc -enable-testing

## a million instructions on the host's processor and on the machine (SEED=, CASES=, ROWS= a part of a row's name,
## CASE= one file of fixtures/regressions)
oracle: bootstrap
	@$(SWIFT) build $(FLAGS) --scratch-path $(TESTS) --build-tests -Xswiftc -enable-testing
	@LVDSIM_ORACLE_CASES=$(or $(CASES),1000000) LVDSIM_ORACLE_SEED=$(or $(SEED),1) LVDSIM_ORACLE_ROWS="$(ROWS)" \
	  $(if $(CASE),LVDSIM_ORACLE_FILE=$(CASE)) $(SWIFT) test $(FLAGS) --scratch-path $(TESTS) --skip-build \
	  -Xswiftc -enable-testing --filter HostOracleTests$(if $(CASE),/regressions)

## hostile guests against the machine, under AddressSanitizer (TIME=seconds, SEED=n)
fuzz: bootstrap
	@$(SWIFT) build $(FLAGS) --scratch-path $(FUZZ) --sanitize=address --product lvdsim-fuzz
	@scripts/fuzz.sh $(FUZZ)/release/lvdsim-fuzz $(TIME) $(SEED)

## the entries of kvm-unit-tests, from images built elsewhere (LVDSIM_KVM_UNIT_TESTS names their folder)
kvm-unit-tests: build
	@scripts/kvm-unit-tests.sh

## speed: our integer payload here and under QEMU, in the same minute
bench: build
	@scripts/bench.sh $(LVDSIM)

## Debian's unmodified kernels, to a shell and back: scripts/boot-linux.sh says which with KERNEL=cloud, generic, all
boot-linux: build
	@scripts/boot-linux.sh $(LVDSIM) $(KERNEL)

## rebuild the guest's images from Sources/Guest with the Swift toolchain's clang, swiftc and ld.lld
guest:
	@$(MAKE) --no-print-directory -C Sources/Guest

## what Sources/Guest holds of generated C, made again from its interfaces
glue: build
	@cd Sources/Guest && $(abspath $(LVDSIM)) idl generate --syntax-only --out tests/marshalling/generated \
	  tests/marshalling/marshalling.idl
	@cd Sources/Guest && $(abspath $(LVDSIM)) idl generate --syntax-only --slots --first-number 64 --out generated \
	  interfaces/network.idl

## the engine's handlers end in jumps, never in calls
check-handlers: build
	@scripts/check-handlers.sh $(LVDSIM)

bootstrap:
	@scripts/bootstrap.sh

# Programs and libraries that tests compare with; without a network those tests say why they do not run.
oracles:
	@scripts/bootstrap.sh test || echo "make: not everything that the tests compare with is here" >&2

# Debian's modules, by package name; without a network the own driver stands in.
debian:
	@scripts/fetch-debian.sh dummy null_blk >/dev/null && scripts/fetch-debian.sh --cloud dummy null_blk >/dev/null || echo "make: Debian's packages are out of reach; continuing with our own driver" >&2

clean:
	rm -rf $(BUILD) $(TESTS) $(FUZZ)
