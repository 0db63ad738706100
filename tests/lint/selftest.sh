#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Tests the lint scripts. Each offence below is put into a small tree, and the script for it must name the file and fail.
# The same tree without the offence must pass. A script whose tool is missing (77) is not tried; the last line says so.
set -uo pipefail
lint=$(realpath "$(dirname "$0")")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bad=0
declare -A untried=()

# Makes a clean tree with one file in each kind of folder.
fresh()
{
	rm -rf "$work/tree"
	mkdir -p "$work"/tree/{agent/{base,flow,encode,capture,loop,enrich,pipeline},bpf,config,sinks/{file,http},docker,tests/lint}
	cd "$work/tree" || exit 2
	cp "$lint/../../.clang-format" "$lint/../../.clang-tidy" .
	printf '/* SPDX-License-Identifier: MIT */\n#include <stdint.h>\n' |
		tee agent/base/a.h bpf/abi.h config/option.h sinks/sink.h agent/encode/encoder.h >/dev/null
	printf '/* SPDX-License-Identifier: MIT */\n#include "agent/base/a.h"\n#include "bpf/abi.h"\n' >agent/flow/f.c
	printf '#!/usr/bin/env bash\n# SPDX-License-Identifier: MIT\necho ok\n' >docker/d.sh
	git init -q .
	git -c user.name=t -c user.email=t add -A
}

# expect SCRIPT FILE TEXT [ARGUMENTS]: the script must fail and print a line with FILE and TEXT.
expect()
{
	local script=$1 file=$2 text=$3 out rc=0

	shift 3
	out=$("$lint/$script" "$work/tree" "$@" 2>&1) || rc=$?
	if [[ $rc -eq 77 ]]; then
		untried[$script]=$out
	elif [[ $rc -eq 0 ]] || ! grep -F -- "$file" <<<"$out" | grep -F -- "$text" >/dev/null; then
		echo "$script did not catch: $file: $text (status $rc): $out"
		bad=1
	fi
}

clean()
{
	local out rc=0

	out=$("$lint/$1" "$work/tree" "${@:2}" 2>&1) || rc=$?
	case $rc in
	0) ;;
	77) untried[$1]=$out ;;
	*)
		echo "$1 complains about a clean tree: $out"
		bad=1
		;;
	esac
}

# plant FILE LINE...: appends the lines; a new file gets its licence line first.
plant()
{
	local file=$1

	mkdir -p "$(dirname "$file")"
	[[ -e $file ]] || echo '/* SPDX-License-Identifier: MIT */' >"$file"
	printf '%s\n' "${@:2}" >>"$file"
}

fresh
for script in layers spdx tree format shell cppcheck; do
	clean $script.sh
done

# header, and the file that includes it
while read -r header file; do
	fresh
	plant "$file" "#include $header"
	expect layers.sh "$file:" "$header"
done <<'CASES'
"agent/flow/f.h" agent/base/a.c
"sinks/sink.h" config/c.c
"agent/pipeline/p.h" agent/encode/e.c
"agent/pipeline/p.h" sinks/file/f.c
"agent/capture/c.h" agent/flow/f.c
"sinks/file/f.h" sinks/http/h.c
"sinks/file/f.h" sinks/batch.c
"a.h" agent/base/b.c
"fffa_bpf.skel.h" agent/pipeline/p.c
<bpf/libbpf.h> agent/pipeline/p.c
<bpf/libbpf.h> bpf/x.h
<curl/curl.h> agent/pipeline/p.c
<curl/curl.h> agent/loop/timer.c
<librdkafka/rdkafka.h> sinks/http/h.c
<msgpack.h> sinks/file/f.c
<yaml.h> agent/enrich/e.c
<jansson.h> config/c.c
<libmnl/libmnl.h> agent/enrich/e.c
<pcap/pcap.h> agent/flow/f.c
<uv.h> agent/base/a.c
<uv.h> agent/encode/e.c
CASES
fresh
plant agent/newcomer/n.c '#include "agent/base/a.h"'
expect layers.sh agent/newcomer/n.c 'no row'
fresh
expect layers.sh layers.table 'nothing in agent/cli includes agent/daemon' unused
# The folders of each library, and the one file that includes every sink.
fresh
plant agent/capture/kernel/c.c '#include <bpf/libbpf.h>' '#include <libmnl/libmnl.h>' '#include <pcap/pcap.h>' '#include "fffa_bpf.skel.h"'
plant agent/loop/curl_loop.c '#include <curl/curl.h>' '#include <uv.h>'
plant agent/enrich/e.c '#include <jansson.h>' '#include <curl/curl.h>'
plant bpf/x.bpf.c '#include <bpf/bpf_helpers.h>'
plant agent/daemon/registry.c '#include "sinks/file/f.h"'
plant config/c.c '#include <yaml.h>'
clean layers.sh

