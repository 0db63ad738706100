#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The first process of a guest (busybox ash). It runs the checks of a kernel and prints a line for each,
# "CHECK pass NAME" or "CHECK FAIL NAME: why", then CHECKS-DONE. /objects has the programs as other compilers make them.
# The kernel's command line gives
#   tc=tcx|clsact       what a TC hook must become on this kernel
#   exact=N             packets of each run of test_bpf_exact
#   memlock=yes|no      does this kernel hold BPF memory against RLIMIT_MEMLOCK (before 5.11)
# shellcheck shell=dash disable=SC2154
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
name=unnamed agent='' server=''

# ash prefers its own applet to a program of the same name.
ip()
{
	/usr/bin/ip "$@"
}

tc()
{
	/usr/bin/tc "$@"
}

ping()
{
	/usr/bin/ping "$@"
}

peer()
{
	/usr/bin/ip netns exec peer "$@"
}

# A check runs in a shell of its own; fail ends it and its processes.
fail()
{
	echo "CHECK FAIL $name: $*"
	sed 's/^/      err: /' /tmp/err | tail -n 40
	head -n 40 /tmp/flows.json 2>/dev/null | sed 's/^/      record: /'
	for pid in $agent $server; do
		kill -9 "$pid" 2>/dev/null
	done
	exit 1
}

check()
{
	name=$1
	shift
	: >/tmp/err
	rm -f /tmp/flows.json /tmp/hold
	began=$(cut -d. -f1 /proc/uptime)
	("$@") && echo "CHECK pass $name ($(($(cut -d. -f1 /proc/uptime) - began)) s)"
}

# await WHAT COMMAND...: waits until the command succeeds. The host's CPUs are shared, so the bound is generous.
await()
{
	local what="$1" i=0

	shift
	until "$@"; do
		i=$((i + 1))
		[ $i -lt 1200 ] || fail "$what did not come"
		usleep 50000
	done
}

gone()
{
	! grep -q '^State:.[^XZ]' "/proc/$1/status"
}

