#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Gets one Debian kernel: its image and some of its modules, through apt with lists of its own, so that the host's
# package state stays as it is. Needs root.
#
#   fetch.sh SUITE LINE DIR MODULE...      e.g. fetch.sh bookworm 6.1 build/kernels/6.1 veth geneve
#
# Fills DIR with vmlinuz, release (the kernel's name) and modules/NN-NAME.ko in the order to load them. Does nothing
# when DIR holds them already. A module that is built in, or that this kernel does not have, is no error. The last line
# of a failure says why.
set -euo pipefail
# shellcheck source=docker/apt.sh
. "$(dirname "$0")/../../docker/apt.sh"

[[ $# -ge 3 ]] || { sed -n '/^# Gets/,/^# of a/s/^# \{0,1\}//p' "$0" >&2; exit 2; }
suite=$1 line=$2 dir=$3
shift 3
modules=("$@")

[[ $(cat "$dir/ready" 2>/dev/null) != "$suite ${modules[*]}" ]] || exit 0
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

newest_package()
{
	own_apt apt-cache pkgnames "linux-image-$line." | grep -E -- '-cloud-amd64$' | sort -V | tail -n 1 || true
}

# Prints the paths of the wanted modules and of those that they need, in the order to load them.
load_order()
{
	local release=$1 module

	for module in "${modules[@]}"; do
		modprobe -S "$release" -d "$scratch/k" --show-depends "$module" 2>/dev/null || true
	done | sed -n 's/^insmod \([^ ]*\).*/\1/p' | awk '!seen[$0]++'
}

unpack_modules()
{
	local release=$1 path name n=10

	depmod -b "$scratch/k" "$release"
	while read -r path; do
		name=$(basename "$path")
		case $name in
		*.ko.xz) xz -dc "$path" ;;
		*.ko.zst) zstd -qdc "$path" ;;
		*) cat "$path" ;;
		esac >"$dir/modules/$n-${name%%.ko*}.ko"
		n=$((n + 1))
	done < <(load_order "$release")
}

own_apt_open "$suite" "$scratch"
package=$(newest_package)
[[ -n $package ]] || die "$suite has no kernel $line"
(cd "$scratch" && own_apt apt-get -qq download "$package") || die "$package cannot be downloaded"
mkdir "$scratch/k"
dpkg-deb -x "$scratch"/linux-image-*.deb "$scratch/k"
image=$(find "$scratch/k/boot" -name 'vmlinuz-*' 2>/dev/null | head -n 1)
[[ -n $image ]] || die "$package holds no kernel image"

rm -rf "$dir"
mkdir -p "$dir/modules"
cp "$image" "$dir/vmlinuz"
release=${image##*/vmlinuz-}
echo "$release" >"$dir/release"
# A kernel for a merged /usr has its modules under usr/lib.
[[ -e $scratch/k/lib/modules ]] || ln -s usr/lib "$scratch/k/lib"
unpack_modules "$release"
echo "$suite ${modules[*]}" >"$dir/ready"