fresh
echo 'int x;' >agent/base/n.c
expect spdx.sh agent/base/n.c SPDX
fresh
printf '#!/bin/sh\nexit 0\n' >docker/noext
expect spdx.sh docker/noext SPDX

fresh
echo hello >notes.txt
expect tree.sh notes.txt 'top of the tree'
fresh
yes '/* line */' | head -n 601 >>agent/base/long.c
expect tree.sh agent/base/long.c '601 lines'
fresh
for i in $(seq 13); do
	plant "agent/base/f$i.c" '/* nothing */'
done
expect tree.sh agent/base:1 '13 sources'
fresh
plant agent/base/p.c "/* see /hom""e/someone/notes */"
expect tree.sh agent/base/p.c:2 'a path of a machine'
fresh
plant sinks/file/p.c 'void f(uv_loop_t *l, uv_work_t *w) { uv_queue_work(l, w, 0, 0); }'
expect tree.sh sinks/file/p.c:2 'threads that all share'

fresh
plant agent/base/p.c 'int  f(void) {return 0;}'
expect format.sh agent/base/p.c clang-format
fresh
# shellcheck disable=SC2016 # the planted script is text
printf '#!/bin/bash\n# SPDX-License-Identifier: MIT\nrm $1\n' >docker/noext
expect shell.sh docker/noext 'noext line 3'
fresh
plant agent/base/p.c 'int f(void)' '{' '	int v[2] = {0, 0};' '	return v[2];' '}'
expect cppcheck.sh agent/base/p.c 'out of bounds'

# A private word in a name and in a message, not in a comment; an exception with its reason.
fresh
plant agent/base/p.c 'int fffa_lane_new(void);' '/* The world is told early. */' 'static const char text[] = "a tidy answer";'
expect words.py agent/base/p.c:2 '"lane" in the name fffa_lane_new'
expect words.py agent/base/p.c:4 '"tidy" in the message tidy'
fresh
plant agent/base/p.c '/* The world is told early. */' 'int planet(void);'
clean words.py

fresh
plant agent/base/p.c '/*' \
	' * A sentence that is filled up to the very end of its line by a formatter, which knows no' ' * mercy.' ' */'
expect comments.py agent/base/p.c:4 'one word: mercy.'
fresh
plant agent/base/p.c '/*' ' * Short.' ' * List.' ' */'
clean comments.py

fresh
# shellcheck disable=SC2016 # backticks of Markdown
printf '%s\n' 'See `agent/base/a.h`, `a.h` and [this](agent/flow/f.c).' >README.md
clean docs.py
# shellcheck disable=SC2016
printf '%s\n' 'See `agent/base/gone.h` and `{a,b}.h`.' >README.md
expect docs.py README.md:1 'agent/base/gone.h is not'
expect docs.py README.md:1 'b.h is not'

# The build's links and the table of layers.
fresh
mkdir -p agent/loop
printf '%s\n' 'bpf:' 'agent/base: bpf' 'agent/loop:' 'agent/flow: agent/base bpf' >tests/lint/layers.table
printf '%s\n' 'fffa_library(fffa_base SRC a.c)' >agent/base/CMakeLists.txt
printf '%s\n' 'fffa_library(fffa_loop SRC a.c LINK PkgConfig::libuv)' >agent/loop/CMakeLists.txt
printf '%s\n' 'fffa_library(fffa_flow SRC f.c LINK fffa_base)' >agent/flow/CMakeLists.txt
clean links.py
printf '%s\n' 'fffa_library(fffa_flow SRC f.c LINK fffa_loop)' >agent/flow/CMakeLists.txt
expect links.py agent/flow/CMakeLists.txt 'links agent/loop'
expect links.py agent/flow/CMakeLists.txt 'does not link agent/base'

