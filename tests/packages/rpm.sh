#!/bin/bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2317 # check calls functions by name
# The rpm, by Debian's rpm with a real systemd; inside.sh reads it after the deb is purged. --nodeps: rpm's database knows none
# of Debian's libraries, which are there.

file_of()
{
	stat -c '%U:%G %a' "$1"
}

rpm_installed()
{
	userdel fffa && rpm -i --nodeps /packages/fffa-0.1.0-1.*.rpm || return
	rpm -V --nodeps fffa || return
	rpm -ql fffa >/tmp/rpm-files
	# Preset as the system's policy says, which is Debian's: enable. It does not start by itself.
	[[ $(systemctl is-enabled fffa) == enabled && $(systemctl is-active fffa) == inactive ]] &&
		[[ $(file_of /usr/sbin/fffa) == 'root:root 755' && $(file_of /etc/fffa/fffa.yaml) == 'root:root 644' ]] &&
		[[ $(file_of /var/lib/fffa/spool) == 'fffa:fffa 750' && $(file_of /var/log/fffa) == 'fffa:fffa 750' ]] &&
		! xargs -d '\n' stat -c '%U:%G %n' </tmp/rpm-files | grep -v '^root:root ' &&
		systemctl start fffa && active
}

# A file that nobody changed is that of the new version. A service that was disabled stays so, and one that runs is restarted
# by the old package, after the new one is in place.
rpm_upgrades()
{
	local before

	before=$(systemctl show -P MainPID fffa)
	systemctl disable fffa && rpm -U --nodeps /packages/fffa-0.1.1-1.*.rpm || return
	[[ $(systemctl show -P MainPID fffa) != "$before" && $(systemctl is-enabled fffa) == disabled ]] && active &&
		[[ $(rpm -q --qf '%{VERSION}' fffa) == 0.1.1 ]] && grep -q '^# next' /etc/fffa/fffa.yaml &&
		! find /etc/fffa -name '*.rpm*' | grep . && rpm -V --nodeps fffa
}

# The administrator's file stays, and that of the package is beside it.
rpm_keeps_the_file()
{
	echo '# mine' >>/etc/fffa/fffa.yaml
	rpm -U --nodeps --oldpackage /packages/fffa-0.1.0-1.*.rpm || return
	active && [[ $(rpm -q --qf '%{VERSION}' fffa) == 0.1.0 ]] && grep -q '^# mine' /etc/fffa/fffa.yaml &&
		! grep '^# next' /etc/fffa/fffa.yaml.rpmnew && [[ $(find /etc/fffa -name '*.rpm*') == /etc/fffa/fffa.yaml.rpmnew ]] &&
		rm /etc/fffa/fffa.yaml.rpmnew
}

# What is left is what the administrator changed, and the records.
rpm_erased()
{
	local ids id file

	systemctl enable fffa
	ids=$(programs)
	[[ -n $ids ]] && rpm -e fffa || return
	! active && [[ $(systemctl show -P LoadState fffa) == not-found ]] && ! find /etc/systemd/system -name '*fffa*' | grep . &&
		! tc qdisc show | grep clsact || return
	for id in $ids; do
		! bpftool prog show id "$id" || return
	done
	while read -r file; do
		[[ ! -e $file || $file == /etc/fffa ]] || { echo "left: $file" && return 1; }
	done </tmp/rpm-files
	[[ $(find /etc/fffa -type f) == /etc/fffa/fffa.yaml.rpmsave ]] && grep -q '^# mine' /etc/fffa/fffa.yaml.rpmsave &&
		[[ $(file_of /var/lib/fffa/spool) == 'fffa:fffa 750' && -s /var/log/fffa/flows.log ]]
}

check 'purge again' purged
check 'rpm: install' rpm_installed
check 'rpm: upgrade, and nothing is uncounted' upgrades_in_traffic rpm_upgrades
check 'rpm: downgrade, a changed file' rpm_keeps_the_file
check 'rpm: erase' rpm_erased
