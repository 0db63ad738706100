# SPDX-License-Identifier: MIT
#
# For guest.sh, which reads it after guest_tunnels.sh: IPsec between the host and its peer. A packet that is decrypted
# here passes the hook twice, and was on the wire once.
# shellcheck shell=dash disable=SC2154,SC3043

# add_associations NAMESPACE OPTION...: without a cipher, which would need many modules.
add_associations()
{
	local ns=$1 key=0x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f

	shift
	ip -n "$ns" xfrm state flush
	ip -n "$ns" xfrm state add src 10.9.0.1 dst 10.9.0.2 proto esp spi 0x101 mode tunnel "$@" \
		auth 'hmac(sha256)' $key enc 'ecb(cipher_null)' '' || fail "no security association in $ns"
	ip -n "$ns" xfrm state add src 10.9.0.2 dst 10.9.0.1 proto esp spi 0x102 mode tunnel "$@" \
		auth 'hmac(sha256)' $key enc 'ecb(cipher_null)' '' || fail "no security association in $ns"
}

# add_policies NAMESPACE OWN OTHER OPTION...: the last numbers of the addresses.
add_policies()
{
	local ns=$1 own=$2 other=$3

	shift 3
	ip -n "$ns" xfrm policy flush
	ip -n "$ns" xfrm policy add src "10.12.0.$own" dst "10.12.0.$other" dir out "$@" \
		tmpl src "10.9.0.$own" dst "10.9.0.$other" proto esp mode tunnel || fail "no policy in $ns"
	ip -n "$ns" xfrm policy add src "10.12.0.$other" dst "10.12.0.$own" dir in "$@" \
		tmpl src "10.9.0.$other" dst "10.9.0.$own" proto esp mode tunnel || fail "no policy in $ns"
}

fetch_inside()
{
	fetch http://10.12.0.2:7000/sent env
	fetch http://10.12.0.1:7000/sent peer
}

ipsec()
{
	# shellcheck disable=SC2034
	local before after sent received link_received link_sent

	ip netns attach here $$
	ip addr add 10.12.0.1/32 dev lo
	ip -n peer addr add 10.12.0.2/32 dev lo
	ip route add 10.12.0.2 via 10.9.0.2 src 10.12.0.1
	ip -n peer route add 10.12.0.1 via 10.9.0.1 src 10.12.0.2
	add_associations here
	add_associations peer
	add_policies here 1 2
	add_policies peer 2 1
	head -c 300000 /usr/bin/fffa >/tmp/sent
	learn_link_bytes
	await "a start in silence" start_in_silence
	with_servers fetch_inside
	await "silence on the wire" wire_rests
	after=$(wire_counts)
	stop_agent
	grep 'ledger: seen_packets' /tmp/err | grep -o 'not_on_wire_packets=[0-9]*' >/tmp/out || fail "nothing was decrypted"
	echo "INFO $name: $(cat /tmp/out)"
	compare_with_wire "$before" "$after"
	! grep -q '"10\.12\.0\.' /tmp/flows.json || fail "a decrypted packet is in a record"
}

# On the device of a tunnel that was asked for, the packets inside count.
ipsec_interface()
{
	ip link add ipsec0 type xfrm dev v0 if_id 7 || fail "no device ipsec0"
	ip link set ipsec0 up
	ip route replace 10.12.0.2 dev ipsec0 src 10.12.0.1
	add_associations here if_id 7
	add_policies here 1 2 if_id 7
	interfaces='v0, ipsec0' start_agent tc
	ping -c 5 -i 0.05 -q -I 10.12.0.1 10.12.0.2 >/tmp/ping || fail "no answer through IPsec"
	stop_agent
	record "inner requests" '"srcaddr":"10.12.0.1"' '"packets":5,' '"flow_direction":"egress"'
	record "inner replies" '"srcaddr":"10.12.0.2"' '"packets":5,' '"flow_direction":"ingress"'
	record "encrypted requests" '"srcaddr":"10.9.0.1"' '"protocol":50,' '"packets":5,' '"flow_direction":"egress"'
	record "encrypted replies" '"srcaddr":"10.9.0.2"' '"protocol":50,' '"packets":5,' '"flow_direction":"ingress"'
}
