#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Gets a clang of another Debian suite with the libraries that it needs. It runs from the folder into which it is
# unpacked, and the host's package state stays as it is.
#
#   fetch-clang.sh SUITE VERSION DIR      e.g. fetch-clang.sh trixie 19 build/kernels/clang-19
#
# VERSION may be "newest". The compiler to call is DIR/clang. Does nothing when DIR holds it already. The last line of
# a failure says why.
set -euo pipefail
# shellcheck source=docker/apt.sh
. "$(dirname "$0")/../../docker/apt.sh"

[[ $# -eq 3 ]] || { sed -n '/^# Gets/,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0" >&2; exit 2; }
suite=$1 version=$2 dir=$3

[[ $(cat "$dir/ready" 2>/dev/null) != "$suite $version" ]] || exit 0
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

newest_version()
{
	own_apt apt-cache pkgnames clang- | sed -nE 's/^clang-([0-9]+)$/\1/p' | sort -n | tail -n 1
}

# packages_of VERSION: clang and the libraries that it is linked to, but not what it needs to link programs.
packages_of()
{
	local number=$1 library

	library=$(own_apt apt-cache depends "clang-$number" 2>/dev/null |
		sed -nE 's/.*Depends: (libclang-cpp.*)/\1/p' | head -n 1)
	[[ -n $library ]] || return 1
	printf '%s\n' "clang-$number" "libclang-common-$number-dev"
	own_apt apt-get -qq --print-uris --no-install-recommends install "$library" |
		sed -nE "s/^'[^']*' ([^_ ]+)_.*/\1/p"
}

# write_wrapper VERSION: DIR/clang starts the unpacked clang by the loader of its own C library.
write_wrapper()
{
	local number=$1 loader resources

	loader=$(cd "$dir/root" && find . -path './*lib64/ld-linux*' | head -n 1)
	resources=$(cd "$dir/root" && find "./usr/lib/llvm-$number/lib/clang" -name stddef.h | head -n 1)
	[[ -n $loader && -n $resources ]] || die "clang-$number of $suite is not laid out as expected"
	cat >"$dir/clang" <<-END
		#!/bin/sh
		root=\$(dirname "\$(readlink -f "\$0")")/root path=
		set -- -resource-dir "\$root/${resources%/include/stddef.h}" "\$@"
		for lib in "\$root"/lib/*-linux-gnu "\$root"/usr/lib/*-linux-gnu "\$root/usr/lib/llvm-$number/lib"; do
			path=\$path\${path:+:}\$lib
		done
		exec "\$root/$loader" --library-path "\$path" "\$root/usr/lib/llvm-$number/bin/clang" "\$@"
	END
	chmod 755 "$dir/clang"
}

own_apt_open "$suite" "$scratch"
number=$version
[[ $version != newest ]] || number=$(newest_version)
[[ -n $number ]] || die "$suite has no clang"
packages_of "$number" >"$scratch/packages" || die "$suite has no clang-$number"
mkdir "$scratch/debs"
(cd "$scratch/debs" && xargs env APT_CONFIG="$own_apt_conf" apt-get -qq download) <"$scratch/packages" ||
	die "clang-$number of $suite cannot be downloaded"
rm -rf "$dir"
mkdir -p "$dir/root"
for package in "$scratch"/debs/*.deb; do
	dpkg-deb -x "$package" "$dir/root"
done
write_wrapper "$number"
"$dir/clang" --version >/dev/null || die "clang-$number of $suite does not run here"
echo "$suite $version" >"$dir/ready"
