#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# cppcheck over the host code. A false alarm is silenced in its line, with "cppcheck-suppress" and the reason.
set -euo pipefail
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"
lint_enter "${1-}"

# It sees no system headers, so the macros that look like no C are told. It also cannot expand "d##0" with an
# empty d, which C allows.
cppcheck --quiet -j "$(nproc)" --std=c11 --error-exitcode=1 --inline-suppr \
	--enable=warning,performance,portability --suppress=preprocessorErrorDirective \
	-I . -D_GNU_SOURCE '-DLIBBPF_OPTS(type,name,...)=struct type name' \
	'-DTAILQ_FOREACH(v,head,link)=for ((v) = (head)->tqh_first; (v); (v) = (v)->link.tqe_next)' \
	'-DLIST_FOREACH(v,head,link)=for ((v) = (head)->lh_first; (v); (v) = (v)->link.le_next)' \
	agent sinks config tests
