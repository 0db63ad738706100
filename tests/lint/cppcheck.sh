#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Runs cppcheck over the host code. A false alarm is silenced in its line, with "cppcheck-suppress" and the reason.
set -euo pipefail
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"
macros=$(realpath "$(dirname "$0")/cppcheck.h")
lint_enter "${1-}"
tool=$(lint_tool cppcheck)

# It sees no system headers: cppcheck.h has the macros that it must know. It also cannot expand "d##0" with an empty d,
# which C allows. These checks are off:
# - void pointer arithmetic, which gnu17 has;
# - a pointer to a local in an argument, which is how a context is passed down;
# - bounds guessed from a literal of one caller;
# - leaks on failing paths of tests: the sanitizers find the real ones.
# BPF programs are left out, because clang compiles them.
"$tool" --quiet -j "$(nproc)" --std=c11 --error-exitcode=1 --inline-suppr \
	--enable=warning,performance,portability --suppress=preprocessorErrorDirective \
	--suppress=arithOperationsOnVoidPointer --suppress=autoVariables \
	--suppress=arrayIndexOutOfBoundsCond '--suppress=memleak:tests/*' \
	-i tests/bench/kernel/bench.bpf.c \
	-I . -D_GNU_SOURCE --include="$macros" \
	agent sinks config tests
