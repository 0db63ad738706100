# SPDX-License-Identifier: MIT
#
# For guest.sh, which reads it: super-packets in tunnels that the agent does not open, in both directions. The counters
# of the device at the other end of the veth say what was on the wire.
# shellcheck shell=dash disable=SC2154,SC3043

# Devices without an address of their own choice, so that only the tunnels' packets pass.
allow_ipv6()
{
	local conf=/proc/sys/net/ipv6/conf

	for key in accept_ra accept_dad router_solicitations; do
		echo 0 >$conf/default/$key
		echo 0 >"$conf/$1/$key"
	done
	echo 1 >$conf/default/addr_gen_mode
	echo 1 >"$conf/$1/addr_gen_mode"
	echo 0 >$conf/default/disable_ipv6
	echo 0 >"$conf/$1/disable_ipv6"
}

# in_peer FUNCTION ARGUMENT...: a function of this file in the namespace peer.
in_peer()
{
	peer sh -c '. /guest_tunnels.sh; "$@"' sh "$@"
}

# The kernel cuts super-packets into segments behind the device's hook, and joins segments before it.
cut_behind()
{
	/usr/bin/ethtool -K "$1" gro "$2" tso off gso on tx-udp-segmentation off tx-udp_tnl-segmentation off \
		tx-udp_tnl-csum-segmentation off tx-gre-segmentation off tx-gre-csum-segmentation off \
		tx-ipxip4-segmentation off tx-ipxip6-segmentation off
}

# add_tunnel NAME INNER LENGTH OUTER TYPE ARGUMENT...: prefixes of addresses that end in 1 here and in 2 at the peer. In
# the arguments, LOCAL and REMOTE stand for the outer addresses.
add_tunnel()
{
	local name=$1 inner=$2 length=$3 outer=$4 arguments

	shift 4
	arguments=$(echo "$*" | sed "s/LOCAL/${outer}1/; s/REMOTE/${outer}2/")
	# shellcheck disable=SC2086
	ip link add "$name" type $arguments || fail "no device $name"
	arguments=$(echo "$*" | sed "s/LOCAL/${outer}2/; s/REMOTE/${outer}1/")
	# shellcheck disable=SC2086
	ip -n peer link add "$name" type $arguments || fail "no device $name at the peer"
	ip addr add "${inner}1/$length" dev "$name"
	ip -n peer addr add "${inner}2/$length" dev "$name"
	ip link set "$name" up
	ip -n peer link set "$name" up
}

make_tunnels()
{
	allow_ipv6 v0
	in_peer allow_ipv6 v1
	ip addr add fd09::1/64 dev v0
	ip -n peer addr add fd09::2/64 dev v1
	cut_behind v0 on || fail "v0 does not leave super-packets to the kernel"
	in_peer cut_behind v1 off || fail "v1 does not leave super-packets to the kernel"
	add_tunnel vx1 10.11.1. 24 10.9.0. vxlan id 9 local LOCAL remote REMOTE dstport 8473
	add_tunnel gv1 10.11.2. 24 10.9.0. geneve id 9 remote REMOTE dstport 6082
	add_tunnel gr1 10.11.3. 24 10.9.0. gre local LOCAL remote REMOTE ttl 64
	add_tunnel gr2 10.11.4. 24 10.9.0. gre local LOCAL remote REMOTE ttl 64 key 7
	add_tunnel ii1 10.11.5. 24 10.9.0. ipip local LOCAL remote REMOTE ttl 64
	add_tunnel st1 fd11:6:: 64 10.9.0. sit local LOCAL remote REMOTE ttl 64
	add_tunnel t46 10.11.7. 24 fd09:: ip6tnl mode ipip6 local LOCAL remote REMOTE encaplimit none
	add_tunnel nn1 10.11.8. 24 10.11.5. gre local LOCAL remote REMOTE ttl 64 key 8
}

# Prints packets and bytes that v1 has received and sent, and what it has dropped.
wire_counts()
{
	local stats=/sys/class/net/v1/statistics

	peer cat $stats/rx_packets $stats/rx_bytes $stats/tx_packets $stats/tx_bytes $stats/rx_dropped | xargs echo
}

# The kernel's version decides whether these bytes have the Ethernet header: a ping of 1028 bytes of IP tells. Sets
# link_received and link_sent.
learn_link_bytes()
{
	# ARP is no IP packet, but the devices count it.
	ip neigh replace 10.9.0.2 lladdr "$(peer cat /sys/class/net/v1/address)" dev v0 nud permanent
	ip -n peer neigh replace 10.9.0.1 lladdr "$(cat /sys/class/net/v0/address)" dev v1 nud permanent
	await "a ping alone on the wire" ping_tells
}

# False when another packet passed meanwhile, as IPv6 sends some for a while after its start.
ping_tells()
{
	local before

	before=$(wire_counts)
	ping -c 1 -q -s 1000 10.9.0.2 >/tmp/ping || fail "no answer from 10.9.0.2"
	# shellcheck disable=SC2046
	set -- $(echo "$before $(wire_counts)" | awk '{ print $6 - $1, $7 - $2 - 1028, $8 - $3, $9 - $4 - 1028 }')
	[ "$1" -eq 1 ] && [ "$3" -eq 1 ] || return
	link_received=$2 link_sent=$4
}

wire_rests()
{
	local counts

	counts=$(wire_counts)
	usleep 300000
	[ "$counts" = "$(wire_counts)" ]
}

