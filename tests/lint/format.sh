#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The sources look as clang-format writes them.
set -euo pipefail
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"
lint_enter "${1-}"

tool=$(lint_tool clang-format)
out=$(lint_files | grep -zE '\.[ch]$' | grep -zvE '^bpf/vmlinux' |
	xargs -0r -n 16 -P "$(nproc)" "$tool" --dry-run -Werror -- 2>&1) || {
	# Without the quoted source below each line.
	grep 'error:' <<<"$out" || echo "$out"
	exit 1
}
