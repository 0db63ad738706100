#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Files that the program can write look as it writes them. generated.sh [TREE [PROGRAM]], by default that of the dev build.
set -euo pipefail
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"
lint_enter "${1-}"
program=${2:-build/dev/agent/fffa}

for file in "$program" config/fffa.yaml; do
	[[ -e $file ]] || {
		echo "$file does not exist"
		exit 77
	}
done
"$program" config --defaults | diff -u --label "config/fffa.yaml" --label "fffa config --defaults" config/fffa.yaml - || {
	echo "config/fffa.yaml:1: differs; write it with: $program config --defaults > config/fffa.yaml"
	exit 1
}