prepare()
{
	/bin/busybox --install -s /bin
	mount -t proc proc /proc
	mount -t sysfs sys /sys
	mount -t devtmpfs dev /dev
	mount -t tmpfs tmp /tmp
	mkdir -p /run
	mount -t tmpfs run /run
	for module in /modules/*.ko; do
		insmod "$module" || echo "cannot load $module"
	done
}

# Makes v0, which the agent captures, v1 in the namespace peer, and a GENEVE device on each side, through the veth.
make_network()
{
	# Nothing is autoconfigured, so the wire has only what a check sends.
	echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6
	ip link set lo up
	ip netns add peer
	peer sh -c 'echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6'
	ip link add v0 type veth peer name v1 netns peer
	ip addr add 10.9.0.1/24 dev v0
	ip -n peer addr add 10.9.0.2/24 dev v1
	ip link set v0 up
	ip -n peer link set v1 up
	ip link add g0 type geneve id 7 remote 10.9.0.2
	ip -n peer link add g0 type geneve id 7 remote 10.9.0.1
	ip addr add 10.10.0.1/24 dev g0
	ip -n peer addr add 10.10.0.2/24 dev g0
	ip link set g0 up
	ip -n peer link set g0 up
}

bpf_test()
{
	local rc=0

	"/tests/$1" >/tmp/out 2>&1 || rc=$?
	[ $rc -eq 0 ] || tail -n 30 /tmp/out
	[ $rc -eq 0 ] || fail "status $rc"
	grep -q 'PASSED' /tmp/out || fail "it ran nothing"
}

# start_agent HOOK: starts it in the background and waits until it captures.
start_agent()
{
	cat >/tmp/c.yaml <<-END
		capture: {interfaces: [${interfaces-v0}], hook: $1, drain_interval: 200ms}
		flows: {nodata: false}
		metadata: {imds: {enabled: off}}
		sinks: [{name: out, type: file, format: json, path: /tmp/flows.json}]
	END
	: >/tmp/err # the child opens it later, and what the agent before said would count
	fffa run -c /tmp/c.yaml >/tmp/out 2>/tmp/err &
	agent=$!
	await "the agent's start" ready
}

ready()
{
	gone "$agent" && fail "the agent has ended"
	grep -q 'kernel table ready' /tmp/err
}

# stop_agent [yes]: yes: packets may be lost, if they are accounted for.
stop_agent()
{
	local rc=0 lost=0

	kill -TERM "$agent"
	wait "$agent" || rc=$?
	agent=''
	[ $rc -eq 0 ] || fail "the agent ended with status $rc"
	grep -q 'ledger: seen_packets=.* lost_packets=0 .*balance=ok' /tmp/err || lost=1
	[ $lost -eq 0 ] || [ "${1-}" = yes ] || fail "packets are lost or not accounted for"
	! grep ledger: /tmp/err | grep -qv 'balance=ok' || fail "a ledger does not balance"
}

# attached DIRECTION HOOK
attached()
{
	grep -q "attached interface=v0 .*$1=$2 " /tmp/err || fail "$1 is not attached as $2"
}

# record WHAT PATTERN...: waits for a record that matches all patterns.
record()
{
	local what="$1" found

	found=$(cat /tmp/flows.json)
	shift
	for pattern in "$@"; do
		found=$(echo "$found" | grep -E "$pattern") || fail "no record of $what with $pattern"
	done
}

listening()
{
	peer cat /proc/net/tcp /proc/net/tcp6 | grep -q ':1B58 0*:0000 0A' # port 7000
}

traffic()
{
	ping -c 5 -i 0.05 -q 10.9.0.2 >/tmp/ping || fail "no answer to a ping"
	ping -c 4 -i 0.05 -q 10.10.0.2 >/tmp/ping || fail "no answer through GENEVE"
	head -c 20000 /usr/bin/fffa >/tmp/sent
	# Its input never ends, because nc would close its side before the client has sent everything.
	mkfifo /tmp/hold
	exec 3<>/tmp/hold
	peer nc -l -p 7000 >/tmp/got <&3 &
	server=$!
	await "the server" listening
	nc 10.9.0.2 7000 </tmp/sent
	wait $server
	cmp /tmp/sent /tmp/got || fail "TCP has changed what was sent"
	# UDP: only the kernel answers on these ports.
	traceroute -n -m 1 -q 3 -p 33434 10.9.0.2 >/tmp/trace || fail "no UDP packet was sent"
}

# Prints how many instructions the verifier followed in each program; the kernel reports that since 5.16.
verifier_cost()
{
	grep -hE 'prog_type|verified_insns' /proc/"$agent"/fdinfo/* |
		awk -v name="$name" '$1 == "prog_type:" { t = $2 == 6 ? "xdp" : "tc" }
			$1 == "verified_insns:" && $2 > 1000 { print "INFO " name ": verified", t, $2 }'
}

# end_to_end HOOK INGRESS: checks the records of known traffic, with the hooks that this kernel must have.
end_to_end()
{
	start_agent "$1"
	attached ingress "$2"
	attached egress "$tc"
	verifier_cost
	traffic
	stop_agent
	record "echo requests" '"srcaddr":"10.9.0.1"' '"dstaddr":"10.9.0.2"' '"protocol":1,' '"packets":5,' '"flow_direction":"egress"'
	record "echo replies" '"srcaddr":"10.9.0.2"' '"dstaddr":"10.9.0.1"' '"protocol":1,' '"packets":5,' '"flow_direction":"ingress"'
	record TCP '"dstaddr":"10.9.0.2"' '"dstport":7000,' '"protocol":6,' '"flow_direction":"egress"'
	record "TCP's answers" '"srcport":7000,' '"protocol":6,' '"flow_direction":"ingress"'
	record UDP '"dstaddr":"10.9.0.2"' '"dstport":3343[4-7],' '"protocol":17,'
	record "the inner requests" '"srcaddr":"10.10.0.1"' '"packets":4,' '"encapsulated":true,"tunnel":"geneve"' '"vni":7,' '"flow_direction":"egress"'
	record "the inner replies" '"srcaddr":"10.10.0.2"' '"packets":4,' '"encapsulated":true,"tunnel":"geneve"' '"vni":7,' '"flow_direction":"ingress"'
}

# with_object FILE COMMAND...: the agent and the tests load the kernel programs of this file instead of their own.
with_object()
{
	export FFFA_BPF_OBJECT="$1" LD_PRELOAD=/lib/other_object.so
	shift
	"$@"
	grep -q "^kernel programs of $FFFA_BPF_OBJECT" /tmp/out /tmp/err || fail "it has loaded its own programs"
}

filters()
{
	tc filter show dev v0 "$1" 2>/dev/null | grep -c 'fffa_tc_'
}

filters_are()
{
	for side in ingress egress; do
		[ "$(filters $side)" -eq "$1" ] || fail "$(filters $side) filters at $side $2, not $1"
	done
}

xdp_gone()
{
	! ip -d link show v0 | grep -q 'prog/xdp'
}

# What a killed agent leaves: links disappear, and the next agent replaces clsact filters.
crash()
{
	start_agent xdp
	! xdp_gone || fail "no XDP program on the device while it runs"
	kill -9 "$agent"
	wait "$agent"
	await "the end of XDP" xdp_gone
	start_agent tc
	kill -9 "$agent"
	wait "$agent"
	[ "$tc" = tcx ] || filters_are 1 "after kill -9"
	start_agent tc
	[ "$tc" = tcx ] || filters_are 1 "while it runs again"
	stop_agent
	filters_are 0 "after its end"
}

hooks_are_back()
{
	grep -q 'a hook was taken off .*direction=ingress' /tmp/err &&
		grep -q 'a hook was taken off .*direction=egress' /tmp/err
}

# The qdisc is deleted under the agent: the hooks are put back, and count.
taken_off()
{
	start_agent tc
	tc qdisc del dev v0 clsact || fail "no clsact to delete"
	await "the hooks" hooks_are_back
	filters_are 1 "after the agent has put them back"
	ping -c 5 -i 0.05 -q 10.9.0.2 >/tmp/ping || fail "no answer to a ping"
	stop_agent yes # ARP may have passed meanwhile
	record "echo requests" '"srcaddr":"10.9.0.1"' '"protocol":1,' '"packets":5,' '"flow_direction":"egress"'
	record "echo replies" '"srcaddr":"10.9.0.2"' '"protocol":1,' '"packets":5,' '"flow_direction":"ingress"'
}

# Without CAP_SYS_RESOURCE, the default limit must be too low, with a clear message, where BPF memory counts against it.
memlock()
{
	local rc=0

	ulimit -l 64
	cat >/tmp/c.yaml <<-END
		capture: {interfaces: [v0]}
		metadata: {imds: {enabled: off}}
		sinks: [{name: out, type: file, format: json, path: /tmp/flows.json}]
	END
	/usr/bin/setpriv --bounding-set -sys_resource fffa run -c /tmp/c.yaml 2>/tmp/err >/tmp/out &
	agent=$!
	[ "$memlock" = yes ] || {
		await "the agent's start under RLIMIT_MEMLOCK" ready
		stop_agent
		return 0
	}
	await "the agent's end" gone "$agent"
	wait "$agent" || rc=$?
	agent=''
	[ $rc -eq 77 ] || fail "status $rc, not 77"
	grep -q 'RLIMIT_MEMLOCK' /tmp/err || fail "the message does not name RLIMIT_MEMLOCK"
}

# shellcheck source=tests/kernels/guest_tunnels.sh
. /guest_tunnels.sh
# shellcheck source=tests/kernels/guest_ipsec.sh
. /guest_ipsec.sh
prepare
echo "INFO kernel $(uname -r)"
make_network
export FFFA_EXACT_PACKETS="$exact" FFFA_MUTATIONS=10000
check "agent: tc" end_to_end tc "$tc"
check "agent: xdp" end_to_end xdp xdp
check "agent: after a crash" crash
[ "$tc" != clsact ] || check "agent: hooks taken off" taken_off
check "agent: memory limit" memlock
check "agent: closed tunnels" closed_tunnels
check "agent: tunnel devices" tunnel_devices
check "agent: ipsec" ipsec
check "agent: ipsec interface" ipsec_interface
check "bpf: parse" bpf_test test_bpf_parse
check "bpf: table" bpf_test test_bpf_table
check "bpf: receiver" bpf_test test_bpf_receiver
check "bpf: exact" bpf_test test_bpf_exact
for object in /objects/*.o; do
	[ -e "$object" ] || continue
	compiler=$(basename "$object" .o)
	check "$compiler: agent: tc" with_object "$object" end_to_end tc "$tc"
	check "$compiler: bpf: parse" with_object "$object" bpf_test test_bpf_parse
done
echo CHECKS-DONE
poweroff -f
