#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Every source file begins with its licence: on the first line, or in a script on the line after "#!".
set -euo pipefail
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"
lint_enter "${1-}"

# Kernel programs have both licences, because some helpers are for GPL programs only.
mit='SPDX-License-Identifier: MIT( \*/)?$'
kernel='SPDX-License-Identifier: (GPL-2\.0 OR )?MIT( \*/)?$'

lint_files | grep -zvE '^tests/data/' | sort -z | while IFS= read -r -d '' file; do
	first="" second=""
	# Reads bytes and not text, because a seed or a picture may contain anything.
	{ IFS= read -r first; IFS= read -r second; } 2>/dev/null <"$file" || true
	case $file in
	*.c | *.h | *.def | *.sh | *.py | *.cmake | *.yaml | *.yml | *CMakeLists.txt | .clang-* | *Dockerfile) ;;
	*) [[ $first == '#!'* ]] || continue ;;
	esac
	line=$first
	[[ $first != '#!'* ]] || line=$second
	wanted=$mit
	[[ $file != bpf/* ]] || wanted=$kernel
	[[ $line =~ $wanted ]] || echo "$file:1: the SPDX line (MIT) is missing"
done | lint_verdict
