#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Finds mutable globals and static locals in the objects of the agent's sources, where no macro can hide them.
# globals.sh [TREE [BUILD]], by default build/dev.
set -euo pipefail
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"
allow=$(realpath "$(dirname "$0")/globals.allow")
lint_enter "${1-}"
build=${2:-build/dev}

[[ -f $build/compile_commands.json ]] || {
	echo "$build: no build here; run cmake --preset dev && cmake --build --preset dev first"
	exit 1
}

# The build's list names the objects, so one that an earlier build left behind does not count.
jq -r --arg root "$PWD/" '.[] | select((.command | test(" -o tests/")) | not) | (.file | ltrimstr($root)) + " " + (.command | capture(" -o (?<o>[^ ]+)").o)' \
	"$build/compile_commands.json" | grep -E '^(agent|sinks|config)/' |
	while read -r source object; do
		if [[ ! -f $build/$object ]]; then
			echo "$source:1: not compiled in $build"
			continue
		fi
		# Constants with addresses in them are in .data.rel.ro: read-only once loaded, so fine.
		objdump -t "$build/$object" | awk -v source="$source" '
		FNR == NR {
			if ($0 !~ /^(#|$)/)
				allowed[$1 " " $2] = 1
			next
		}
		{
			for (i = 1; i <= NF; i++)
				if ($i ~ /^(\.t?(data|bss)(\..*)?|\*COM\*)$/ && $i !~ /^\.data\.rel\.ro/)
					break
			# Section symbols are named like the section and have no size.
			if (i >= NF || $NF ~ /^\./)
				next
			name = $NF
			sub(/\.[0-9]+$/, "", name)
			if (!(source " " name in allowed))
				print source ":1: mutable global or static local: " name " (" $i ")"
		}' "$allow" -
	done | lint_verdict
