#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Checks the shape of the tree: what may be at its top, how long a file may be, how many sources a folder may have (except
# tests), that no file names a path of the machine where it was written, and that nothing runs on libuv's own threads,
# which one frozen disk would take from everybody: agent/loop/worker.h is used instead.
set -euo pipefail
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"
lint_enter "${1-}"

max_lines=600
max_sources=12
top='^(CMakeLists\.txt|CMakePresets\.json|README\.md|LICENSE|agent|bpf|sinks|config|docker|tests|\..*)$'
# The brackets keep these expressions from finding themselves.
pool='\buv_(queue_work|cancel|fs_[a-z]+|getaddrinfo|getnameinfo|random)[[:space:]]*\('
machine='/(wor[k]|far[m]|hom[e]/[a-z0-9_-]+|roo[t]|User[s])/|bash_job[s]|[.]librar[y]'

{
	lint_files | cut -z -d/ -f1 | sort -zu | tr '\0' '\n' | grep -vE "$top" |
		sed 's/$/:1: does not belong at the top of the tree/' || true

	lint_files | grep -zE '\.[ch]$' | grep -zv '^bpf/vmlinux' | sort -z |
		while IFS= read -r -d '' file; do
			lines=$(wc -l <"$file")
			[[ $lines -le $max_lines ]] ||
				echo "$file:$max_lines: $lines lines; split it by concept"
		done

	lint_files | grep -zE '\.c$' | grep -zv '^tests/' | xargs -0r -n 1 dirname | sort | uniq -c |
		while read -r count folder; do
			[[ $count -le $max_sources ]] || echo "$folder:1: $count sources; a folder holds at most $max_sources"
		done

	lint_files | grep -zE '^(agent|sinks|config)/.*\.[ch]$' | sort -z | xargs -0r grep -HnE "$pool" -- |
		sed 's/$/   <- runs on threads that all share; use agent\/loop\/worker.h/' || true

	lint_files | sort -z | xargs -0r grep -HInE "$machine" -- |
		sed 's/$/   <- names a path of a machine/' || true
} | lint_verdict
