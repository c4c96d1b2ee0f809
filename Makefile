# l2tpv3d: GNU make, no configure step. `make help` lists the targets.
#
#   V=1          show commands          WERROR=1     warnings are errors (CI)
#   DESTDIR=     staging for install    PREFIX=      default /usr/local
#   CC=          gcc or clang           SANITIZE=1   ASan and UBSan into build/asan
#   FUZZ=1       libFuzzer, by clang, into build/fuzz
#   COVERAGE=1   counting what is run, by clang, into build/coverage

VERSION  := $(firstword $(shell sed -n 's/^.. \([0-9.]*\) - .*/\1/p' CHANGELOG.md))
PREFIX   ?= /usr/local
CC       ?= gcc
PYTHON   := /usr/bin/python3
B        := build$(if $(FUZZ),/fuzz,$(if $(SANITIZE),/asan,$(if $(COVERAGE),/coverage)))
Q        := $(if $(V),,@)

NETSNMP_LIBS := -lnetsnmpagent -lnetsnmp
PKGS     := libmnl libxml-2.0 libevent_core
CFLAGS   ?= -O2 -g
SANITIZERS := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
# What of these the compiler has, asked for when the first file is compiled (see PKG_CFLAGS). The
# sanitizers look closer than _FORTIFY_SOURCE, which keeps them from it.
try        = $(shell $(CC) $(CFLAGS) -Werror $(1) -x c -c -include stdio.h -o /dev/null /dev/null 2>/dev/null && echo '$(1)')
fortify    = $(if $(SANITIZE)$(FUZZ)$(COVERAGE),,$(call try,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=$(1)))
HARDENED   = $(eval HARDENED := $(call try,-fPIE) $(call try,-fstack-protector-strong) $(call try,-fcf-protection) \
	$(or $(call fortify,3),$(call fortify,2)))$(HARDENED)
# Counters in the mapped file (see tests/coverage): those of a process that is killed, or calls _exit().
COUNTED_ALIVE := -mllvm -runtime-counter-relocation -Wno-unused-command-line-argument
LINKED_SO := -pie -Wl,-z,relro,-z,now
WARN     := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wconversion
# Asked for when the first file is compiled: `deps` may install pkg-config before that.
PKG_CFLAGS = $(eval PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS)))$(PKG_CFLAGS)
PKG_LIBS   = $(eval PKG_LIBS := $(shell pkg-config --libs $(PKGS)))$(PKG_LIBS)
ALL_CFLAGS = -std=c11 -D_GNU_SOURCE -Isrc -Iagent -DVERSION='"$(VERSION)"' $(WARN) \
	$(if $(WERROR),-Werror) $(HARDENED) $(CFLAGS) -include src/base/banned.h \
	$(if $(SANITIZE),$(SANITIZERS)) $(if $(FUZZ),$(SANITIZERS) -fsanitize=fuzzer-no-link) \
	$(if $(COVERAGE),-fprofile-instr-generate -fcoverage-mapping $(COUNTED_ALIVE)) \
	$(PKG_CFLAGS)
ALL_LIBS = $(NETSNMP_LIBS) $(PKG_LIBS) -lz

# Programs of the tests and the documents.
TOOLS    := $B/attributes $B/tests/turn_watch.so $B/tests/kernel_tool $B/tests/bare_loop $B/tests/bare_frames $B/tests/bench_store \
            $B/tests/bare_parse $B/tests/sim_memory $B/tests/bare_agentx $B/tests/empty_table $B/tests/walk
FUZZERS  := $(patsubst tests/fuzz/%.c,$B/%,$(wildcard tests/fuzz/fuzz_*.c))

# Everything but the mains is one library that tests link.
LIB_SRC  := $(wildcard src/*/*.c src/kernel/*/*.c agent/*.c)
MAINS    := src/daemon/main.c src/cli/l2tpv3ctl.c src/client/l2tpv3-netconf.c
LIB_OBJ  := $(patsubst %.c,$B/%.o,$(filter-out $(MAINS),$(LIB_SRC)))
PROGRAMS := $B/l2tpv3d $B/l2tpv3ctl $B/l2tpv3-netconf
UNIT     := $(patsubst tests/unit/%.c,$B/tests/%,$(wildcard tests/unit/test_*.c))

.PHONY: all unit tools fuzzers docs format check check-unit check-vm check-package deb demo demo-shell bench durability masters random fuzz coverage lint asan install uninstall deps build-deps help clean

all: $(PROGRAMS) ## build the three programs into build/

$B/l2tpv3d:        $B/src/daemon/main.o
$B/l2tpv3ctl:      $B/src/cli/l2tpv3ctl.o
$B/l2tpv3-netconf: $B/src/client/l2tpv3-netconf.o
$(PROGRAMS): $B/libl2tpv3d.a
	@echo "  LD    $@"
	$Q$(CC) $(ALL_CFLAGS) $(LINKED_SO) $(LDFLAGS) -o $@ $(filter %.o,$^) $B/libl2tpv3d.a $(ALL_LIBS)

$B/libl2tpv3d.a: $(LIB_OBJ)
	@echo "  AR    $@"
	$Qrm -f $@ && ar qcs $@ $^

$B/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC    $<"
	$Q$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# Those that tell the version.
$(patsubst %,$B/%.o,src/daemon/options src/cli/options agent/opening agent/scalars): CHANGELOG.md

# The texts that it builds in, which no #include tells of.
$B/src/netconf/modules.o: $(wildcard yang/*.yang)

$B/tests/%: tests/unit/%.c $B/libl2tpv3d.a
	@mkdir -p $(@D)
	@echo "  CC    $<"
	$Q$(CC) $(ALL_CFLAGS) -Itests -MMD -MP -o $@ $< $B/libl2tpv3d.a $(ALL_LIBS) -lcmocka $(TESTLIBS_$*)
TESTLIBS_test_table_yang := -lyang
TESTLIBS_test_event_filter := -Wl,--wrap=events_document,--wrap=xpath_tree_has
TESTLIBS_test_wiped_stream := -Wl,--wrap=free
TESTLIBS_test_publish := -Wl,--wrap=calloc,--wrap=malloc,--wrap=realloc

$B/attributes: docs/attributes.c
$B/tests/kernel_tool: tests/vm/kernel_tool.c $B/tests/vm/tool_print.o $B/tests/vm/tool_request.o
$B/tests/bare_loop: tests/bench/bare_loop.c
$B/tests/bare_frames: tests/bench/bare_frames.c
$B/tests/bench_store: tests/bench/bench_store.c
$B/tests/bare_parse: tests/bench/bare_parse.c
$B/tests/sim_memory: tests/bench/sim_memory.c
$B/tests/bare_agentx: tests/bench/bare_agentx.c
$B/tests/empty_table: tests/bench/empty_table.c
$B/tests/walk: tests/bench/walk.c
$B/tests/turn_watch.so: tests/bench/turn_watch.c
	@mkdir -p $(@D)
	@echo "  CC    $<"
	$Q$(CC) $(ALL_CFLAGS) -shared -fPIC -o $@ $< -ldl
$(filter-out %.so,$(TOOLS)): $B/libl2tpv3d.a
	@mkdir -p $(@D)
	@echo "  CC    $(filter %.c,$^)"
	$Q$(CC) $(ALL_CFLAGS) -Itests -MMD -MP -o $@ $(filter %.c %.o,$^) $B/libl2tpv3d.a $(ALL_LIBS)

$B/fuzz_%: tests/fuzz/fuzz_%.c $B/libl2tpv3d.a
	@echo "  CC    $<"
	$Q$(CC) $(ALL_CFLAGS) -fsanitize=fuzzer -Itests -o $@ $< $B/libl2tpv3d.a $(ALL_LIBS)

-include $(shell find $B/*.d $B/src $B/agent $B/tests -type f -name '*.d' 2>/dev/null)

unit: $(UNIT) ## build the unit tests

tools: $(TOOLS)

check: deps all tools ## every test but check-package; ends with "N passed, N failed, N skipped"
	$Qtests/check $(SUITES)
check-unit: deps all tools ## unit tests only, under ASan and UBSan
	$Qtests/check unit scripts
check-vm: deps all tools ## tests on real kernels only
	$Qtests/check vm
check-package: all ## build the packages twice, and install and use them in fresh Debian 12 and 13
	$Qtests/check package
asan: ## the programs and tests with ASan and UBSan, into build/asan
	$Q$(MAKE) SANITIZE=1 all unit

lint: all $B/attributes ## rules a machine can keep: layering, format, models, documents
	$Qtests/lint
format: ## put the C files into the project's format
	$Qfind src agent tests -name '*.[ch]' -print0 | xargs -0 clang-format -i

FUZZ_SECONDS ?= 10
fuzzers: $(FUZZERS)
fuzz: ## run every fuzz target for FUZZ_SECONDS (10)
	$Q$(MAKE) -s FUZZ=1 CC=clang fuzzers
	$Qtests/fuzz/run $(FUZZ_SECONDS)

coverage: deps ## what of the programs the unit, interop and fuzz runs reach, by folder
	$Q$(MAKE) -s COVERAGE=1 CC=clang all unit tools fuzzers
	$Qtests/coverage

deps: ## install all Debian packages needed, for tests too (when not root: say which)
	$Qtests/deps
build-deps: ## install those for building only, as on a router
	$Qtests/deps build

docs: $B/attributes ## print the attribute lists anew from the mapping table
	$Qfor page in $$(grep -rl --exclude='*.c' 'end of attributes' docs); do \
	  $B/attributes <$$page >$B/page && cat $B/page >$$page; done
	$Qdocs/nms/generate || [ $$? -eq 77 ]

install: all ## install into DESTDIR, below PREFIX
	$QDESTDIR='$(DESTDIR)' PREFIX='$(PREFIX)' docs/install/install $B
uninstall: ## remove what `make install` has installed, wherever; keep what was changed below /etc
	$QDESTDIR='$(DESTDIR)' docs/install/install --remove
deb: ## build the Debian packages into build/deb/
	$Qtests/deps deb
	$Qdocs/install/deb

demo: ## show the main job on a real kernel; gets what that needs, and says first how much it is
	$Qtests/demo/prepare
	$Qtests/demo/demo
demo-shell: ## a shell where the demo's routers are up
	$Qtests/demo/prepare
	$Qtests/demo/demo --shell
bench: deps all tools ## figures against peers, as ratios, also into build/bench/
	$Qtests/bench/all

CYCLES ?= 5000
durability: all $B/tests/test_journal_power ## kill -9 and power cuts, CYCLES (5000) of each: none may lose or bring back anything
	$QL2TPV3D_CUTS=$(CYCLES) $B/tests/test_journal_power
	$QL2TPV3D_KILLS=$(CYCLES) $(PYTHON) -m pytest tests/interop/test_kills.py -q -s -p no:cacheprovider

FAULTS ?= 100
masters: all ## snmpd stopped, killed and restarted FAULTS (100) times under walks, sets and notifications, by unix socket and by TCP
	$QL2TPV3D_MASTERS=$(FAULTS) $(PYTHON) -m pytest tests/interop/test_masters.py -q -s -p no:cacheprovider

EDITS ?= 100000
random: all ## EDITS (100000) random edits, filters, XPaths and requests of sessions with locks, judged by libyang, libxml2 and a model
	$QL2TPV3D_EDITS=$(EDITS) L2TPV3D_FILTERS=$(EDITS) L2TPV3D_STEPS=$(EDITS) $(PYTHON) -m pytest -q -p no:cacheprovider \
	  tests/interop/test_edits_random.py tests/interop/test_filters_random.py tests/interop/test_sessions_random.py

clean: ## remove build/ but keep what was downloaded: kernels, systems
	$Qfind build -mindepth 1 -maxdepth 1 ! -name vm ! -name roots -exec rm -rf {} + 2>/dev/null || true

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20
