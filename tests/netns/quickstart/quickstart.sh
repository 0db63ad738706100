#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Runs agent/quickstart.sh in a network namespace of its own. It must find the interface of the default route, show the
# first record within 5 seconds of traffic, end on one signal with the ledger, and leave nothing behind.
set -euo pipefail
root=$(cd "$(dirname "$0")/../../.." && pwd)
host=fffa-qs-$$ peer=fffa-qp-$$
work=$(mktemp -d)
script=''

# shellcheck disable=SC2317 # called by the trap
cleanup()
{
	[[ -z $script ]] || kill "$script" 2>/dev/null || true
	ip netns del "$host" 2>/dev/null || true
	ip netns del "$peer" 2>/dev/null || true
	rm -rf "$work"
}
trap cleanup EXIT

fail()
{
	echo "quickstart test: $*"
	tail -n 40 "$work"/*.out "$work"/*.err
	exit 1
}

gone()
{
	! kill -0 "$1" 2>/dev/null
}

# await SECONDS WHAT COMMAND...: waits until the command succeeds, or fails when the agent has ended.
await()
{
	local deadline=$((SECONDS + $1)) what=$2

	shift 2
	until "$@"; do
		[[ $SECONDS -lt $deadline ]] || fail "$what did not come in time"
		! gone "$script" || "$@" || fail "$what did not come: the script has ended"
		sleep 0.05
	done
}

quickstart()
{
	# A background job ignores SIGINT, and a shell cannot undo that.
	TMPDIR=$work/tmp exec env --default-signal=INT ip netns exec "$host" "$root/agent/quickstart.sh" "$@"
}

[[ $(id -u) -eq 0 ]] || {
	echo "needs root"
	exit 77
}
mkdir "$work/tmp"
touch "$work/run.out" "$work/run.err"
ip netns add "$host"
ip netns add "$peer"
ip -n "$host" link set lo up # as on any host: the status page listens there

# Without a default route it says which option to give.
rc=0
(quickstart) >"$work/none.out" 2>"$work/none.err" || rc=$?
[[ $rc -eq 1 ]] || fail "without a default route: status $rc"
grep -q -- '--interface NAME' "$work/none.err" || fail "without a default route: no advice"

ip -n "$host" link add qs0 type veth peer name qs1 netns "$peer"
ip -n "$host" addr add 198.51.100.1/24 dev qs0
ip -n "$peer" addr add 198.51.100.2/24 dev qs1
ip -n "$host" link set qs0 up
ip -n "$peer" link set qs1 up
ip -n "$host" route add default via 198.51.100.2

quickstart >"$work/run.out" 2>"$work/run.err" &
script=$!
await 240 "the word that it watches qs0" grep -q 'watching qs0' "$work/run.err"
# The hooks are attached when a packet is recorded, so traffic goes on until then.
ip netns exec "$peer" ping -q -i 0.2 -w 20 198.51.100.1 >/dev/null &
ping=$!
await 15 "the header line" grep -q '^version account-id interface-id ' "$work/run.out"
began=$(date +%s%3N)
await 15 "a record" grep -q '^2 .* 198\.51\.100\.2 198\.51\.100\.1 .* OK$' "$work/run.out"
took=$(($(date +%s%3N) - began))
[[ $took -le 5000 ]] || fail "the first record took $took ms"
kill "$ping"
kill -INT "$script"
await 10 "the end after SIGINT" gone "$script"
rc=0
wait "$script" || rc=$?
script=''
[[ $rc -eq 0 ]] || fail "after SIGINT: status $rc"
grep -q 'seen_packets=[1-9]' "$work/run.err" || fail "no ledger at the end"
[[ -z $(ls -A "$work/tmp") ]] || fail "left behind: $(ls -A "$work/tmp")"

# --seconds ends it by itself.
rc=0
(quickstart --interface qs0 --seconds 1) >"$work/timed.out" 2>"$work/timed.err" || rc=$?
[[ $rc -eq 0 ]] || fail "--seconds 1: status $rc"
grep -q 'seen_packets=' "$work/timed.err" || fail "--seconds 1: no ledger at the end"
[[ -z $(ls -A "$work/tmp") ]] || fail "--seconds 1: left behind: $(ls -A "$work/tmp")"
echo "first record $took ms after the start"
