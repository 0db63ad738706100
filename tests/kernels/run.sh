#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Tests the kernel programs and the agent on other kernels. It boots each in qemu (emulated, without KVM) with a small
# system in memory, runs guest.sh there and reads its checks from the serial line. Needs root.
#
#   tests/kernels/run.sh [--build DIR] [--clangs "N..."|all|none] [LINE...]
#
# Default: the release build, clang 14 and 19, all lines. Each kernel loads the programs of the build, and then the
# programs that each clang makes of the same source. all: clang 14 to 21 and the newest of Debian testing.
#
# Kernels and compilers are Debian's, fetched once into $FFFA_KERNEL_CACHE (default build/kernels). A clang-N that the
# host has is used instead. What cannot be fetched is skipped, with the reason; 77 when that holds for all. Serial logs
# are in build/log.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 2

# line: Debian suite, what a TC hook must become (TCX: Linux 6.6), does BPF memory count against RLIMIT_MEMLOCK
# (before 5.11)
lines=(
	"5.10 bullseye-security clsact yes"
	"6.1 bookworm clsact no"
	"6.12 bookworm-backports tcx no"
	"6.18 trixie-backports tcx no"
)
modules=(veth sch_ingress cls_bpf geneve vxlan ip_gre ipip sit ip6_tunnel
	esp4 xfrm_user xfrm_interface authenc crypto_null)
clangs=(14 19)
all_clangs=(14 15 16 17 18 19 20 21 newest)
cache=${FFFA_KERNEL_CACHE:-build/kernels}
logs=$PWD/build/log
build=build/release
# Several times what an idle machine needs; more for each clang. tests/run.sh runs the guests beside other tests.
guest_seconds=1800
clang_seconds=200
exact_packets=100000
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# install_program PATH [NAME]: copies it with its libraries.
install_program()
{
	local path=$1 name=${2-usr/bin/$(basename "$1")} library

	install -D "$path" "$work/system/$name"
	# ldd fails for static programs.
	ldd "$path" 2>/dev/null | grep -o '/[^ ]*' | while read -r library; do
		[[ -e $work/system$library ]] || install -D "$library" "$work/system$library"
	done
}

program()
{
	PATH=/usr/sbin:/usr/bin:/sbin:/bin type -P "$1" || {
		echo "kernels: $1 is missing" >&2
		exit 1
	}
}

# The system of all guests. Their modules are a second archive, which the kernel unpacks over it.
pack()
{
	local test

	mkdir -p "$work/system"/{bin,proc,sys,dev,tmp,modules}
	install "$(program busybox)" "$work/system/bin/busybox"
	# The path at which the kernel runs it. ip and others have no configuration here, and need none.
	sed '1s|.*|#!/bin/busybox sh|' tests/kernels/guest.sh >"$work/system/init"
	chmod 755 "$work/system/init"
	install -m 644 tests/kernels/guest_{tunnels,ipsec}.sh "$work/system"
	install_program "$build/agent/fffa"
	for test in parse table receiver exact; do
		install_program "$build/tests/bpf/test_bpf_$test" "tests/test_bpf_$test"
	done
	for test in ip tc ping setpriv ethtool; do
		install_program "$(program $test)"
	done
	install_program "$build/tests/kernels/libother_object.so" lib/other_object.so
	make_objects
	archive "$work/system" "$work/system.cpio"
}

# For each clang N: the system's objects/clang-N.o; in $work, clang-N.out and the status clang-N.rc of making it.
make_objects()
{
	local name rc

	mkdir -p "$work/system/objects"
	for name in "${clangs[@]}"; do
		rc=0
		tests/kernels/make-object.sh "$build" "$cache" "$name" "$work/system/objects/clang-$name.o" \
			>"$work/clang-$name.out" 2>&1 || rc=$?
		echo "$rc" >"$work/clang-$name.rc"
		[[ $rc -eq 0 ]] || rm -f "$work/system/objects/clang-$name.o"
	done
}

archive()
{
	(cd "$1" && find . | cpio --quiet -o -H newc) | gzip -1 >"$2"
}

# fetch LINE SUITE: prints why not, when not.
fetch()
{
	tests/kernels/fetch.sh "$2" "$1" "$cache/$1" "${modules[@]}" >"$work/$1.fetch" 2>&1 && return
	echo "no kernel $1: $(tail -n 1 "$work/$1.fetch")"
	return 1
}

# boot LINE TC MEMLOCK: the serial line's text goes to the log.
boot()
{
	local line=$1 guest=$work/$1

	mkdir -p "$guest"
	cp -r "$cache/$line/modules" "$guest/modules"
	archive "$guest" "$guest.cpio"
	cat "$work/system.cpio" "$guest.cpio" >"$guest.initrd"
	# cx16=off: emulated, cmpxchg16b goes wrong now and then, and kernels from 6.12 on use it for every allocation.
	timeout --foreground $((guest_seconds + ${#clangs[@]} * clang_seconds)) qemu-system-x86_64 -accel tcg -cpu max,cx16=off \
		-m 1024 -smp 2 -nographic -no-reboot -net none -kernel "$cache/$line/vmlinuz" -initrd "$guest.initrd" \
		-append "console=ttyS0 quiet panic=-1 rdinit=/init tc=$2 memlock=$3 exact=$exact_packets" \
		</dev/null 2>&1 | tr -d '\r' >"$logs/kernel-$line.log"
}

run_line()
{
	local line=$1 suite=$2

	if fetch "$line" "$suite" >"$work/$line.skip"; then
		rm "$work/$line.skip"
		boot "$line" "$3" "$4"
	fi
}

# verdict LINE [CLANG]: prints the checks of a kernel, or of a clang's programs on it; 0 passed, 1 failed, 77 skipped.
verdict()
{
	local line=$1 title=$1 log=$logs/kernel-$1.log group='(agent|bpf)' expected pass

	expected=$(grep -c '^check "' tests/kernels/guest.sh)
	# Some checks are for hooks of clsact alone.
	[[ "${lines[*]}" != *"$line "*([! ])" clsact "* ]] ||
		expected=$((expected + $(grep -cE '^\[ .* != clsact \] .* check "' tests/kernels/guest.sh)))
	if [[ -n ${2-} ]]; then
		title="$line with clang-$2" group=clang-$2
		expected=$(grep -c '^	check "' tests/kernels/guest.sh)
	fi
	if [[ -e $work/$line.skip ]]; then
		echo "$title: skipped: $(cat "$work/$line.skip")"
		return 77
	fi
	if [[ -n ${2-} && $(cat "$work/clang-$2.rc") -ne 0 ]]; then
		no_object "$title" "$2"
		return
	fi
	if [[ -n ${2-} ]]; then
		echo "$title: $(tail -n 1 "$work/clang-$2.out")"
	else
		echo "$title: $(sed -n 's/.*INFO kernel //p' "$log")"
	fi
	grep -E "^(CHECK (pass|FAIL)|INFO) $group: " "$log" | sed 's/^/   /'
	pass=$(grep -cE "^CHECK pass $group: " "$log")
	# A guest that leaves a check out must not look green.
	if [[ $pass -eq $expected ]] && ! grep -qE "^CHECK FAIL $group: " "$log"; then
		[[ -z ${2-} ]] || return 0
		! grep -q '^CHECKS-DONE' "$log" || return 0
	fi
	echo "   FAILED: $pass of $expected checks passed; the end of $log:"
	tail -n 60 "$log" | sed 's/^/      /'
	return 1
}

# no_object TITLE CLANG: the verdict when the clang made no object.
no_object()
{
	if [[ $(cat "$work/clang-$2.rc") -eq 77 ]]; then
		echo "$1: skipped: no clang-$2: $(tail -n 1 "$work/clang-$2.out")"
		return 77
	fi
	echo "$1: FAILED: there is no object:"
	tail -n 20 "$work/clang-$2.out" | sed 's/^/   /'
	return 1
}

count_verdict()
{
	local rc=0

	verdict "$@" || rc=$?
	case $rc in
	0) passed=$((passed + 1)) ;;
	77) skipped=$((skipped + 1)) ;;
	*) failed=$((failed + 1)) ;;
	esac
}

wanted()
{
	local line

	[[ ${#only[@]} -gt 0 ]] || return 0
	for line in "${only[@]}"; do
		[[ $line != "$1" ]] || return 0
	done
	return 1
}

only=()
while [[ $# -gt 0 ]]; do
	case $1 in
	--build) build=$2; shift ;;
	--clangs)
		read -ra clangs <<<"$2"
		[[ $2 != all ]] || clangs=("${all_clangs[@]}")
		[[ $2 != none ]] || clangs=()
		shift
		;;
	-*) sed -n '/^# Tests the kernel/,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0"; exit 2 ;;
	*) only+=("$1") ;;
	esac
	shift
done
[[ $(id -u) -eq 0 ]] || {
	echo "needs root"
	exit 77
}
docker/install-deps.sh kernels || exit 1
mkdir -p "$cache" "$logs"
for file in agent/fffa tests/bpf/test_bpf_{parse,table,exact} tests/kernels/libother_object.so; do
	[[ -e $build/$file ]] || {
		echo "kernels: $build/$file is missing: run cmake --preset release && cmake --build --preset release"
		exit 1
	}
done
pack

passed=0 failed=0 skipped=0
for entry in "${lines[@]}"; do
	read -ra row <<<"$entry"
	wanted "${row[0]}" || continue
	# Two at a time: each guest has two CPUs, and waits a good part of its time.
	while [[ $(jobs -rp | wc -l) -ge 2 ]]; do
		wait -n
	done
	run_line "${row[@]}" &
done
wait
for entry in "${lines[@]}"; do
	wanted "${entry%% *}" || continue
	count_verdict "${entry%% *}"
	for clang in "${clangs[@]}"; do
		count_verdict "${entry%% *}" "$clang"
	done
done
echo "kernels: $passed passed, $failed failed, $skipped skipped"
[[ $failed -eq 0 && $passed -gt 0 ]] && exit 0
[[ $failed -gt 0 || $skipped -eq 0 ]] || exit 77
exit 1
