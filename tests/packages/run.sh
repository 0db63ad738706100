#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Builds the packages, and installs, upgrades, removes and purges the deb in a booted minimal Debian 12. Needs root, the
# network once and Debian 12 as this host. The system is kept in build/packages for 30 days. The last line is the sum.
# shellcheck disable=SC2317 # check calls functions by name
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 2
sum_name=packages
# shellcheck source=tests/stubs/apt.sh
. tests/stubs/apt.sh
# shellcheck source=tests/stubs/sum.sh
. tests/stubs/sum.sh

dir=$PWD/build/packages
name=fffa-packages-$$
here=tests/packages
libraries=libbpf1,libelf1,libmnl0,libuv1,libcurl4,libjansson4,libyaml-0-2,libpcap0.8,librdkafka1,libmicrohttpd12,libseccomp2,libzstd1,zlib1g

make_system()
{
	local mirror

	[[ ! -e $dir/ready || -n $(find "$dir/ready" -mtime +30) ]] || return 0
	mirror=$(debian_mirror bookworm)
	[[ -n $mirror ]] || return
	rm -rf "$dir/bookworm"
	apt_fetch_options >"$dir/apt.conf"
	mmdebstrap --quiet --variant=minbase --aptopt="$dir/apt.conf" --dpkgopt=force-unsafe-io \
		--include="systemd,systemd-sysv,dbus,iproute2,ca-certificates,init-system-helpers,$libraries" \
		bookworm "$dir/bookworm" "$mirror" && touch "$dir/ready"
}

boot()
{
	local system=$dir/bookworm

	rm -rf "$dir/results"
	mkdir -p "$dir/results"
	install -m 755 "$here/inside.sh" "$dir/debs/inside.sh"
	printf '[Unit]\nAfter=basic.target dbus.service\n[Service]\nType=oneshot\nExecStart=/packages/inside.sh\nExecStopPost=/bin/systemctl --no-block poweroff\n' \
		>"$system/etc/systemd/system/packages-test.service"
	mkdir -p "$system/etc/systemd/system/multi-user.target.wants"
	ln -sf ../packages-test.service "$system/etc/systemd/system/multi-user.target.wants/"
	timeout -k 5 110 systemd-nspawn -q -D "$system" --volatile=overlay --register=no --keep-unit --private-network \
		--bind-ro="$dir/debs:/packages" --bind="$dir/results:/results" \
		--capability=CAP_BPF,CAP_PERFMON,CAP_NET_ADMIN --system-call-filter='bpf perf_event_open' \
		--machine="$name" -b </dev/null >"$dir/boot.log" 2>&1
	[[ -e $dir/results/done ]]
}

# What a package of another kind must hold.
rpm_holds()
{
	local list

	list=$(rpm -qpl "$dir/debs"/fffa-0.1.0-1.*.rpm) &&
		for file in /usr/sbin/fffa /etc/fffa/fffa.yaml /usr/lib/systemd/system/fffa.service /usr/share/man/man8/fffa.8.gz; do
			grep -qx "$file" <<<"$list" || return
		done
	rpm -qp --scripts "$dir/debs"/fffa-0.1.0-1.*.rpm | grep -q 'systemd-sysusers fffa.conf' &&
		rpm -qpc "$dir/debs"/fffa-0.1.0-1.*.rpm | grep -qx /etc/fffa/fffa.yaml
}

names_its_maintainer()
{
	[[ $(dpkg-deb -f "$dir"/debs/fffa_0.1.0_*.deb Maintainer) == "$DEBFULLNAME <$DEBEMAIL>" ]] &&
		[[ $(rpm -qp --qf '%{PACKAGER}' "$dir"/debs/fffa-0.1.0-1.*.rpm) == "$DEBFULLNAME <$DEBEMAIL>" ]]
}

lintian_is_content()
{
	local out

	out=$(lintian --fail-on error,warning "$dir/debs"/fffa_0.1.0_*.deb 2>&1)
	local rc=$?
	echo "$out"
	return "$rc"
}

rpmlint_is_content()
{
	local out

	out=$(rpmlint -c docker/package/rpmlint.toml "$dir"/debs/fffa-0.1.0-1.*.rpm 2>&1)
	echo "$out"
	grep -q ' 0 errors, 0 warnings' <<<"$out"
}

main()
{
	local line

	need_tools packages mmdebstrap systemd-nspawn lintian rpmlint rpmbuild dpkg-deb
	grep -q bookworm /etc/os-release || skip 'the packages of this host do not fit Debian 12'
	mkdir -p "$dir/debs"
	make_system || skip 'no minimal system'
	rm -f "$dir"/debs/*
	export DEBFULLNAME='A Maintainer' DEBEMAIL=maintainer@packages.test
	check build docker/package/build.sh deb rpm tar
	[[ $failed -eq 0 ]] || finish
	check 'build of the next version' docker/package/build.sh --stage build/package/stage --version 0.1.1 deb
	cp build/package/fffa_0.1.[01]_*.deb build/package/fffa-0.1.0-1.*.rpm "$dir/debs/"
	check lintian lintian_is_content
	check rpmlint rpmlint_is_content
	check rpm rpm_holds
	check 'the maintainer is who builds' names_its_maintainer
	check boot boot
	while read -r line; do
		case $line in
		passed:*) passed=$((passed + 1)) ;;
		FAILED:*) failed=$((failed + 1)) && echo "$line" ;;
		esac
	done <"$dir/results/log"
	[[ $failed -eq 0 ]] || tail -n 80 "$dir/results/log"
	finish
}

main