# compile NAME...: compiles each agent/base/NAME.c into build/ and writes the compile commands.
compile()
{
	local name entries=()

	mkdir -p build
	for name in "$@"; do
		gcc -I. -fPIE -c "agent/base/$name.c" -o "build/$name.o" || bad=1
		entries+=("{\"directory\": \"$work/tree/build\", \"file\": \"$work/tree/agent/base/$name.c\", \"command\": \"clang -I.. -o $name.o -c $work/tree/agent/base/$name.c\"}")
	done
	printf '[%s]\n' "$(join_with_commas "${entries[@]}")" >build/compile_commands.json
}

join_with_commas()
{
	local IFS=,
	echo "$*"
}

# The scripts that need a build.
fresh
plant agent/base/ping.c 'int fffa_ping_a(void);' 'int fffa_pong_b(void);' 'int fffa_ping_a(void)' '{' '	return fffa_pong_b();' '}'
plant agent/base/pong.c 'int fffa_pong_b(void);' 'int fffa_pong_b(void)' '{' '	return 1;' '}'
compile ping pong
clean names.py build
clean circles.py build
plant agent/base/pong.c 'int fffa_ping_a(void);' 'int fffa_other_c(void);' 'int fffa_other_c(void)' '{' '	return fffa_ping_a();' '}'
compile ping pong
expect names.py agent/base/pong.c 'fffa_other_c does not begin' build
expect circles.py agent/base/ping.c 'files in a circle: agent/base/ping.c, agent/base/pong.c' build
fresh
plant agent/base/one.h '#include "agent/flow/two.h"'
plant agent/flow/two.h '#include "agent/base/a.h"'
mkdir build
echo '[]' >build/compile_commands.json
expect circles.py agent/base:1 'folders in a circle: agent/base, agent/flow' build
plant agent/flow/two.h '#include "agent/base/one.h"'
expect circles.py agent/base/one.h 'files in a circle: agent/base/one.h, agent/flow/two.h' build

fresh
plant agent/base/g.c 'int counter;' 'int f(void);' 'int f(void)' '{' '	static int calls;' '	return ++calls + counter;' '}'
plant agent/base/log.c 'int conf;' 'static const char *const names[] = {"a", "b"};' \
	'const char *n(int i);' 'const char *n(int i)' '{' '	return names[i];' '}'
compile g log
expect globals.sh agent/base/g.c 'local: counter ' build
expect globals.sh agent/base/g.c 'local: calls ' build
"$lint/globals.sh" "$work/tree" build | grep -E 'log\.c' && {
	echo "globals.sh complains about a constant or an allowed name"
	bad=1
}
plant agent/base/g.c '#include <stdlib.h>' 'int h(void);' 'int h(void)' '{' '	char *p = malloc(4);' \
	'	if (!p)' '		return 0;' '	free(p);' '	return p[0];' '}'
expect tidy.sh agent/base/g.c clang-analyzer-unix.Malloc build

printf '#!/bin/sh\necho "a: 1"\n' >build/fffa
chmod +x build/fffa
echo 'a: 1' >config/fffa.yaml
clean generated.sh build/fffa
echo 'a: 2' >config/fffa.yaml
expect generated.sh config/fffa.yaml differs build/fffa

# tally.py counts ctest's results; a test that did not start is a failure.
cat >build/junit.xml <<'XML'
<testsuite>
<testcase name="good" status="run"><system-out>[  SKIPPED ] part_of_it</system-out></testcase>
<testcase name="bad" status="fail"><failure message="SEGFAULT"/><system-out>boom</system-out></testcase>
<testcase name="cannot" status="notrun"><skipped message="SKIP_RETURN_CODE=77"/><system-out>needs a hat</system-out></testcase>
<testcase name="missing" status="notrun"><skipped message="Unable to find executable"/></testcase>
</testsuite>
XML
tally=$(/usr/bin/python3 "$lint/../tally.py" build/junit.xml)
for text in 'skipped: good: part_of_it' 'FAILED: bad (SEGFAULT)' boom 'skipped: cannot: needs a hat' \
	'FAILED: missing (Unable to find executable)' '1 2 2'; do
	grep -qF "$text" <<<"$tally" || {
		echo "tally.py: '$text' is not in: $tally"
		bad=1
	}
done

[[ $bad -eq 0 && ${#untried[@]} -gt 0 ]] || exit $bad
echo "not tried:$(for script in "${!untried[@]}"; do printf ' %s (%s)' "$script" "${untried[$script]}"; done)"
exit 77
