#!/bin/bash
# SPDX-License-Identifier: MIT
# Runs in the booted system as its only job: installs, upgrades, downgrades, removes and purges the packages of /packages.
# Each check is a line "passed: NAME" or "FAILED: NAME".
set -u
unset NOTIFY_SOCKET
exec >/results/log 2>&1
export DEBIAN_FRONTEND=noninteractive

check()
{
	local name=$1

	shift
	if "$@"; then
		echo "passed: $name"
	else
		echo "FAILED: $name"
		systemctl status --no-pager fffa 2>&1 | tail -n 20
	fi
}

active()
{
	[[ $(systemctl is-active fffa) == active ]]
}

status_of()
{
	local pid

	pid=$(systemctl show -P MainPID fffa)
	sed -n "s/^$1:\s*//p" "/proc/$pid/status"
}

confined()
{
	[[ $(status_of CapEff) == 0000008000001000 && $(status_of CapBnd) == 000000c000001000 &&
		$(status_of NoNewPrivs) == 1 && $(status_of Seccomp) == 2 && $(ps_user) == fffa ]]
}

ps_user()
{
	stat -c %U "/proc/$(systemctl show -P MainPID fffa)"
}

says_what_it_does()
{
	systemctl show -P StatusText fffa | grep -q '1 interfaces'
}

hooks()
{
	grep -c 'attached interface=v0' <(journalctl -u fffa -o cat --no-pager)
}

reloads()
{
	systemctl reload fffa && journalctl -u fffa -o cat --no-pager | grep -q 'reopening files'
}

# A wrong configuration is refused, and the agent goes on with the old one.
refuses_a_wrong_file()
{
	local rc

	cp /etc/fffa/fffa.yaml /tmp/good.yaml
	echo 'nonsense: 1' >>/etc/fffa/fffa.yaml
	systemctl reload fffa
	rc=$?
	cp /tmp/good.yaml /etc/fffa/fffa.yaml
	[[ $rc -ne 0 ]] && active
}

# The unit has failed at once, with the reason in the journal, and systemd has no start in mind (auto-restart).
ends_without_a_restart()
{
	local since state

	since=$(date +%s)
	echo 'nonsense: 1' >>/etc/fffa/fffa.yaml
	systemctl restart fffa
	cp /tmp/good.yaml /etc/fffa/fffa.yaml
	state=$(for name in ActiveState SubState ExecMainStatus NRestarts; do systemctl show -P $name fffa; done | tr '\n' ' ')
	echo "$state"
	journalctl -u fffa -o cat --no-pager --since "@$since" | grep 'nonsense: unknown key' || return
	systemctl reset-failed fffa
	systemctl start fffa
	active && [[ $state == 'failed failed 78 0 ' ]]
}

says_at_first_what_it_is()
{
	journalctl -u fffa -o cat --no-pager | head -n 20 |
		grep 'version=0.1.0 .*configuration=/etc/fffa/fffa.yaml .*sinks=local:file'
}

upgrades()
{
	local before after

	before=$(systemctl show -P MainPID fffa)
	echo '# mine' >>/etc/fffa/fffa.yaml
	dpkg -i /packages/fffa_0.1.1_*.deb || return
	after=$(systemctl show -P MainPID fffa)
	[[ $before != "$after" ]] && active && grep -q '# mine' /etc/fffa/fffa.yaml && [[ -s /var/lib/fffa/spool/capture.mark ]]
}

nothing_uncounted()
{
	# The new agent compares the devices' counters with those that the old one left.
	! journalctl -u fffa -o cat --no-pager | grep 'balance=' | grep -v 'balance=ok'
}

removed()
{
	dpkg -r fffa && ! active && [[ ! -e /usr/sbin/fffa && -e /etc/fffa/fffa.yaml && -d /var/lib/fffa ]] &&
		! tc qdisc show | grep clsact
}

purged()
{
	dpkg -P fffa && [[ ! -e /etc/fffa/fffa.yaml && ! -e /var/lib/fffa && ! -e /var/log/fffa ]]
}

ip link add v0 type veth peer name v1
ip addr add 192.0.2.1/24 dev v0
ip link set v0 up
ip link set v1 up
ip route add default via 192.0.2.2

check install dpkg -i /packages/fffa_0.1.0_*.deb
check 'the service runs' active
check 'as its user, with what it needs' confined
check 'systemctl status says what it does' says_what_it_does
check 'hooks are attached' hooks
check 'the folders are its own' test "$(stat -c %U /var/lib/fffa/spool /var/log/fffa | sort -u)" = fffa
check 'the journal has priorities' test "$(journalctl -u fffa -p 6 -o cat --no-pager | grep -c '^<')" = 0
check 'the first line of the log' says_at_first_what_it_is
check reload reloads
check 'a wrong file at a reload' refuses_a_wrong_file
check 'a wrong file at a start' ends_without_a_restart
check upgrade upgrades
check 'every ledger balances' nothing_uncounted
check 'downgrade' dpkg -i --force-downgrade /packages/fffa_0.1.0_*.deb
check 'the service runs again' active
check remove removed
check purge purged
check 'install again' dpkg -i /packages/fffa_0.1.0_*.deb
check 'the service runs once more' active
touch /results/done
