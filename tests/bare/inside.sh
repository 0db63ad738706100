#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The part of run.sh in namespaces of its own. It mounts the layers of a bare system, with the tree in it, and runs one
# command there. Everything ends with this process.
#
#   inside.sh host|own LOWER UPPER TREE COMMAND...
#   inside.sh own LOWER UPPER TREE --quickstart SECONDS COMMAND...
#
# LOWER, UPPER: the layers as overlayfs names them, with the folders UPPER.mnt and UPPER.work for it. TREE: where the
# tree's copy is. own: a new network, whose default route leads to a neighbour over a veth; host: that of the host.
# --quickstart: the command must show records of the neighbour's traffic, and end well on SIGINT.
set -euo pipefail
network=$1 lower=$2 upper=$3 tree=$4
shift 4
root=$upper.mnt/system
src=src/fffa
here=198.51.100.1 there=198.51.100.2
out=$upper.mnt/out err=$upper.mnt/err
enter=() holder='' shown=''

fail()
{
	echo "$*"
	[[ -z $shown ]] || tail -n 40 "$out" "$err"
	exit 1
}

mount_devices()
{
	local name

	mount -t tmpfs -o mode=755 dev "$root/dev"
	for name in null zero full random urandom tty; do
		touch "$root/dev/$name"
		mount --bind "/dev/$name" "$root/dev/$name"
	done
	mkdir "$root/dev"/{shm,pts}
	mount -t tmpfs -o mode=1777 shm "$root/dev/shm"
	mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$root/dev/pts"
	ln -s pts/ptmx "$root/dev/ptmx"
	ln -s /proc/self/fd "$root/dev/fd"
	for name in stdin:0 stdout:1 stderr:2; do
		ln -s "/proc/self/fd/${name#*:}" "$root/dev/${name%:*}"
	done
}

# What live tests need of the host's kernel: its devices, BPF and cgroup file systems. "ip netns exec" also asks for a
# root that is a mount point.
share_kernel()
{
	mount --rbind /dev "$root/dev"
	mount --rbind /sys/fs/bpf "$root/sys/fs/bpf"
	mount --rbind /sys/fs/cgroup "$root/sys/fs/cgroup"
}

# This process stays in the neighbour's network; the command gets another one, held by a sleeping process.
make_network()
{
	unshare --net sleep infinity &
	holder=$!
	until [[ $(readlink "/proc/$holder/ns/net") != "$(readlink /proc/self/ns/net)" ]]; do
		sleep 0.01
	done
	enter=(nsenter "--net=/proc/$holder/ns/net")
	ip link add far0 type veth peer name eth0 netns "$holder"
	ip addr add "$there/24" dev far0
	ip link set far0 up
	"${enter[@]}" ip link set lo up
	"${enter[@]}" ip addr add "$here/24" dev eth0
	"${enter[@]}" ip link set eth0 up
	"${enter[@]}" ip route add default via "$there"
}

mount_system()
{
	mount -t overlay fffa-bare -o "lowerdir=$lower,upperdir=$upper,workdir=$upper.work" "$upper.mnt"
	[[ $network != host ]] || mount --bind "$root" "$root"
	mount -t proc proc "$root/proc"
	# Inside the network that it must show.
	"${enter[@]}" mount -t sysfs sysfs "$root/sys"
	if [[ $network == host ]]; then
		share_kernel
	else
		mount_devices
	fi
	mkdir -p "$root/$src" "$root/var/cache/apt/archives"
	mount --bind "$tree" "$root/$src"
	mount -t tmpfs archives "$root/var/cache/apt/archives"
	[[ $network != host ]] || cp -L --remove-destination /etc/resolv.conf "$root/etc/resolv.conf"
}

command_there()
{
	exec "${enter[@]}" chroot "$root" /usr/bin/env -i --default-signal=INT -C "/$src" \
		PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
		HOME=/root LANG=C.UTF-8 TERM=dumb "$@"
}

# await SECONDS WHAT COMMAND...: waits until the command succeeds, or fails when the quick start has ended.
await()
{
	local deadline=$((SECONDS + $1)) what=$2

	shift 2
	until "$@"; do
		[[ $SECONDS -lt $deadline ]] || fail "$what did not come in time"
		kill -0 "$started" 2>/dev/null || "$@" || fail "$what did not come: the command has ended"
		sleep 0.05
	done
}

quickstart()
{
	local seconds=$1 rc=0 started ping record

	shift
	: >"$out"
	: >"$err"
	shown=yes
	command_there "$@" >"$out" 2>"$err" &
	started=$!
	await "$seconds" "the word that it watches eth0" grep -q 'watching eth0' "$err"
	ping -q -i 0.2 -w 30 "$here" >/dev/null &
	ping=$!
	record="^2 .* $there $here .* OK\$"
	await 20 "a record of the neighbour's traffic" grep -q "$record" "$out"
	kill "$ping"
	kill -INT "$started"
	wait "$started" || rc=$?
	[[ $rc -eq 0 ]] || fail "after SIGINT: status $rc"
	grep -q 'seen_packets=[1-9]' "$err" || fail "no ledger at the end"
	cat "$err"
	grep -m 1 "$record" "$out"
}

[[ $network == host ]] || {
	ip link set lo up
	make_network
}
mount_system
if [[ $1 == --quickstart ]]; then
	quickstart "${@:2}"
else
	# Not by exec: the first process of a PID namespace has duties that the command does not fulfil.
	(command_there "$@")
fi
