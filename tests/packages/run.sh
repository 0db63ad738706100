#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Builds the packages, and installs, upgrades, removes and purges the deb, then the rpm, in a booted minimal Debian 12. Needs
# root, the network once and Debian 12 as this host. The system is kept in build/packages for 30 days. The last line is the sum.
#
#   tests/packages/run.sh [--build DIR]     DIR: a release build, which is then not made again
# shellcheck disable=SC2317 # check calls functions by name
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 2
sum_name=packages
# shellcheck source=docker/apt.sh
. docker/apt.sh
# shellcheck source=tests/stubs/sum.sh
. tests/stubs/sum.sh

dir=$PWD/build/packages
name=fffa-packages-$$
here=tests/packages

# What the deb asks for, by name: of alternatives the first, without the versions.
depends_of()
{
	dpkg-deb -f "$1" Depends | tr ',' '\n' | sed 's/^ *//;s/[ (|:].*//;/^$/d' | paste -sd,
}

# The system has what the deb asks for, and is made anew when that changes.
make_system()
{
	local mirror=$1 packages key

	packages=systemd-sysv,dbus,rpm,iproute2,iputils-ping,bpftool,$(depends_of build/package/fffa_0.1.0_*.deb) || return
	key="$mirror $packages"
	[[ $(cat "$dir/ready" 2>/dev/null) != "$key" || -n $(find "$dir/ready" -mtime +30) ]] || return 0
	rm -rf "$dir/bookworm" "$dir/ready"
	apt_fetch_options >"$dir/apt.conf"
	mmdebstrap --quiet --variant=minbase --aptopt="$dir/apt.conf" --dpkgopt=force-unsafe-io --include="$packages" \
		bookworm "$dir/bookworm" "$mirror" && echo "$key" >"$dir/ready"
}

made_system()
{
	cat "$dir/system.log"
	[[ -e $dir/ready ]]
}

# nspawn ARGUMENT...: in the system, of which nothing is changed.
nspawn()
{
	timeout -k 5 170 systemd-nspawn -q -D "$dir/bookworm" --volatile=overlay --register=no --keep-unit --private-network \
		--bind-ro="$dir/debs:/packages" --bind="$dir/results:/results" \
		--capability=CAP_BPF,CAP_PERFMON,CAP_NET_ADMIN --system-call-filter='bpf perf_event_open' \
		--machine="$name" "$@" </dev/null
}

boot()
{
	local system=$dir/bookworm

	install -m 755 "$here/inside.sh" "$here/rpm.sh" "$dir/debs/"
	printf '[Unit]\nAfter=basic.target dbus.service\n[Service]\nType=oneshot\nExecStart=/packages/inside.sh\nExecStopPost=/bin/systemctl --no-block poweroff\n' \
		>"$system/etc/systemd/system/packages-test.service"
	mkdir -p "$system/etc/systemd/system/multi-user.target.wants"
	ln -sf ../packages-test.service "$system/etc/systemd/system/multi-user.target.wants/"
	nspawn -b >"$dir/boot.log" 2>&1
	[[ -e $dir/results/done ]]
}

# The rpm of the next version has another configuration, too.
build_next()
{
	local next=build/package/next

	docker/package/build.sh --stage build/package/stage --version 0.1.1 deb || return
	rm -rf "$next"
	cp -a build/package/stage "$next" && echo '# next' >>"$next/etc/fffa/fffa.yaml" &&
		docker/package/build.sh --stage "$next" --version 0.1.1 rpm
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
	local line mirror

	need_tools packages mmdebstrap systemd-nspawn lintian rpmlint rpmbuild dpkg-deb
	grep -q bookworm /etc/os-release || skip 'the packages of this host do not fit Debian 12'
	mirror=$(debian_mirror bookworm)
	[[ -n $mirror ]] || skip "this host's package sources name no Debian mirror"
	rm -rf "$dir/results"
	mkdir -p "$dir/debs" "$dir/results"
	rm -f "$dir"/debs/* build/package/fffa[_-]*
	export DEBFULLNAME='A Maintainer' DEBEMAIL=maintainer@packages.test
	check build docker/package/build.sh "$@" deb rpm tar
	[[ $failed -eq 0 ]] || finish
	make_system "$mirror" >"$dir/system.log" 2>&1 || ! archive_out_of_reach bookworm "$dir/probe" ||
		skip 'the archive is out of reach'
	check 'a system with what the deb depends on' made_system
	[[ $failed -eq 0 ]] || finish
	check 'build of the next version' build_next
	cp build/package/fffa_0.1.[01]_*.deb build/package/fffa-0.1.[01]-1.*.rpm "$dir/debs/"
	check lintian lintian_is_content
	check rpmlint rpmlint_is_content
	check rpm rpm_holds
	check 'the maintainer is who builds' names_its_maintainer
	nspawn true >"$dir/nspawn.log" 2>&1 || skip "no system can be started here: $(tail -n 1 "$dir/nspawn.log")"
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

main "$@"
