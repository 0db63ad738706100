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
keys=/usr/share/keyrings/debian-archive-keyring.gpg

die()
{
	echo "portable: $*" >&2
	exit 1
}

# apt with package lists of its own, so that the host's need no sources. Its mirrors and keys are the host's.
own_apt()
{
	APT_CONFIG=$dir/apt/apt.conf "$@"
}

open_sources()
{
	[[ ! -e $dir/apt/ready ]] || return 0
	mkdir -p "$dir"/apt/{lists/partial,cache/archives/partial}
	: >"$dir/apt/status"
	# shellcheck disable=SC2016 # apt's own variables
	apt-get indextargets --format '$(ORIGIN) $(REPO_URI) $(RELEASE)' 'Created-By: Packages' |
		sed -n "s|^Debian \([^ ]*\) \(bookworm[^ ]*\)\$|deb-src [signed-by=$keys] \1 \2 main|p" |
		sort -u >"$dir/apt/sources.list"
	[[ -s $dir/apt/sources.list ]] || die "this host's package sources name no Debian mirror for bookworm"
	cat >"$dir/apt/apt.conf" <<-END
		Dir::State "$dir/apt";
		Dir::State::lists "$dir/apt/lists";
		Dir::State::status "$dir/apt/status";
		Dir::Cache "$dir/apt/cache";
		Dir::Etc::sourcelist "$dir/apt/sources.list";
		Dir::Etc::sourceparts "/dev/null";
		APT::Sandbox::User "root";
		Acquire::Languages "none";
	END
	own_apt apt-get -qq update || die 'the lists of the source packages cannot be read'
	touch "$dir/apt/ready"
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
}

main()
{
	grep -q bookworm /etc/os-release || die 'only Debian 12 builds it: the C library of a newer one asks for more'
	mkdir -p "$prefix"/{lib,include}
	static z zstd elf bpf uv_a jansson yaml msgpackc seccomp ssl crypto nghttp2
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
		-DFFFA_PORTABLE=ON -DCMAKE_DISABLE_FIND_PACKAGE_msgpack-c=ON -DCMAKE_POSITION_INDEPENDENT_CODE=ON \
		-DCMAKE_EXE_LINKER_FLAGS='-pie -static-libgcc -Wl,-z,relro,-z,now,--gc-sections' >"$dir/cmake.log"
	cmake --build "$dir/build"
	rm -rf "$dir/stage"
	DESTDIR=$dir/stage cmake --install "$dir/build" --strip >/dev/null
	ls -l "$dir/stage/usr/sbin/fffa"
}

main
