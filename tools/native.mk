# Builds of the core outside Python: the C test runner and the fuzz targets, in one directory per variant.
# Called by the top Makefile:   make -f tools/native.mk VARIANT=plain|asan|tsan|fuzz <goal>
#   goals: tests (the runner), replays (fuzz targets over a corpus), fuzzers (libFuzzer; VARIANT=fuzz)

VARIANT  ?= plain
BUILD    ?= build
OUT      := $(BUILD)/native/$(VARIANT)
WARNINGS := $(shell cat csrc/warnings.txt)
VERSION  := $(shell cat VERSION)

# Warnings are judged by gcc in the plain build and by clang in the fuzz build; under sanitizers gcc guesses wrong.
CFLAGS_plain := -O2
CFLAGS_asan  := -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
CFLAGS_tsan  := -O1 -fno-omit-frame-pointer -fsanitize=thread
CFLAGS_fuzz  := -O1 -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all

ifeq ($(VARIANT),fuzz)
CC := clang
endif
JUDGED := $(if $(filter plain fuzz,$(VARIANT)),$(WARNINGS) -Werror)
FLAGS := -std=c11 -g $(JUDGED) $(CFLAGS_$(VARIANT)) -DCQ_TESTING -DCQ_VERSION='"$(VERSION)"' \
         -DCQ_BUILD='"test"' -Icsrc/core -Itests/c -MMD -MP
LIBS  := -lzstd -lsnappy -lm -lpthread

core    := $(patsubst %.c,$(OUT)/%.o,$(sort $(wildcard csrc/core/*/*.c)))
tests   := $(patsubst %.c,$(OUT)/%.o,$(sort $(wildcard tests/c/*.c)))
targets := $(patsubst tests/fuzz/%.c,%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))

tests: $(OUT)/test_all
replays: $(patsubst fuzz_%,$(OUT)/replay_%,$(targets))
fuzzers: $(addprefix $(OUT)/,$(targets))

$(OUT)/test_all: $(core) $(tests)
	@echo "  LD  $@"
	@$(CC) $(CFLAGS_$(VARIANT)) -o $@ $^ $(LIBS)

$(OUT)/replay_%: $(OUT)/tests/fuzz/fuzz_%.o $(OUT)/tests/fuzz/replay_main.o $(core)
	@echo "  LD  $@"
	@$(CC) $(CFLAGS_$(VARIANT)) -o $@ $^ $(LIBS)

$(OUT)/fuzz_%: $(OUT)/tests/fuzz/fuzz_%.o $(core)
	@echo "  LD  $@"
	@$(CC) $(subst fuzzer-no-link,fuzzer,$(CFLAGS_$(VARIANT))) -o $@ $^ $(LIBS)

# The flags' own file: a changed warning list or version makes everything anew.
$(OUT)/%.o: %.c csrc/warnings.txt VERSION tools/native.mk
	@mkdir -p $(@D)
	@echo "  CC  $<"
	@$(CC) $(FLAGS) -c -o $@ $<

.PHONY: tests replays fuzzers
.SECONDARY:
-include $(patsubst %.o,%.d,$(core) $(tests)) $(wildcard $(OUT)/tests/fuzz/*.d)
