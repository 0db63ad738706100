#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# cppcheck over the host code. A false alarm is silenced in its line, with "cppcheck-suppress" and the reason.
set -euo pipefail
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"
macros=$(realpath "$(dirname "$0")/cppcheck.h")
lint_enter "${1-}"
tool=$(lint_tool cppcheck)

# It sees no system headers: cppcheck.h holds the macros that it must know. It also cannot expand "d##0" with
# an empty d, which C allows. Not asked: void pointer arithmetic (gnu17 has it), a local that a callee's
# argument points to for the call (an honest way to hand a context down), a bound guessed from one caller's
# literal, a BPF program (clang compiles it), and leaks on the failing paths of tests (the sanitizers see the real ones).
"$tool" --quiet -j "$(nproc)" --std=c11 --error-exitcode=1 --inline-suppr \
	--enable=warning,performance,portability --suppress=preprocessorErrorDirective \
	--suppress=arithOperationsOnVoidPointer --suppress=autoVariables \
	--suppress=arrayIndexOutOfBoundsCond '--suppress=memleak:tests/*' \
	-i tests/bench/kernel/bench.bpf.c \
	-I . -D_GNU_SOURCE --include="$macros" \
	agent sinks config tests
