#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# A check that finds nothing proves nothing until it has found something: each offence below is planted in a
# small tree of its own, and the script that is meant for it must name the file and fail. The same tree without
# the offence must pass. Where the tool of a script is missing (77), that script is not tried; the last line says so.
set -uo pipefail
lint=$(realpath "$(dirname "$0")")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bad=0
declare -A untried=()

# A clean tree with one file in each kind of place.
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

# expect SCRIPT FILE TEXT [ARGUMENTS]: the script fails and names the file, and TEXT with it.
expect()
{
	local script=$1 file=$2 text=$3 out rc=0

	shift 3
	out=$("$lint/$script" "$work/tree" "$@" 2>&1) || rc=$?
	if [[ $rc -eq 77 ]]; then
		untried[$script]=$out
	elif [[ $rc -eq 0 ]] || ! grep -F -- "$file" <<<"$out" | grep -qF -- "$text"; then
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

# plant FILE LINE...: appends lines, making the file with its licence where it is new.
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

# include, planted in, reported as
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
# Places where each library is at home, and the one file that knows every sink.
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
plant agent/base/p.c 'int  f(void) {return 0;}'
expect format.sh agent/base/p.c clang-format
fresh
# shellcheck disable=SC2016 # the planted script is text
printf '#!/bin/bash\n# SPDX-License-Identifier: MIT\nrm $1\n' >docker/noext
expect shell.sh docker/noext 'noext line 3'
fresh
plant agent/base/p.c 'int f(void)' '{' '	int v[2] = {0, 0};' '	return v[2];' '}'
expect cppcheck.sh agent/base/p.c 'out of bounds'

# Scripts that look at a build get one.
fresh
mkdir build
plant agent/base/g.c 'int counter;' 'int f(void);' 'int f(void)' '{' '	static int calls;' '	return ++calls + counter;' '}'
plant agent/base/log.c 'int conf;' 'static const char *const names[] = {"a", "b"};' \
	'const char *n(int i);' 'const char *n(int i)' '{' '	return names[i];' '}'
entries=()
for name in g log; do
	gcc -fPIE -c "agent/base/$name.c" -o "build/$name.o" || bad=1
	entries+=("{\"directory\": \"$work/tree/build\", \"file\": \"$work/tree/agent/base/$name.c\", \"command\": \"clang -o $name.o -c $work/tree/agent/base/$name.c\"}")
done
printf '[%s,\n%s]\n' "${entries[@]}" >build/compile_commands.json
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

# The tally counts what ctest says, and takes a test that did not start for a failure.
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
