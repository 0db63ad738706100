#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Installs what FFFA needs, from Debian packages: the one place where dependencies are named.
#
#   docker/install-deps.sh [build|test|all|kernels|bare|packages|image|page|portable|arm64]     default: build
#   docker/install-deps.sh --names              the list of build, installs nothing
#
# build: compile and run the agent. test: what the tests need beside that. all: both. kernels: what boots
# other kernels, for tests/kernels. bare: what makes minimal systems, for tests/bare. packages: what makes and
# tries packages. image: what builds and runs the image, for tests/image. page: a browser, for tests/page.
# portable: what docker/portable/build.sh needs. arm64: what docker/portable/arm64.sh needs.
# Does nothing, quickly, when everything is there. Debian 12 (bookworm), 13 (trixie) and testing. Needs root.
set -euo pipefail

# "a|b": any of them will do; when none is installed, the first that this Debian offers.
build=(
	gcc libc6-dev clang llvm cmake ninja-build "pkg-config|pkgconf" bpftool git ca-certificates
	linux-libc-dev libbpf-dev libelf-dev zlib1g-dev
	libuv1-dev libcurl4-openssl-dev libyaml-dev libjansson-dev libpcap-dev libmnl-dev
	libseccomp-dev librdkafka-dev "libmsgpack-c-dev|libmsgpack-dev" libzstd-dev libmicrohttpd-dev libncurses-dev
)
test=(
	libcmocka-dev "libclang-rt-dev|libclang-rt-14-dev"
	clang-format clang-tidy cppcheck shellcheck
	tshark tcpdump iperf3 nftables nginx-light openssl curl iproute2 iputils-ping ethtool procps e2fsprogs
	python3 python3-venv python3-scapy jq strace kcat prometheus python3-msgpack zstd
)
kernels=(qemu-system-x86 busybox-static cpio kmod xz-utils util-linux ethtool)
bare=(mmdebstrap util-linux iproute2 iputils-ping)
image=(docker.io mmdebstrap iproute2 iputils-ping jq)
page=("chromium-headless-shell|chromium" fonts-dejavu-core)
packages=(dpkg-dev lintian rpm rpmlint systemd-container mmdebstrap)
portable=(dpkg-dev libnghttp2-dev libssl-dev flex bison make patch)
arm64=(gcc-aarch64-linux-gnu qemu-user-static mmdebstrap)

die()
{
	echo "install-deps: $*" >&2
	exit 1
}

usage()
{
	sed -n '/^# Installs/,/^# Does/s/^# \{0,1\}//p' "$0"
}

installed()
{
	[[ $(dpkg-query -W -f '${db:Status-Abbrev}' "$1" 2>/dev/null) == ii* ]]
}

offered()
{
	[[ -n $(apt-cache show --no-all-versions "$1" 2>/dev/null) ]]
}

# Fills missing with the entries of which no alternative is installed.
find_missing()
{
	local entry name have

	missing=()
	for entry in "$@"; do
		have=
		for name in ${entry//|/ }; do
			if installed "$name"; then
				have=yes
				break
			fi
		done
		[[ -n $have ]] || missing+=("$entry")
	done
}

# Fills names with one package for each missing entry. Only after apt-get update.
choose()
{
	local entry name pick

	names=()
	for entry in "${missing[@]}"; do
		pick=
		for name in ${entry//|/ }; do
			if offered "$name"; then
				pick=$name
				break
			fi
		done
		[[ -n $pick ]] || die "no package source of this host offers $entry"
		names+=("$pick")
	done
}

# A test machine gets nginx for its program, not for a server on port 80: while packages are set up, no
# service starts. A policy that the host has already is left as it is.
forbid_services()
{
	local policy=/usr/sbin/policy-rc.d

	[[ ! -e $policy ]] || return 0
	trap 'rm -f /usr/sbin/policy-rc.d' EXIT
	printf '#!/bin/sh\nexit 101\n' >$policy
	chmod 755 $policy
}

case ${1-build} in
--names)
	printf '%s\n' "${build[@]}"
	exit 0
	;;
build) wanted=("${build[@]}") ;;
test) wanted=("${test[@]}") ;;
kernels) wanted=("${kernels[@]}") ;;
bare) wanted=("${bare[@]}") ;;
image) wanted=("${image[@]}") ;;
page) wanted=("${page[@]}") ;;
packages) wanted=("${build[@]}" "${packages[@]}") ;;
portable) wanted=("${build[@]}" "${portable[@]}") ;;
arm64) wanted=("${build[@]}" "${arm64[@]}") ;;
all) wanted=("${build[@]}" "${test[@]}") ;;
-h | --help)
	usage
	exit 0
	;;
*)
	usage >&2
	exit 2
	;;
esac

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
	die "this script knows Debian packages only; install the equivalents of: ${wanted[*]}"
fi
find_missing "${wanted[@]}"
[[ ${#missing[@]} -gt 0 ]] || exit 0
[[ $(id -u) -eq 0 ]] || die "must run as root to install: ${missing[*]}"

# noninteractive: tshark would ask whether non-root users may capture; the default is no.
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
run_apt()
{
	# A fresh host often runs apt by itself: wait for its lock rather than fail.
	if ! apt-get -q -o DPkg::Lock::Timeout=120 "$@" >"$log" 2>&1; then
		tail -n 20 "$log" >&2
		die "apt-get $1 failed; the whole log is in $log"
	fi
}

echo "install-deps: installing ${#missing[@]} packages: ${missing[*]}" >&2
run_apt update
choose
forbid_services
run_apt install -y --no-install-recommends "${names[@]}"
rm -f "$log"
