#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Builds the agent with its libraries linked in, so that it needs the C library alone, glibc 2.34 or newer:
# docker/portable/build.sh. Runs on Debian 12, after `docker/install-deps.sh portable`, and fetches sources by apt.
#
# The result is build/portable/stage, as `cmake --install` makes it, for `docker/package/build.sh --stage`. Debian's static
# libraries are used where they bring nothing along. Built from Debian's sources are those that would: libcurl without LDAP,
# SSH, RTMP and GSSAPI; librdkafka with OIDC and without Cyrus; libmicrohttpd without GnuTLS; libpcap without D-Bus. libmnl
# has no static library in Debian: mnl.c has what the agent calls of it. Each is built once.
set -euo pipefail
cd "$(dirname "$0")/../.."
tree=$PWD dir=$PWD/build/portable
prefix=$dir/prefix
flags=(-O2 -fPIE -fstack-protector-strong -D_FORTIFY_SOURCE=2 -ffunction-sections -fdata-sections)
arch=$(gcc -print-multiarch)
# shellcheck source=docker/apt.sh
. docker/apt.sh

# The host's package lists need no sources.
open_sources()
{
	[[ -z ${own_apt_conf-} ]] || return 0
	# shellcheck disable=SC2016 # apt's own variables
	apt-get indextargets --format '$(ORIGIN) $(REPO_URI) $(RELEASE)' 'Created-By: Packages' |
		sed -n 's|^Debian \([^ ]* bookworm[^ ]*\)$|\1|p' | sort -u >"$dir/mirrors"
	own_apt_read "$dir/apt" deb-src <"$dir/mirrors"
}

# once NAME FUNCTION: unpacks Debian's source of NAME and builds it there, unless that was done.
once()
{
	local name=$1

	[[ ! -e $prefix/.$name ]] || return 0
	open_sources
	rm -rf "$dir/src/$name"
	mkdir -p "$dir/src/$name"
	echo "portable: $name"
	(cd "$dir/src/$name" && own_apt apt-get -qq source "$name" && cd "$name"-*/ && "$2") >"$dir/$name.log" 2>&1 ||
		die "$name: see $dir/$name.log"
	touch "$prefix/.$name"
}

with_cmake()
{
	cmake -S . -B build -G Ninja -DCMAKE_BUILD_TYPE=None -DCMAKE_C_FLAGS="${flags[*]}" -DCMAKE_CXX_FLAGS="${flags[*]}" \
		-DCMAKE_INSTALL_PREFIX="$prefix" -DCMAKE_INSTALL_LIBDIR=lib -DCMAKE_PREFIX_PATH="$prefix" \
		-DBUILD_SHARED_LIBS=OFF "$@"
	cmake --build build
	cmake --install build
}

# The files that autoconf and automake made are those of the release.
with_configure()
{
	./configure CFLAGS="${flags[*]}" --prefix="$prefix" --disable-shared --enable-static "$@"
	make -j"$(nproc)" AUTOCONF=: AUTOMAKE=: ACLOCAL=: AUTOHEADER=:
	make install AUTOCONF=: AUTOMAKE=: ACLOCAL=: AUTOHEADER=:
}

# OpenSSL's own place of the CA certificates counts, which the agent sets (agent/service/ca_bundle.c). arc4random is of
# glibc 2.36.
make_curl()
{
	with_cmake -DBUILD_CURL_EXE=OFF -DBUILD_TESTING=OFF -DHTTP_ONLY=ON -DCURL_USE_OPENSSL=ON -DUSE_NGHTTP2=ON \
		-DCURL_USE_LIBSSH2=OFF -DCURL_USE_GSSAPI=OFF -DCURL_USE_LIBPSL=OFF -DUSE_LIBIDN2=OFF -DCURL_BROTLI=OFF \
		-DCURL_ZSTD=OFF -DCURL_CA_BUNDLE=none -DCURL_CA_PATH=none -DCURL_CA_FALLBACK=ON -DHAVE_ARC4RANDOM=0 \
		-DENABLE_MANUAL=OFF
}

