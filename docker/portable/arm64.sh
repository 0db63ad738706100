#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Compiles the agent for arm64 on Debian 12, with the shared libraries of Debian 12: docker/portable/arm64.sh. Needs root, the
# packages of `docker/install-deps.sh arm64`, and the network once. The result is build/arm64/agent/fffa; build/arm64/system
# has the libraries, unpacked and not set up.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=docker/apt.sh
. docker/apt.sh
dir=$PWD/build/arm64
system=$dir/system

# The libraries that the build needs; of alternatives the last is Debian 12's.
libraries()
{
	docker/install-deps.sh --names | sed 's/.*|//' | grep -E -- '-dev$' | paste -sd,
}

make_system()
{
	local mirror packages

	packages=libgcc-12-dev,$(libraries)
	[[ $(cat "$dir/ready" 2>/dev/null) != "$packages" ]] || return 0
	mirror=$(debian_mirror bookworm)
	[[ -n $mirror ]] || die "this host's package sources name no Debian mirror"
	mkdir -p "$dir"
	rm -rf "$system"
	apt_fetch_options >"$dir/apt.conf"
	mmdebstrap --quiet --variant=extract --arch=arm64 --aptopt="$dir/apt.conf" --include="$packages" bookworm "$system" "$mirror"
	echo "$packages" >"$dir/ready"
}

grep -q bookworm /etc/os-release || die 'only Debian 12 builds it'
make_system
export PKG_CONFIG_SYSROOT_DIR=$system
export PKG_CONFIG_LIBDIR=$system/usr/lib/aarch64-linux-gnu/pkgconfig:$system/usr/share/pkgconfig
cmake -S . -B "$dir" -G Ninja -DFFFA_TESTS=OFF -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCMAKE_SYSTEM_NAME=Linux \
	-DCMAKE_SYSTEM_PROCESSOR=aarch64 -DCMAKE_C_COMPILER=aarch64-linux-gnu-gcc -DCMAKE_SYSROOT="$system" \
	-DCMAKE_FIND_ROOT_PATH="$system" -DCMAKE_FIND_ROOT_PATH_MODE_PROGRAM=NEVER -DCMAKE_FIND_ROOT_PATH_MODE_LIBRARY=ONLY \
	-DCMAKE_FIND_ROOT_PATH_MODE_INCLUDE=ONLY -DCMAKE_FIND_ROOT_PATH_MODE_PACKAGE=ONLY >"$dir/cmake.log"
cmake --build "$dir"
ls -l "$dir/agent/fffa"
