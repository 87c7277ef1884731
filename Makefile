# sparktail - ships PowerMTA accounting rows to SparkPost as events
#
#   make            build build/rel/sparktail
#   make deps       install what building and testing need (Debian, Ubuntu)
#   make demo       the whole job on this machine, without an account
#   make check      unit tests, replay of the fuzz corpora, end to end
#   make e2e        only the end-to-end tests
#   make lint       layers, symbols, sizes, man pages, scripts, analysers
#   make fault      crashes, kills and failing system calls, all of them;
#                   fault-short is a sample, in minutes
#   make fuzz       libFuzzer targets into build/fuzz (needs clang)
#   make bench      what the program costs, and the limits beside it: minutes;
#                   RUNS=5 for medians of five, cases in test/bench.sh
#   make profile    where the time goes, into build/rel/profile.txt (needs perf)
#   make install    honours DESTDIR and the directories below
#   make uninstall  removes what install put there, never your configuration
#   make clean      removes build/
#   make help       this text
#
# Flavours: "make san check" with address and undefined-behaviour sanitizers,
# "make tsan check" with the thread sanitizer; each has a tree of its own.
# Options: V=1 shows the commands, WERROR=1 stops on warnings, IGZIP=0 builds
# with zlib alone, EVENTS=yajl writes events by yajl (for comparison), CC=clang.
# "make deps-dev" installs what lint and fuzz need.

NAME    = sparktail
VERSION = 0.1.0

PREFIX     ?= /usr/local
SBINDIR    ?= $(PREFIX)/sbin
MANDIR     ?= $(PREFIX)/share/man
DOCDIR     ?= $(PREFIX)/share/doc/$(NAME)
SYSCONFDIR ?= /etc
UNITDIR    ?= $(PREFIX)/lib/systemd/system

INSTALL    ?= install
PKG_CONFIG ?= pkg-config
CLANG      ?= clang
CFLAGS     ?= -O2 -g
IGZIP      ?= $(shell $(PKG_CONFIG) --exists libisal && echo 1 || echo 0)

# libinotifytools ships no pkg-config file
PKGS  = libcurl yajl yaml-0.1 zlib libxxhash nettle
WARN  = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wvla -Wformat=2 -Wwrite-strings -Wpointer-arith -Wundef
OURS  = -std=c11 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -Iinclude -pthread \
	-fno-common $(WARN) \
	-DVERSION='"$(VERSION)"' -DSYSCONFDIR='"$(SYSCONFDIR)"' \
	$(shell $(PKG_CONFIG) --cflags $(PKGS))
LIBS  = $(shell $(PKG_CONFIG) --libs $(PKGS)) -linotifytools
ifeq ($(IGZIP),1)
OURS += -DHAVE_ISAL
LIBS += $(shell $(PKG_CONFIG) --libs libisal)
endif

ifeq ($(EVENTS),yajl)
OURS += -DEVENTS_BY_YAJL
endif

# A flavour is a goal on the command line: "make san check".
ifneq ($(filter san,$(MAKECMDGOALS)),)
SAN = 1
endif
ifneq ($(filter tsan,$(MAKECMDGOALS)),)
TSAN = 1
endif
ifeq ($(SAN),1)
B     = build/san
OURS += -fsanitize=address,undefined -fno-sanitize-recover=all \
	-fno-omit-frame-pointer
else ifeq ($(TSAN),1)
B     = build/tsan
OURS += -fsanitize=thread -fno-omit-frame-pointer
else
B    ?= build/rel
endif
ifneq ($(filter build/fault%,$(B)),)
FAULT = 1
endif
ifeq ($(FAULT),1)
OURS += -DCRASH_POINTS
endif
ifeq ($(WERROR),1)
OURS += -Werror
endif
Q = $(if $(filter 1,$(V)),,@)

SRCS   := $(sort $(wildcard src/*/*.c))
CORE    = $(patsubst src/%.c,$(B)/%.o,$(filter-out src/app/main.c,$(SRCS)))
UNITS  := $(sort $(wildcard test/unit/*.c))
CHECKS  = $(patsubst test/%.c,$(B)/test/%.o,$(UNITS))
SUITES := $(patsubst test/unit/check_%.c,%,$(filter-out \
	test/unit/check_all.c,$(wildcard test/unit/check_*.c)))
# Long ones of a single thread: the thread sanitizer has nothing to see there.
ALONE   = powercut powercut_intake outage spool_fault spool_room spool_view \
	heal intake_group follow sources checkpoint csv
# Tens of thousands of disks; the other suites of the spool do the same once.
MANY    = powercut
FUZZ   := $(patsubst test/fuzz/fuzz_%.c,%,$(sort $(wildcard test/fuzz/fuzz_*.c)))
TOOLS  := $(patsubst test/tools/%/,%,$(sort $(wildcard test/tools/*/)))

