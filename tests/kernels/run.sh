#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The kernel programs and the agent on other kernels: boots each in qemu (emulated, no KVM needed) with a small
# system in memory, runs guest.sh there and reads its checks from the serial line. Needs root.
#
#   tests/kernels/run.sh [--build DIR] [LINE...]      default: the release build, all lines
#
# Kernels are Debian's, fetched once into $FFFA_KERNEL_CACHE (default build/kernels). One that cannot be fetched is
# skipped, with the reason; 77 when that holds for all. Serial logs are in build/log.
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
modules=(veth sch_ingress cls_bpf geneve)
cache=${FFFA_KERNEL_CACHE:-build/kernels}
logs=$PWD/build/log
build=build/release
guest_seconds=300 # several times what an idle machine needs
exact_packets=200000
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# install_program PATH [NAME]: with the libraries that it is linked to.
install_program()
{
	local path=$1 name=${2-usr/bin/$(basename "$1")} library

	install -D "$path" "$work/system/$name"
	# ldd fails for what is static.
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

# What all guests share; their modules are a second archive, which the kernel unpacks over it.
pack()
{
	local test

	mkdir -p "$work/system"/{bin,proc,sys,dev,tmp,modules}
	install "$(program busybox)" "$work/system/bin/busybox"
	# Its path as the kernel runs it; ip and others find their configuration missing, and need none.
	sed '1s|.*|#!/bin/busybox sh|' tests/kernels/guest.sh >"$work/system/init"
	chmod 755 "$work/system/init"
	install_program "$build/agent/fffa"
	for test in parse table exact; do
		install_program "$build/tests/bpf/test_bpf_$test" "tests/test_bpf_$test"
	done
	for test in ip tc ping setpriv; do
		install_program "$(program $test)"
	done
	archive "$work/system" "$work/system.cpio"
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
	timeout "$guest_seconds" qemu-system-x86_64 -accel tcg -cpu max,cx16=off -m 1024 -smp 2 -nographic -no-reboot \
		-net none -kernel "$cache/$line/vmlinuz" -initrd "$guest.initrd" \
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

# verdict LINE: prints its checks; 0 passed, 1 failed, 77 skipped.
verdict()
{
	local line=$1 log=$logs/kernel-$1.log pass

	if [[ -e $work/$line.skip ]]; then
		echo "$line: skipped: $(cat "$work/$line.skip")"
		return 77
	fi
	echo "$line: $(sed -n 's/^INFO kernel //p' "$log")"
	grep -E '^CHECK|^INFO verified' "$log" | sed 's/^/   /'
	pass=$(grep -c '^CHECK pass' "$log")
	if ! grep -q '^CHECKS-DONE' "$log" || grep -q '^CHECK FAIL' "$log" || [[ $pass -ne $(checks) ]]; then
		echo "   FAILED: $pass of $(checks) checks passed; the end of $log:"
		tail -n 60 "$log" | sed 's/^/      /'
		return 1
	fi
}

# How many there are to pass: a guest that forgets one must not look green.
checks()
{
	grep -c '^check "' tests/kernels/guest.sh
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
	-*) sed -n '/^# The kernel/,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0"; exit 2 ;;
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
	rc=0
	verdict "${entry%% *}" || rc=$?
	case $rc in
	0) passed=$((passed + 1)) ;;
	77) skipped=$((skipped + 1)) ;;
	*) failed=$((failed + 1)) ;;
	esac
done
echo "kernels: $passed passed, $failed failed, $skipped skipped"
[[ $failed -eq 0 && $passed -gt 0 ]] && exit 0
[[ $failed -gt 0 || $skipped -eq 0 ]] || exit 77
exit 1
