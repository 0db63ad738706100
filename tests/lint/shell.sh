#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Runs shellcheck over every shell script, by name or by its first line.
set -euo pipefail
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"
lint_enter "${1-}"
tool=$(lint_tool shellcheck)

lint_files | while IFS= read -r -d '' file; do
	first=''
	{ IFS= read -r first; } 2>/dev/null <"$file" || true
	[[ $file != *.sh && ! $first =~ ^#!.*[/\ ](ba|da)?sh([[:space:]]|$) ]] || printf '%s\0' "$file"
done | xargs -0r "$tool" -x --