# What the unit tests make fail on demand (test/unit/fault.h).  With 64-bit
# offsets the C library has other names for some of them.
WRAPS = write read pread pread64 fsync openat openat64 mkdirat renameat \
	unlinkat ftruncate ftruncate64 close posix_fadvise posix_fadvise64
WRAP  = $(WRAPS:%=-Wl,--wrap=%)

# The fault build: the program with crash points, calls that fail on demand and
# a clock that can be set, all by the environment (test/fault/inject.h).
FB = build/fault$(if $(filter 1,$(SAN)),-san)$(if $(filter 1,$(TSAN)),-tsan)
ifeq ($(FAULT),1)
INJECT = $(patsubst test/%.c,$(B)/test/%.o,$(sort $(wildcard test/fault/*.c)))
INJECT_WRAP = $(WRAP) -Wl,--wrap=time
endif

DEPS = build-essential pkg-config libcurl4-gnutls-dev libyajl-dev libyaml-dev \
	libinotifytools0-dev zlib1g-dev libisal-dev libxxhash-dev nettle-dev \
	libmicrohttpd-dev check curl gnutls-bin procps iproute2
# "?": older systems have clang's runtime in another package
DEPS_DEV = clang libclang-rt-dev? clang-tidy clang-format cppcheck valgrind \
	libc6-dbg pmccabe shellcheck mandoc nghttp2-server

all: $(B)/$(NAME)

san tsan: all

$(B)/$(NAME): $(B)/app/main.o $(CORE) $(INJECT)
	@echo "  LD    $@"
	$(Q)$(CC) $(OURS) $(CFLAGS) $(LDFLAGS) $(INJECT_WRAP) -o $@ $^ $(LIBS)

$(B)/%.o: src/%.c Makefile
	@mkdir -p $(@D) && echo "  CC    $<"
	$(Q)$(CC) $(OURS) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(B)/test/%.o: test/%.c Makefile $(B)/test/suites.h
	@mkdir -p $(@D) && echo "  CC    $<"
	$(Q)$(CC) $(OURS) -Itest -I$(B)/test $(CPPFLAGS) $(CFLAGS) \
		$(shell $(PKG_CONFIG) --cflags check) -MMD -MP -c -o $@ $<

# One line for each test/unit/check_X.c, which defines "Suite *X_suite(void)".
$(B)/test/suites.h: $(UNITS) Makefile
	@mkdir -p $(@D)
	@printf 'SUITE(%s)\n' $(SUITES) > $@

$(B)/test/all: $(CHECKS) $(B)/test/fault/wrap.o $(CORE)
	@echo "  LD    $@"
	$(Q)$(CC) $(OURS) $(CFLAGS) $(LDFLAGS) $(WRAP) -o $@ $^ \
		$(LIBS) $(shell $(PKG_CONFIG) --libs check libmicrohttpd)

$(B)/replay/%: test/fuzz/fuzz_%.c test/fuzz/replay.c $(CORE)
	@mkdir -p $(@D) && echo "  LD    $@"
	$(Q)$(CC) $(OURS) -Itest $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

# A tool is a directory of sources; it may use the program's own base/, and
# is linked with that alone, so that its names need not avoid other rooms'.
# Those in TOOLS_WHOLE use more.
TOOLS_WHOLE = measure spoolful

define tool
$(B)/tools/$(1): $$(patsubst test/%.c,$(B)/test/%.o,$$(wildcard test/tools/$(1)/*.c)) \
		$$(filter $(if $(filter $(1),$(TOOLS_WHOLE)),%,$(B)/base/%),$$(CORE))
	@mkdir -p $$(@D) && echo "  LD    $$@"
	$$(Q)$$(CC) $$(OURS) $$(CFLAGS) $$(LDFLAGS) -o $$@ $$^ $$(LIBS) \
		$$(shell $$(PKG_CONFIG) --libs libmicrohttpd)
endef
$(foreach t,$(TOOLS),$(eval $(call tool,$(t))))

$(B)/test/keys: $(B)/test/keys.o $(CORE)
	@echo "  LD    $@"
	$(Q)$(CC) $(OURS) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

tools: $(TOOLS:%=$(B)/tools/%)

unit: $(B)/test/all
ifneq ($(filter 1,$(SAN) $(TSAN)),)
	$(Q)B=$(B) sh test/unit.sh $(filter-out $(if $(TSAN),$(ALONE),$(MANY)),$(SUITES))
else
	$(Q)./$(B)/test/all
endif

replay: $(FUZZ:%=$(B)/replay/%)
	$(Q)for t in $(FUZZ); do \
		./$(B)/replay/$$t test/fuzz/corpus/$$t || exit 1; done

e2e: $(B)/$(NAME) tools
	$(Q)B=$(B) sh test/e2e/run.sh

# The goals below no longer name the flavour, so it is handed on.
AGAIN = $(MAKE) --no-print-directory B=$(B) SAN=$(SAN) TSAN=$(TSAN)

ifneq ($(FAULT),1)
$(FB)/$(NAME): FORCE
	+$(Q)$(AGAIN) B=$(FB) FAULT=1 $@
endif

fault fault-short: $(FB)/$(NAME) tools
	$(Q)B=$(FB) TOOLS=$(B)/tools LONG=$(if $(filter fault,$@),1) \
		sh test/fault/run.sh

check: all tools
	$(Q)$(AGAIN) replay
	$(Q)$(AGAIN) e2e
	$(Q)$(AGAIN) unit

# The same fuzz source twice: libFuzzer explores, replay.c repeats the corpus.
FUZZING = -g -O1 -fsanitize=address,undefined -fno-sanitize-recover=all

build/fuzz/obj/%.o: src/%.c Makefile
	@mkdir -p $(@D) && echo "  FUZZ  $<"
	$(Q)$(CLANG) $(OURS) $(FUZZING) -fsanitize=fuzzer-no-link -MMD -MP \
		-c -o $@ $<

build/fuzz/%: test/fuzz/fuzz_%.c \
		$(patsubst $(B)/%,build/fuzz/obj/%,$(CORE))
	@mkdir -p $(@D) && echo "  FUZZ  $@"
	$(Q)$(CLANG) $(OURS) -Itest $(FUZZING) -fsanitize=fuzzer -o $@ $^ $(LIBS)

fuzz: $(FUZZ:%=build/fuzz/%)

demo: $(B)/$(NAME) tools
	$(Q)B=$(B) sh test/demo.sh

bench: $(B)/$(NAME) tools
	$(Q)B=$(B) sh test/bench.sh

profile: $(B)/$(NAME) tools
	$(Q)B=$(B) sh test/profile.sh

# Through the environment, for the quotes among the flags.
lint: export OURS := $(OURS)
lint: $(B)/$(NAME) $(B)/test/keys
	$(Q)B=$(B) sh test/lint.sh $(CORE)

deps:
	$(Q)sh test/deps.sh $(DEPS)

deps-dev:
	$(Q)sh test/deps.sh $(DEPS_DEV)

install: all
	$(INSTALL) -d $(DESTDIR)$(SBINDIR) $(DESTDIR)$(SYSCONFDIR)/$(NAME) \
		$(DESTDIR)$(MANDIR)/man5 $(DESTDIR)$(MANDIR)/man7 \
		$(DESTDIR)$(MANDIR)/man8 $(DESTDIR)$(UNITDIR) \
		$(DESTDIR)$(DOCDIR)
	$(INSTALL) -m 755 $(B)/$(NAME) $(DESTDIR)$(SBINDIR)/
	$(INSTALL) -m 644 etc/$(NAME).yaml \
		$(DESTDIR)$(SYSCONFDIR)/$(NAME)/$(NAME).yaml.sample
	$(INSTALL) -m 644 man/$(NAME).yaml.5 $(DESTDIR)$(MANDIR)/man5/
	$(INSTALL) -m 644 man/$(NAME)-events.7 man/$(NAME)-promises.7 \
		$(DESTDIR)$(MANDIR)/man7/
	$(INSTALL) -m 644 man/$(NAME).8 $(DESTDIR)$(MANDIR)/man8/
	$(INSTALL) -m 644 README NEWS contrib/pmta-acct-file.conf \
		contrib/sparktail.cron contrib/STAND-IN $(DESTDIR)$(DOCDIR)/
	sed 's|@SBINDIR@|$(SBINDIR)|g; s|@SYSCONFDIR@|$(SYSCONFDIR)|g' \
		contrib/$(NAME).service.in > $(DESTDIR)$(UNITDIR)/$(NAME).service
	chmod 644 $(DESTDIR)$(UNITDIR)/$(NAME).service

uninstall:
	rm -f $(DESTDIR)$(SBINDIR)/$(NAME) \
		$(DESTDIR)$(SYSCONFDIR)/$(NAME)/$(NAME).yaml.sample \
		$(DESTDIR)$(MANDIR)/man5/$(NAME).yaml.5 \
		$(DESTDIR)$(MANDIR)/man7/$(NAME)-events.7 \
		$(DESTDIR)$(MANDIR)/man7/$(NAME)-promises.7 \
		$(DESTDIR)$(MANDIR)/man8/$(NAME).8 \
		$(DESTDIR)$(UNITDIR)/$(NAME).service
	rm -rf $(DESTDIR)$(DOCDIR)

clean:
	rm -rf build

help:
	@sed -n '/^[^#]/q; /^$$/q; s/^# \{0,1\}//p' Makefile

-include $(wildcard $(B)/*/*.d $(B)/test/*/*.d $(B)/test/tools/*/*.d \
	build/fuzz/obj/*/*.d)

.PHONY: all san tsan tools unit replay check e2e fault fault-short fuzz demo \
	bench profile lint deps deps-dev FORCE install uninstall clean help
.DELETE_ON_ERROR:
.SECONDARY:
