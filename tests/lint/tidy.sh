#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Runs clang-tidy with the checks of .clang-tidy over the built sources. tidy.sh [TREE [BUILD]], by default build/clang. It
# must be built, because the sources include generated headers.
set -euo pipefail
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"
lint_enter "${1-}"
build=${2:-build/clang}
tool=$(lint_tool clang-tidy)
# A wheel has no compiler headers; those of the installed compiler are used.
own_headers=()
[[ $tool != "$lint_tools"/* ]] || own_headers=("--extra-arg=-resource-dir=$(clang -print-resource-dir)")

[[ -f $build/compile_commands.json ]] || {
	echo "$build: no build here; run cmake --preset clang && cmake --build --preset clang first"
	exit 1
}
# One file in each run: with several, clang-tidy 14 carries state from one to the next.
tidy()
{
	xargs -r -d '\n' -n 1 -P "$(nproc)" "$tool" --quiet -p "$build" "${own_headers[@]}" "$@" 2>/dev/null
}

files=$(jq -r --arg root "$PWD/" '.[].file | select(startswith($root)) | ltrimstr($root)' \
	"$build/compile_commands.json" | grep -E '^(agent|sinks|config|tests)/' | sort -u)
[[ -n $files ]] || {
	echo "$build: nothing of this tree is compiled there"
	exit 1
}
# bpftool's loader of the kernel programs gives its memory to libbpf, which the leak check cannot see.
loads=$(xargs -d '\n' grep -l '\.skel\.h"' <<<"$files" || true)
found=$({
	grep -vxF -e "${loads:-none}" <<<"$files" | tidy || echo 'error: clang-tidy failed'
	[[ -z $loads ]] || tidy --checks=-clang-analyzer-unix.Malloc <<<"$loads" || echo 'error: clang-tidy failed'
})
grep -q 'error:' <<<"$found" || exit 0
# The path to each finding, then the list.
printf '%s\n\n' "$found"
grep 'error:' <<<"$found" | sort -u
exit 1
