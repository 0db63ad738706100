#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Builds packages of the agent: docker/package/build.sh [--version V] [--build DIR | --stage DIR] [deb|rpm|tar]...   default: deb
#
# They are written to build/package. The program is built for the system that this runs on, and the deb names the libraries
# of that system. --build: compiles there, where the release preset may have done so already. --stage: packs a tree that
# `cmake --install` made, in place of building one. DEBFULLNAME and DEBEMAIL name the maintainer, else git's user does, else
# root of this host.
set -euo pipefail
cd "$(dirname "$0")/../.."
here=docker/package out=$PWD/build/package version='' build=$PWD/build/package/build stage='' kinds=()
: "${SOURCE_DATE_EPOCH:=$(git log -1 --format=%ct 2>/dev/null || date +%s)}"
export SOURCE_DATE_EPOCH

while [[ $# -gt 0 ]]; do
	case $1 in
	--version) version=$2; shift ;;
	--build) build=$2; shift ;;
	--stage) stage=$2; shift ;;
	deb | rpm | tar) kinds+=("$1") ;;
	*)
		sed -n '/^# Builds/,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$here/build.sh" >&2
		exit 2
		;;
	esac
	shift
done
[[ ${#kinds[@]} -gt 0 ]] || kinds=(deb)
[[ -n $version ]] || version=$(sed -n 's/^project(fffa VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
mkdir -p "$out"

# The files as they are installed.
make_stage()
{
	cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCMAKE_INSTALL_PREFIX=/usr >/dev/null
	cmake --build "$build" --target fffa fffa_docs
	stage=$out/stage
	rm -rf "$stage"
	DESTDIR=$stage cmake --install "$build" --strip >/dev/null
}

# A copy of the stage, with the permissions of packages, and with small manual pages.
copy_stage()
{
	rm -rf "$1"
	mkdir -p "$1"
	cp -a "$stage/." "$1"
	find "$1" -type d -exec chmod 755 {} +
	find "$1" -type f ! -name fffa -exec chmod 644 {} +
	gzip -9n "$1"/usr/share/man/man?/*
}

maintainer()
{
	local name email

	name=${DEBFULLNAME:-$(git config user.name || echo root)}
	email=${DEBEMAIL:-$(git config user.email || echo "root@$(hostname -f 2>/dev/null || echo localhost)")}
	echo "$name <$email>"
}

date_of()
{
	date -R -u -d "@$SOURCE_DATE_EPOCH"
}

make_deb()
{
	local root=$out/deb depends size arch

	copy_stage "$root"
	arch=$(dpkg --print-architecture)
	install -D -m 644 "$here/copyright" "$root/usr/share/doc/fffa/copyright"
	printf 'fffa (%s) unstable; urgency=medium\n\n  * README.md has the changes.\n\n -- %s  %s\n' "$version" \
		"$(maintainer)" "$(date_of)" |
		gzip -9n >"$root/usr/share/doc/fffa/changelog.gz"
	mkdir -p "$root/DEBIAN" "$out/shlibs/debian"
	{
		sed 1q "$here/control"
		echo "Maintainer: $(maintainer)"
		sed 1d "$here/control"
	} >"$out/shlibs/debian/control"
	depends=$(cd "$out/shlibs" && dpkg-shlibdeps -O -e"$root/usr/sbin/fffa" 2>/dev/null | sed 's/^shlibs:Depends=//')
	size=$(du -sk --exclude=DEBIAN "$root" | cut -f1)
	sed -n '/^Package:/,$p' "$here/control" | sed -e "/^Package:/a Version: $version" -e "s/^Architecture: .*/Architecture: $arch/" \
		-e "s/\${shlibs:Depends}/$depends/" >"$root/DEBIAN/control.rest"
	{
		sed -n '1,/^Depends:/p' "$root/DEBIAN/control.rest"
		grep -E '^(Section|Priority|Maintainer):' "$out/shlibs/debian/control"
		echo "Installed-Size: $size"
		sed '1,/^Depends:/d' "$root/DEBIAN/control.rest"
	} >"$root/DEBIAN/control"
	rm "$root/DEBIAN/control.rest"
	(cd "$root" && find etc -type f -printf '/%p\n' >DEBIAN/conffiles &&
		find usr -type f -print0 | LC_ALL=C sort -z | xargs -0 md5sum >DEBIAN/md5sums)
	install -m 755 "$here"/{postinst,prerm,postrm} "$root/DEBIAN/"
	dpkg-deb --root-owner-group -Zxz --build "$root" "$out/fffa_${version}_$arch.deb"
}

make_rpm()
{
	local root=$out/rpm-root

	copy_stage "$root"
	rm -rf "$root/usr/share/doc"
	install -D -m 644 LICENSE "$root/usr/share/licenses/fffa/LICENSE"
	rpmbuild -bb --quiet --define "_topdir $out/rpm" --define "_rpmdir $out" --define '_rpmfilename %{NAME}-%{VERSION}-%{RELEASE}.%{ARCH}.rpm' \
		--define "fffa_version $version" --define "fffa_root $root" --define '_build_id_links none' --define '__strip /bin/true' \
		--define "fffa_source $PWD" --define "packager $(maintainer)" \
		--define "fffa_changelog $(LC_ALL=C date -u -d "@$SOURCE_DATE_EPOCH" '+* %a %b %d %Y') $(maintainer) - $version-1" "$here/fffa.spec"
	ls "$out/fffa-$version"-1.*.rpm
}

make_tar()
{
	local root=$out/tar/fffa-$version name

	name=fffa-$version-linux-$(uname -m).tar.gz
	copy_stage "$root"
	tar -C "$out/tar" --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" -czf "$out/$name" "fffa-$version"
	echo "$out/$name"
}

[[ -n $stage ]] || make_stage
for kind in "${kinds[@]}"; do
	"make_$kind"
done
