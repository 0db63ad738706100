#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# CMake says which package is missing or too old: test_configure.sh TREE CMAKE
set -uo pipefail
tree=$1 cmake=$2
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failed=0

# expect WORDS PACKAGE VERSION: configures on a system that has PACKAGE in VERSION ("": not at all).
expect()
{
	local words=$1 package=$2 version=$3 said

	# A pkg-config that answers for one package itself. CMake asks it "... --exists ... PACKAGE >= VERSION".
	cat >"$dir/pkg-config" <<-END
		#!/usr/bin/env bash
		if [[ "\$*" =~ (^|[[:space:]])$package([[:space:]]|$) ]]; then
			[[ -n "$version" && ! "\$*" =~ '>=' ]] || exit 1
			[[ ! "\$*" =~ --modversion ]] || echo "$version"
			exit 0
		fi
		exec $(type -P pkg-config) "\$@"
	END
	chmod +x "$dir/pkg-config"
	rm -rf "$dir/build"
	if said=$("$cmake" -G Ninja -S "$tree" -B "$dir/build" -DPKG_CONFIG_EXECUTABLE="$dir/pkg-config" \
		-DCMAKE_DISABLE_FIND_PACKAGE_msgpack-c=ON 2>&1); then
		echo "$package ${version:-missing}: CMake says nothing"
		failed=1
	elif ! tr -s '\n ' ' ' <<<"$said" | grep -qF "$words"; then
		echo "$package ${version:-missing}: CMake says: $said"
		failed=1
	fi
}

expect "libbpf 1.1 or newer is needed; this system has 0.5.0. Ubuntu 22.04 has 0.5" libbpf 0.5.0
expect "libbpf 1.1 or newer is needed: install libbpf-dev" libbpf ""
expect "msgpack-c is needed: install libmsgpack-c-dev or, on Debian 12, libmsgpack-dev" msgpack ""
exit "$failed"