make_librdkafka()
{
	with_cmake -DRDKAFKA_BUILD_STATIC=ON -DRDKAFKA_BUILD_EXAMPLES=OFF -DRDKAFKA_BUILD_TESTS=OFF -DWITH_SSL=ON \
		-DWITH_SASL=OFF -DWITH_CURL=ON -DWITH_ZLIB=ON -DWITH_ZSTD=ON -DENABLE_LZ4_EXT=OFF \
		-DCMAKE_DISABLE_FIND_PACKAGE_CURL=OFF
}

make_libmicrohttpd()
{
	with_configure --disable-https --disable-doc --disable-examples --disable-curl
}

make_libpcap()
{
	with_configure --disable-dbus --disable-bluetooth --disable-usb --disable-rdma --disable-remote --without-libnl
}

# static NAME...: Debian's own archives, in the prefix, where no shared library stands beside them.
static()
{
	local name

	for name in "$@"; do
		[[ -e /usr/lib/$arch/lib$name.a ]] || die "no lib$name.a: docker/install-deps.sh portable"
		ln -sf "/usr/lib/$arch/lib$name.a" "$prefix/lib/lib$name.a"
	done
}

# pc NAME VERSION LIBRARY...: what pkg-config says of it: all that it needs, in order.
pc()
{
	local name=$1 version=$2

	shift 2
	printf 'Name: %s\nDescription: static\nVersion: %s\nLibs: -L%s/lib %s\nCflags: -I%s/include\n' "$name" "$version" \
		"$prefix" "$(printf -- '-l%s ' "$@")" "$prefix" >"$prefix/pc/$name.pc"
}

version_of()
{
	pkg-config --modversion "$1"
}

own_version_of()
{
	PKG_CONFIG_LIBDIR=$prefix/lib/pkgconfig version_of "$1"
}

describe()
{
	local tls=(ssl crypto) http=(curl nghttp2 ssl crypto z pthread dl)

	mkdir -p "$prefix/pc"
	pc libcurl "$(own_version_of libcurl)" "${http[@]}"
	pc rdkafka "$(own_version_of rdkafka-static)" rdkafka "${http[@]:0:2}" zstd "${tls[@]}" z m pthread dl
	pc libmicrohttpd "$(own_version_of libmicrohttpd)" microhttpd pthread
	pc libpcap "$(own_version_of libpcap)" pcap
	pc libmnl "$(version_of libmnl)" mnl
	pc libbpf "$(version_of libbpf)" bpf elf z
	pc libelf "$(version_of libelf)" elf z
	pc libuv "$(version_of libuv)" uv_a pthread dl
	pc jansson "$(version_of jansson)" jansson
	pc yaml-0.1 "$(version_of yaml-0.1)" yaml
	pc libseccomp "$(version_of libseccomp)" seccomp
	pc libzstd "$(version_of libzstd)" zstd
	pc zlib "$(version_of zlib)" z
	pc msgpack "$(version_of msgpack)" msgpackc
	pc ncursesw "$(version_of ncursesw)" ncursesw tinfo
}

main()
{
	grep -q bookworm /etc/os-release || die 'only Debian 12 builds it: the C library of a newer one asks for more'
	mkdir -p "$prefix"/{lib,include}
	static z zstd elf bpf uv_a jansson yaml msgpackc seccomp ssl crypto nghttp2 ncursesw tinfo
	gcc "${flags[@]}" -c docker/portable/mnl.c -o "$dir/mnl.o"
	rm -f "$prefix/lib/libmnl.a"
	ar rcs "$prefix/lib/libmnl.a" "$dir/mnl.o"
	once curl make_curl
	once librdkafka make_librdkafka
	once libmicrohttpd make_libmicrohttpd
	once libpcap make_libpcap
	describe
	export PKG_CONFIG_LIBDIR=$prefix/pc
	cmake -S "$tree" -B "$dir/build" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCMAKE_INSTALL_PREFIX=/usr \
		-DFFFA_PORTABLE=ON -DCMAKE_DISABLE_FIND_PACKAGE_msgpack-c=ON \
		-DCMAKE_EXE_LINKER_FLAGS='-static-libgcc -Wl,--gc-sections' >"$dir/cmake.log"
	cmake --build "$dir/build"
	rm -rf "$dir/stage"
	DESTDIR=$dir/stage cmake --install "$dir/build" --strip >/dev/null
	ls -l "$dir/stage/usr/sbin/fffa"
}

main
