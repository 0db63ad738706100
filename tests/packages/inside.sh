#!/bin/bash
# SPDX-License-Identifier: MIT
# Runs in the booted system as its only job: installs, upgrades, downgrades, removes and purges the packages of /packages:
# first the deb, then the rpm.
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

# The agent's own filter is there, too.
restricts_itself()
{
	! journalctl -u fffa -o cat --no-pager | grep 'cannot restrict system calls'
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

await()
{
	for _ in {1..200}; do
		! "$@" || return 0
		sleep 0.1
	done
	return 1
}

reopened()
{
	journalctl -u fffa -o cat --no-pager | grep -q 'reopening files'
}

# systemd waits for the signal to be sent only.
reloads()
{
	systemctl reload fffa && await reopened
}

renamed()
{
	journalctl -u fffa -o cat --no-pager | grep -q 'name changed: host_name=renamed'
}

# Records carry the name that the host has now.
follows_the_hosts_name()
{
	hostname renamed && await renamed
}

core_limit_is()
{
	grep -qE "^Max core file size +$1 +unlimited " "/proc/$(systemctl show -P MainPID fffa)/limits"
}

# There are none, and log.core_dumps can change that.
allows_core_dumps()
{
	local rc=0

	core_limit_is 0 || return
	echo 'log: {core_dumps: on}' >/etc/fffa/conf.d/dumps.yaml
	systemctl reload fffa && await core_limit_is unlimited || rc=1
	rm /etc/fffa/conf.d/dumps.yaml
	systemctl reload fffa && await core_limit_is 0 && return "$rc"
}

reload_was_taken()
{
	exec 5<>/dev/tcp/127.0.0.1/9977 && printf 'GET /metrics HTTP/1.0\r\n\r\n' >&5 &&
		grep -q '^fffa_config_reloads_total{result="success"} 1' <&5
}

# As the unit's comments have it: a secret that root alone can read, also by root's own commands, and a spool elsewhere.
takes_settings_of_a_host()
{
	local more=/run/systemd/system/fffa.service.d rc=0

	mkdir -p "$more" && install -d -o fffa -g fffa /srv/fffa && (umask 077 && echo secret >/etc/fffa/token)
	{
		sed -n '/^#   \[Service\]/,/^#   ExecReload=.*HUP/s/^#   //p' /usr/lib/systemd/system/fffa.service
		echo 'ReadWritePaths=/srv/fffa'
	} >"$more/host.conf"
	cat >/etc/fffa/conf.d/host.yaml <<-'END'
		spool_dir: /srv/fffa/spool
		sinks:
		  - name: http
		    type: http
		    format: json
		    url: https://127.0.0.1:1/
		    auth: {bearer_file: "${CREDENTIALS_DIRECTORY:-/etc/fffa}/token"}
		    queue: {spool: 8MiB}
	END
	systemctl daemon-reload && systemctl restart fffa && active && systemctl reload fffa &&
		await reload_was_taken && active && await fffa health &&
		[[ -d /srv/fffa/spool/http ]] || rc=1
	rm -r "$more" /etc/fffa/token /etc/fffa/conf.d/host.yaml
	systemctl daemon-reload && systemctl restart fffa && active && return "$rc"
}

# What is missing, such as a port, may come later.
tries_for_ever()
{
	[[ $(systemctl show -P StartLimitIntervalUSec fffa) == 0 ]]
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

# The sum of a counter with labels, from the agent that runs now.
metric()
{
	exec 5<>/dev/tcp/127.0.0.1/9977 && printf 'GET /metrics HTTP/1.0\r\n\r\n' >&5 &&
		sed -n "s/^$1{.*} //p" <&5 | awk '{ sum += $1 } END { print sum + 0 }'
}

device_packets()
{
	echo $(($(</sys/class/net/v0/statistics/rx_packets) + $(</sys/class/net/v0/statistics/tx_packets)))
}

# upgrades_in_traffic COMMAND...: while a neighbour pings through it all, each packet that the device counts is in a record, of
# the old agent or of the new one, or in the loss that the new one reports, as passed while no agent ran. The few that pass
# between the reading of the device's counters and the change of the hooks are in both.
upgrades_in_traffic()
{
	local lost device records ping before

	before=$(device_packets)
	nsenter -n -t "$neighbour" ping -q -i 0.01 192.0.2.1 >/dev/null &
	ping=$!
	"$@" || return
	kill -INT "$ping" && wait "$ping"
	lost=$(metric fffa_packets_lost_total)
	systemctl stop fffa # which writes the records of all flows
	device=$(($(device_packets) - before))
	records=$(awk '$9 ~ /^[0-9]+$/ { sum += $9 } END { print sum + 0 }' /var/log/fffa/flows.log)
	systemctl start fffa
	echo "of $device packets $records are in records and $lost in losses"
	[[ $records -gt 0 && $lost -gt 0 && $lost -lt $device && $((records + lost)) -ge $device ]]
}

ledgers_balance()
{
	local ledgers

	ledgers=$(journalctl -u fffa -o cat --no-pager | grep 'balance=')
	[[ -n $ledgers ]] && ! grep -v 'balance=ok' <<<"$ledgers"
}

# The kernel programs of the agent, by their ids, whatever they hang on: TCX, clsact or XDP.
programs()
{
	cat "/proc/$(systemctl show -P MainPID fffa)"/fdinfo/* 2>/dev/null | sed -n 's/^prog_id:\s*//p' | sort -u
}

removed()
{
	local ids id

	ids=$(programs)
	[[ -n $ids ]] && bpftool prog show id "${ids%%$'\n'*}" || return
	dpkg -r fffa && ! active && [[ ! -e /usr/sbin/fffa && -e /etc/fffa/fffa.yaml && -d /var/lib/fffa ]] || return
	! tc qdisc show | grep clsact || return
	for id in $ids; do
		! bpftool prog show id "$id" || return
	done
}

purged()
{
	dpkg -P fffa && [[ ! -e /etc/fffa/fffa.yaml && ! -e /var/lib/fffa && ! -e /var/log/fffa ]]
}

# The completion finds its program and is where bash-completion looks.
completes()
{
	[[ $(bash -c '. /usr/share/bash-completion/completions/fffa && COMP_WORDS=(fffa to) COMP_CWORD=1 && _fffa fffa &&
		echo "${COMPREPLY[@]}"') == top ]]
}

# A neighbour in a network of its own. No packet passes that is not of this test: no IPv6, no ARP.
unshare -n sleep infinity &
neighbour=$!
ip link add v0 address 02:00:00:00:00:01 type veth peer name v1 address 02:00:00:00:00:02
for _ in {1..100}; do
	[[ $(readlink "/proc/$neighbour/ns/net") == "$(readlink /proc/self/ns/net)" ]] || break
	sleep 0.05
done
ip link set v1 netns "$neighbour"
ip link set v0 addrgenmode none
nsenter -n -t "$neighbour" ip link set v1 addrgenmode none
ip addr add 192.0.2.1/24 dev v0
nsenter -n -t "$neighbour" ip addr add 192.0.2.2/24 dev v1
ip link set v0 up
nsenter -n -t "$neighbour" ip link set v1 up
ip neigh replace 192.0.2.2 lladdr 02:00:00:00:00:02 dev v0 nud permanent
nsenter -n -t "$neighbour" ip neigh replace 192.0.2.1 lladdr 02:00:00:00:00:01 dev v1 nud permanent
ip route add default via 192.0.2.2

check install dpkg -i /packages/fffa_0.1.0_*.deb
check 'the service runs' active
check 'as its user, with what it needs' confined
check 'its own filter of system calls' restricts_itself
check 'systemctl status says what it does' says_what_it_does
check 'hooks are attached' hooks
check 'the folders are its own' test "$(stat -c %U /var/lib/fffa/spool /var/log/fffa | sort -u)" = fffa
check 'the journal has priorities' test "$(journalctl -u fffa -p 6 -o cat --no-pager | grep -c '^<')" = 0
check 'the first line of the log' says_at_first_what_it_is
check reload reloads
check 'a wrong file at a reload' refuses_a_wrong_file
check 'a wrong file at a start' ends_without_a_restart
check 'the name of the host changes' follows_the_hosts_name
check 'core dumps' allows_core_dumps
check 'a secret and a spool elsewhere' takes_settings_of_a_host
check 'a start is tried for ever' tries_for_ever
check 'upgrade, and nothing is uncounted' upgrades_in_traffic upgrades
check 'every ledger balances' ledgers_balance
check 'downgrade' dpkg -i --force-downgrade /packages/fffa_0.1.0_*.deb
check 'the service runs again' active
check remove removed
check purge purged
check 'install again' dpkg -i /packages/fffa_0.1.0_*.deb
check 'the service runs once more' active
check completion completes
# shellcheck source=tests/packages/rpm.sh
. /packages/rpm.sh
touch /results/done
