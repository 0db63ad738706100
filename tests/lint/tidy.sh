#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# clang-tidy with the checks of .clang-tidy over what is built. tidy.sh [TREE [BUILD]], by default build/clang,
# which must be built: the sources include generated headers.
set -euo pipefail
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"
lint_enter "${1-}"
build=${2:-build/clang}
lint_needs_llvm14 clang-tidy

[[ -f $build/compile_commands.json ]] || {
	echo "$build: no build here; run cmake --preset clang && cmake --build --preset clang first"
	exit 1
}
jq -r --arg root "$PWD/" '.[].file | select(startswith($root)) | ltrimstr($root)' "$build/compile_commands.json" |
	grep -E '^(agent|sinks|config|tests)/' | sort -u |
	xargs -r -d '\n' -n 4 -P "$(nproc)" clang-tidy --quiet -p "$build" 2>/dev/null
