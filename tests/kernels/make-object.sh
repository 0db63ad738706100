#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Compiles the kernel programs with one clang, by the flags of a build.
#
#   make-object.sh BUILD CACHE NAME OBJECT      e.g. make-object.sh build/release build/kernels 19 /tmp/clang-19.o
#
# NAME is a version of clang, or "newest" for the newest one of Debian testing. The compiler is the host's clang-NAME,
# or else Debian's, fetched once into CACHE/clang-NAME. The last line is the compiler's version, or says why there is no
# object: status 77 when this clang cannot be fetched, 1 when it refuses the programs.
set -euo pipefail

[[ $# -eq 4 ]] || { sed -n '/^# Compiles/,/^# object/s/^# \{0,1\}//p' "$0" >&2; exit 2; }
build=$1 cache=$2 name=$3 object=$4
here=$(dirname "$0")

# The Debian suite that has this version.
suite()
{
	case $name in
	14 | 15 | 16) echo bookworm ;;
	17 | 18 | 19) echo trixie ;;
	*) echo testing ;;
	esac
}

fetched()
{
	"$here/fetch-clang.sh" "$(suite)" "$name" "$cache/clang-$name" >&2 || return 1
	echo "$cache/clang-$name/clang"
}

# layout OBJECT: its variables. The agent is compiled with the layout of the build's object: others must have the same.
layout()
{
	PATH=$PATH:/usr/sbin bpftool gen skeleton "$1" name fffa_bpf | sed -n '/^\tstruct fffa_bpf__/,/^\t}/p'
}

clang=$(PATH=/usr/bin:/bin type -P "clang-$name") || clang=$(fetched) || exit 77
version=$("$clang" --version | head -n 1)
"$clang" "@$build/bpf/bpf.flags" -c "$here/../../bpf/fffa.bpf.c" -o "$object" || {
	echo "$version does not compile bpf/fffa.bpf.c"
	exit 1
}
[[ $(layout "$object") == "$(layout "$build/bpf/fffa_bpf.bpf.o")" ]] || {
	echo "$version places the variables of bpf/fffa.bpf.c differently from the compiler of $build"
	exit 1
}
echo "$version"
