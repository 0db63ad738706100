#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# From a bare checkout to records on the terminal: installs what is missing, builds the agent, and runs it on
# this host's interface until Ctrl-C. Leaves nothing but build/release and the installed packages. Needs root.
#
#   agent/quickstart.sh [--interface NAME] [--seconds N]
#
#   --interface NAME   watch this device; default: the device of the default route
#   --seconds N        stop by itself after N seconds
set -euo pipefail
cd "$(dirname "$0")/.."

say()
{
	echo "quickstart: $*" >&2
}

die()
{
	say "$2"
	exit "$1"
}

usage()
{
	sed -n '/^# From/,/^set/{/^set/d;s/^# \{0,1\}//;p}' agent/quickstart.sh
}

# The device of the default route with the lowest metric, IPv4 before IPv6; nothing when there is none.
# Read from /proc: iproute2 is not among what the agent needs.
default_interface()
{
	awk '$2 == "00000000" && $8 == "00000000" && $4 ~ /[13579BDF]$/ { print $7, $1 }' /proc/net/route |
		sort -n | awk 'NR == 1 { print $2 }'
}

default_interface_v6()
{
	[[ -r /proc/net/ipv6_route ]] || return 0
	awk '$1 ~ /^0+$/ && $2 == "00" && $10 != "lo" { print $6, $10 }' /proc/net/ipv6_route |
		sort | awk 'NR == 1 { print $2 }'
}

devices()
{
	(cd /sys/class/net && echo *)
}

# One build step with its output in a log, which is shown and kept when the step fails.
step()
{
	local what=$1 log=build/quickstart.log

	shift
	say "$what"
	mkdir -p build
	"$@" >$log 2>&1 || {
		tail -n 30 $log >&2
		die 1 "$what: failed; the whole log is in $PWD/$log"
	}
	rm -f $log
}

interface='' seconds=''
while [[ $# -gt 0 ]]; do
	case $1 in
	--interface | --seconds)
		[[ $# -ge 2 ]] || die 2 "$1 needs a value; see --help"
		[[ $1 == --interface ]] && interface=$2 || seconds=$2
		shift 2
		;;
	-h | --help)
		usage
		exit 0
		;;
	*) die 2 "unknown argument '$1'; see --help" ;;
	esac
done
[[ -z $seconds || $seconds =~ ^[1-9][0-9]{0,6}$ ]] || die 2 "--seconds wants a whole number from 1, not '$seconds'"
[[ $(id -u) -eq 0 ]] || die 77 "must run as root (sudo agent/quickstart.sh): it loads kernel programs"

[[ -n $interface ]] || interface=$(default_interface)
[[ -n $interface ]] || interface=$(default_interface_v6)
[[ -n $interface ]] ||
	die 1 "this host has no default route; say which device to watch with --interface NAME, one of: $(devices)"
[[ $interface =~ ^[A-Za-z0-9_.@:-]+$ && -e /sys/class/net/$interface ]] ||
	die 1 "there is no device '$interface' here; --interface takes one of: $(devices)"

docker/install-deps.sh build
step "configuring build/release" cmake --preset release -DFFFA_TESTS=OFF
step "building the agent" cmake --build build/release --target fffa

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
# Short windows: also a flow that goes on is seen within 5 seconds of its first packet.
cat >"$dir/fffa.yaml" <<YAML
capture:
  interfaces: ["$interface"]
  drain_interval: 500ms
flows:
  idle_timeout: 2s
  active_timeout: 3s
sinks:
  - name: terminal
    type: file
    format: vpc
    path: "-"
    batch: {age: 200ms}
shutdown_timeout: 5s
YAML

say "watching $interface, both directions; one record per flow and window (idle 2s, active 3s)"
say "records go to standard output as AWS VPC Flow Logs text, messages to standard error"
say "stop with Ctrl-C${seconds:+, or wait $seconds seconds}; the last lines are the ledger: what was seen, recorded and lost"

agent=(build/release/agent/fffa run -c "$dir/fffa.yaml")
[[ -z $seconds ]] || agent=(timeout --foreground --preserve-status "$seconds" "${agent[@]}")
# A session of its own: Ctrl-C then reaches this script only, which passes it on once, however it was sent. If
# the script is killed outright, the agent ends with it.
setsid setpriv --pdeathsig TERM "${agent[@]}" &
pid=$!
stopping=''
trap 'stopping=yes; trap "" INT TERM HUP; kill "$pid" 2>/dev/null' INT TERM HUP
status=0
wait "$pid" || status=$?
if [[ -n $stopping ]]; then
	# The first wait was cut short by the signal; the agent now delivers what it holds.
	status=0
	wait "$pid" || status=$?
fi
exit "$status"
