#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# A folder includes only the folders that layers.table allows, and each library is used in its own folders. tests/ may
# include anything. layers.sh [TREE [unused]]: with "unused", and without a tree, an unused permission is an error, too.
set -euo pipefail
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"
layers=$(grep -v '^#' "$(dirname "$0")/layers.table")
unused=${2-}
[[ $# -gt 0 ]] || unused=unused
lint_enter "${1-}"

# header (a regular expression for the text between < and >): path prefixes that may include it. "!": all paths but these.
# The helpers of bpf/ are macros for kernel programs, not the library.
fences='
^bpf/bpf_(helpers|endian|core_read|tracing)\.h$   bpf/ agent/capture/
^(bpf/|libelf|gelf)                               agent/capture/
^curl/                                            agent/loop/curl_ agent/enrich/ sinks/http/ agent/cli/http_get.
^librdkafka/                                      sinks/kafka/
^msgpack                                          agent/encode/
^yaml\.h                                          config/
^jansson                                          agent/enrich/ sinks/http/ agent/cli/check_json agent/cli/top/ agent/cli/cmd_tail
^seccomp                                           agent/service/
^libmnl                                           agent/capture/
^pcap                                             agent/capture/ agent/filter/
^microhttpd                                       agent/status/
^ncurses                                          agent/cli/top/
^(zstd|zlib)                                     sinks/http/ sinks/file/ agent/capture/replay/
^uv(\.h|/)                                        !agent/base/ !agent/flow/ !agent/encode/ !config/ !bpf/
'

lint_files | grep -zE '^(bpf|agent|sinks|config)/.*\.[ch]$' | sort -z |
	{ xargs -0r grep -HnE '^[[:space:]]*#[[:space:]]*include[[:space:]]*[<"]' -- || true; } |
	LAYERS=$layers FENCES=$fences UNUSED=$unused awk '
function dirname(p) { return match(p, /\/[^\/]*$/) ? substr(p, 1, RSTART - 1) : "" }
function offence(why) { print place ": " why; bad = 1 }
function quoted(name,	dir, home)
{
	dir = dirname(name)
	home = dirname(file)
	# Headers made by the build: the loaded form of the kernel programs, the commit, and the kernel types.
	if (name ~ /\.skel\.h$/) {
		if (home != "agent/capture/kernel")
			offence("\"" name "\": the skeleton belongs to agent/capture/kernel")
		return
	}
	if ((name == "commit.h" && home == "agent/daemon") || (name == "page_data.h" && home == "agent/status/page"))
		return # made by the build
	if (name == "vmlinux.h" || name == "bpf/vmlinux.h") {
		if (home != "bpf")
			offence("\"" name "\": kernel types belong to bpf")
		return
	}
	if (!(home in row)) {
		offence("the folder " home " has no row in tests/lint/layers.table")
		return
	}
	if (!(dir in row)) {
		offence("\"" name "\": not a root-relative header of this project")
		return
	}
	if (dir == home)
		return
	if (!(home SUBSEP dir in may))
		offence("\"" name "\": " home " may not include " dir)
	used[home SUBSEP dir] = 1
}
function angled(name,	i, j, n, where, ok, deny)
{
	for (i = 1; i <= nfences; i++) {
		if (name !~ fence[i])
			continue
		n = split(allowed[i], where, " ")
		ok = deny = 0
		for (j = 1; j <= n; j++) {
			if (substr(where[j], 1, 1) == "!") {
				deny = 1
				if (index(file, substr(where[j], 2)) == 1)
					offence("<" name ">: not in " substr(where[j], 2))
			} else if (index(file, where[j]) == 1) {
				ok = 1
			}
		}
		if (!deny && !ok)
			offence("<" name ">: only in " allowed[i])
		return
	}
}
BEGIN {
	n = split(ENVIRON["LAYERS"], lines, "\n")
	for (i = 1; i <= n; i++) {
		if (!match(lines[i], /^[^:]+:/))
			continue
		name = substr(lines[i], 1, RLENGTH - 1)
		row[name] = 1
		m = split(substr(lines[i], RLENGTH + 1), to, " ")
		for (j = 1; j <= m; j++) {
			# "~": an arrow upwards that is still to go.
			if (!sub(/^~/, "", to[j]) && !(to[j] in row)) {
				print "tests/lint/layers.table:" i ": " name " may include " to[j] ", which stands above it or nowhere"
				bad = 1
			}
			may[name SUBSEP to[j]] = 1
		}
	}
	n = split(ENVIRON["FENCES"], lines, "\n")
	for (i = 1; i <= n; i++) {
		if (!match(lines[i], /^[^ ]+ +/))
			continue
		split(lines[i], to, " ")
		fence[++nfences] = to[1]
		allowed[nfences] = substr(lines[i], RLENGTH + 1)
	}
}
{
	match($0, /:[0-9]+:/)
	file = substr($0, 1, RSTART - 1)
	place = substr($0, 1, RSTART + RLENGTH - 2)
	text = substr($0, RSTART + RLENGTH)
	match(text, /[<"][^>"]*/)
	name = substr(text, RSTART + 1, RLENGTH - 1)
	if (substr(text, RSTART, 1) == "<")
		angled(name)
	else
		quoted(name)
}
END {
	for (pair in may) {
		split(pair, to, SUBSEP)
		if (ENVIRON["UNUSED"] && !(pair in used)) {
			print "tests/lint/layers.table:1: nothing in " to[1] " includes " to[2] " any more"
			bad = 1
		}
	}
	if (NR == 0) {
		print "tests/lint/layers.sh: no include found: wrong tree?"
		bad = 1
	}
	exit bad
}'
