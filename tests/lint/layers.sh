#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Who may include whom: a folder sees only folders below it, and each library has one place where it is used.
# The links in the CMakeLists.txt files say the same. tests/ may include anything.
set -euo pipefail
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"
lint_enter "${1-}"

# folder (or file, which wins): folders whose headers it may include beside its own. Top row first: the ground.
layers='
bpf:
agent/base:          bpf
config/yaml:         agent/base config
config:              agent/base bpf config/yaml config/print
config/print:        agent/base config config/yaml
sinks:               agent/base config
agent/flow:          agent/base bpf
agent/loop:          agent/base
agent/encode:        agent/base bpf agent/flow agent/encode/shapes
agent/encode/shapes: agent/base bpf agent/flow agent/encode
agent/capture/kernel: agent/base bpf agent/flow
agent/capture/devices: agent/base bpf config
agent/capture:       agent/base bpf agent/flow agent/loop config agent/capture/kernel agent/capture/devices
agent/capture/replay: agent/base bpf agent/flow agent/loop config
agent/capture/unattended: agent/base agent/capture agent/capture/devices
agent/enrich/input:  agent/base
agent/enrich/imds:   agent/base bpf agent/flow agent/loop config agent/enrich/input
agent/enrich/ecs:    agent/base bpf agent/flow agent/loop config agent/enrich/input agent/enrich/imds
agent/enrich/services: agent/base bpf agent/flow agent/loop config agent/enrich/input
agent/enrich:        agent/base bpf agent/flow agent/loop config agent/enrich/input agent/enrich/imds agent/enrich/ecs agent/enrich/services
agent/spool:         agent/base sinks
agent/pipeline/queue: agent/base bpf agent/flow agent/loop agent/encode config sinks agent/pipeline agent/pipeline/spooler
agent/pipeline/spooler: agent/spool agent/base bpf agent/flow agent/loop agent/encode config sinks agent/pipeline agent/pipeline/queue
agent/pipeline:      agent/spool agent/base bpf agent/flow agent/loop agent/encode config sinks agent/pipeline/queue agent/pipeline/spooler
agent/status:        agent/base agent/flow agent/encode config
sinks/file/aws:      agent/base agent/loop agent/encode config sinks sinks/file
sinks/file:          agent/base agent/loop agent/encode config sinks sinks/file/aws
sinks/http/shape:    agent/base agent/loop agent/encode config sinks sinks/http
sinks/http:          agent/base agent/loop agent/encode config sinks sinks/http/shape
sinks/kafka:         agent/base agent/loop agent/encode config sinks
agent/daemon:        agent/base bpf agent/flow agent/loop agent/encode agent/capture agent/capture/kernel agent/capture/devices agent/capture/replay agent/capture/unattended agent/enrich agent/spool agent/pipeline agent/status config sinks sinks/file sinks/http sinks/kafka
agent/cli:           agent/daemon agent/base bpf agent/flow agent/loop agent/encode agent/capture agent/capture/replay agent/enrich agent/enrich/services agent/spool agent/pipeline agent/status config config/print sinks
'

# header (a regular expression on what stands between < and >): places that may include it, path prefixes.
# "!": everywhere but there. The helpers of bpf/ are macros for kernel programs, not the library.
fences='
^bpf/bpf_(helpers|endian|core_read|tracing)\.h$   bpf/ agent/capture/
^(bpf/|libelf|gelf)                               agent/capture/
^curl/                                            agent/loop/curl_ agent/enrich/ sinks/http/
^librdkafka/                                      sinks/kafka/
^msgpack                                          agent/encode/
^yaml\.h                                          config/
^jansson                                          agent/enrich/ sinks/http/ agent/cli/top_
^libmnl                                           agent/capture/
^pcap                                             agent/capture/
^microhttpd                                       agent/status/
^(zstd|zlib)                                     sinks/http/ sinks/file/
^uv(\.h|/)                                        !agent/base/ !agent/flow/ !agent/encode/ !config/ !bpf/
'

lint_files | grep -zE '^(bpf|agent|sinks|config)/.*\.[ch]$' | sort -z |
	{ xargs -0r grep -HnE '^[[:space:]]*#[[:space:]]*include[[:space:]]*[<"]' -- || true; } |
	LAYERS=$layers FENCES=$fences awk '
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
	if (name == "commit.h" && home == "agent/daemon")
		return
	if (name == "vmlinux.h" || name == "bpf/vmlinux.h") {
		if (home != "bpf")
			offence("\"" name "\": kernel types belong to bpf")
		return
	}
	if (!(file in row) && !(home in row)) {
		offence("the folder " home " has no row in tests/lint/layers.sh")
		return
	}
	if (!(dir in row)) {
		offence("\"" name "\": not a root-relative header of this project")
		return
	}
	if (dir != home && !(((file in row) ? file : home) SUBSEP dir in may))
		offence("\"" name "\": " ((file in row) ? file : home) " may not include " dir)
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
		for (j = 1; j <= m; j++)
			may[name SUBSEP to[j]] = 1
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
	if (NR == 0) {
		print "tests/lint/layers.sh: no include found: wrong tree?"
		bad = 1
	}
	exit bad
}'