# Starts the agent while nothing passes, so that it and v1 begin to count at the same packet. Sets before. False when
# something passed, as a neighbour that the kernel asks again.
start_in_silence()
{
	await "silence on the wire" wire_rests
	before=$(wire_counts)
	rm -f /tmp/flows.json
	start_agent tc
	[ "$before" = "$(wire_counts)" ] && return
	stop_agent
	return 1
}

listens()
{
	"$@" cat /proc/net/tcp6 | grep -q ':1B58 0*:0000 0A' # port 7000
}

# serve PREFIX...: a web server, since it sends in large pieces.
serve()
{
	"$@" httpd -f -p '[::]:7000' -h /tmp &
	await "the server" listens "$@"
}

# fetch URL PREFIX...
fetch()
{
	local url=$1

	shift
	"$@" wget -q -O /tmp/got "$url" || fail "no answer from $url"
	cmp /tmp/sent /tmp/got || fail "TCP from $url has changed what was sent"
}

# How often the agent's programs have run, each for a buffer of any number of segments.
program_runs()
{
	cat /proc/"$agent"/fdinfo/* | awk '$1 == "run_cnt:" { n += $2 } END { print n }'
}

# recorded DIRECTION: packets and IP bytes of all records
recorded()
{
	grep "\"flow_direction\":\"$1\"" /tmp/flows.json |
		sed 's/.*"packets":\([0-9]*\),.*"bytes":\([0-9]*\),.*/\1 \2/' | awk '{ p += $1; b += $2 } END { print p, b }'
}

silent()
{
	! listens "$@"
}

# with_servers COMMAND: calls it while both servers are there.
with_servers()
{
	serve env
	serve peer
	"$@"
	killall httpd
	await "the servers' end" silent env
	await "the servers' end" silent peer
}

fetch_all()
{
	for net in 10.11.1. 10.11.2. 10.11.3. 10.11.4. 10.11.5. '[fd11:6::' 10.11.7. 10.11.8.; do
		local end=''
		[ "$net" = "${net#\[}" ] || end=']'
		fetch "http://${net}2$end:7000/sent" env
		fetch "http://${net}1$end:7000/sent" peer
	done
}

# compare_with_wire BEFORE AFTER: the records say what v1 has counted meanwhile. Sets sent and received.
compare_with_wire()
{
	sent=$(echo "$1 $2" | awk -v l="$link_received" '{ print $6 - $1, $7 - $2 - l * ($6 - $1) }')
	received=$(echo "$1 $2" | awk -v l="$link_sent" '{ print $8 - $3, $9 - $4 - l * ($8 - $3) }')
	[ "${1##* }" = "${2##* }" ] || fail "v1 has dropped packets: there is no common truth"
	[ "$(recorded egress)" = "$sent" ] || fail "sent: $(recorded egress), on the wire $sent"
	[ "$(recorded ingress)" = "$received" ] || fail "received: $(recorded ingress), on the wire $received"
}

closed_tunnels()
{
	local before after sent received segments link_received link_sent

	make_tunnels
	head -c 300000 /usr/bin/fffa >/tmp/sent
	# So that no ARP passes later: it is no IP packet.
	for address in 10.9.0.2 fd09::2 10.11.1.2 10.11.2.2; do
		ping -c 1 -q $address >/tmp/ping || fail "no answer from $address"
	done
	learn_link_bytes
	await "a start in silence" start_in_silence
	echo 1 >/proc/sys/kernel/bpf_stats_enabled
	with_servers fetch_all
	await "silence on the wire" wire_rests
	after=$(wire_counts)
	runs=$(program_runs)
	echo 0 >/proc/sys/kernel/bpf_stats_enabled
	stop_agent
	compare_with_wire "$before" "$after"
	segments=$((${sent% *} + ${received% *}))
	echo "INFO $name: $segments packets, $runs runs of the hooks"
	[ $((runs * 4)) -lt $((segments * 3)) ] || fail "the hooks were to see super-packets"
}

# records_of_pings OWN OTHER PROTOCOL BYTES
records_of_pings()
{
	record "requests to $2" "\"srcaddr\":\"$1\"" "\"dstaddr\":\"$2\"" "\"protocol\":$3,\"packets\":5,\"bytes\":$4," '"flow_direction":"egress"'
	record "replies of $2" "\"srcaddr\":\"$2\"" "\"dstaddr\":\"$1\"" "\"protocol\":$3,\"packets\":5,\"bytes\":$4," '"flow_direction":"ingress"'
}

# The agent on the tunnels' own devices, whose packets have no Ethernet header: some kernels leave the headers of the
# packet around them in front.
tunnel_devices()
{
	# shellcheck disable=SC2034
	local interfaces='gr1, gr2, ii1, st1, t46, nn1'

	start_agent tc
	for net in 10.11.3. 10.11.4. 10.11.5. fd11:6:: 10.11.7. 10.11.8.; do
		ping -c 5 -i 0.05 -q ${net}2 >/tmp/ping || fail "no answer from ${net}2"
	done
	stop_agent
	for net in 10.11.3. 10.11.4. 10.11.5. 10.11.7. 10.11.8.; do
		records_of_pings ${net}1 ${net}2 1 $((5 * 84))
	done
	records_of_pings fd11:6::1 fd11:6::2 58 $((5 * 104))
}
