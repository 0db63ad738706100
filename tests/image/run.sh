#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Builds the image with Docker and runs it as a sidecar in another container's network namespace, with the capabilities that
# it needs alone. Needs root, docker, and the network once. Its engine is its own and touches no bridge and no firewall.
# Engine and layers are kept in build/image. The last line is the sum.
# shellcheck disable=SC2317 # check calls functions by name
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 2
sum_name=image
# shellcheck source=docker/apt.sh
. docker/apt.sh
# shellcheck source=tests/stubs/sum.sh
. tests/stubs/sum.sh

dir=$PWD/build/image
peer=fffa-image-$$
docker=/usr/bin/docker
export DOCKER_HOST=unix://$dir/docker.sock
engine=''

clean_up()
{
	[[ -z $engine ]] || {
		$docker rm -f fffa app fffa2 >/dev/null 2>&1
		kill "$engine" && wait "$engine"
		umount "$dir/run/netns/default" # which the engine leaves
	} 2>/dev/null
	ip netns del "$peer" 2>/dev/null
}

await()
{
	for _ in {1..300}; do
		"$@" >/dev/null 2>&1 && return
		sleep 0.1
	done
	"$@"
}

start_engine()
{
	mkdir -p "$dir/data" "$dir/run"
	dockerd --data-root "$dir/data" --exec-root "$dir/run" --pidfile "$dir/pid" -H "$DOCKER_HOST" --iptables=false \
		--ip6tables=false --ip-forward=false --bridge=none >"$dir/dockerd.log" 2>&1 &
	engine=$!
	await "$docker" version && { $docker rm -f fffa app fffa2 >/dev/null 2>&1 || true; }
}

# try_engine WHAT COMMAND...: skips all where the engine itself cannot do it.
try_engine()
{
	local what=$1 out

	shift
	out=$("$@" 2>&1) || skip "the engine $what: $(tail -n 1 <<<"$out")"
}

import_nothing()
{
	tar -c -T /dev/null | $docker import - fffa-probe && $docker rmi fffa-probe
}

import_base()
{
	local mirror

	! $docker image inspect debian:bookworm-slim >/dev/null 2>&1 || return 0
	mirror=$(debian_mirror bookworm)
	apt_fetch_options >"$dir/apt.conf"
	mmdebstrap --quiet --variant=minbase --include=ca-certificates --aptopt="$dir/apt.conf" --aptopt='Acquire::Languages "none"' \
		--dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
		bookworm "$dir/base.tar" "$mirror" || return
	$docker import --change 'CMD ["bash"]' "$dir/base.tar" debian:bookworm-slim && rm "$dir/base.tar"
}

made_base()
{
	cat "$dir/base.log"
	$docker image inspect debian:bookworm-slim >/dev/null
}

build_image()
{
	$docker build --network host -f docker/Dockerfile -t fffa . 2>&1
}

is_small()
{
	local bytes

	bytes=$($docker save fffa | gzip -1 | wc -c)
	echo "$bytes bytes compressed"
	[[ $bytes -lt 25000000 ]]
}

# A container with a device whose other end is in a namespace of this test.
start_app()
{
	local pid

	$docker run -d --name app --network none debian:bookworm-slim sleep infinity &&
		pid=$($docker inspect -f '{{.State.Pid}}' app) &&
		ip netns add "$peer" &&
		ip link add c0 netns "$pid" type veth peer name c1 netns "$peer" &&
		nsenter --net="/proc/$pid/ns/net" sh -c 'ip addr add 192.0.2.1/24 dev c0 && ip link set c0 up && ip route add default via 192.0.2.2' &&
		ip -n "$peer" addr add 192.0.2.2/24 dev c1 && ip -n "$peer" link set c1 up
}

confined=(--read-only --cap-drop ALL)

start_agent()
{
	$docker run -d --name fffa --network container:app "${confined[@]}" --cap-add SYS_ADMIN --cap-add NET_ADMIN \
		-v fffa-spool:/var/lib/fffa -e FFFA_FLOWS_IDLE_TIMEOUT=500ms -e AWS_EC2_METADATA_DISABLED=true fffa
}

is_healthy()
{
	[[ $($docker inspect -f '{{.State.Health.Status}}' fffa) == healthy ]] || {
		$docker inspect -f '{{json .State.Health}}' fffa
		$docker logs fffa
		return 1
	}
}

runs_as_nobody()
{
	local pid

	pid=$($docker inspect -f '{{.State.Pid}}' fffa)
	grep -qE '^Uid:\s+65532\s+65532' "/proc/$pid/status" && grep -qE '^CapEff:\s+0000000000201000' "/proc/$pid/status"
}

restricts_itself()
{
	! $docker logs fffa 2>&1 | grep 'cannot restrict system calls'
}

has_records()
{
	$docker logs fffa 2>&1 | grep -q ' 192.0.2.2 192.0.2.1 0 0 1 '
}

stops()
{
	$docker stop fffa && [[ $($docker inspect -f '{{.State.ExitCode}}' fffa) == 0 ]]
}

# Root of the container without any other right, as on a Kubernetes node.
runs_as_root()
{
	$docker run -d --name fffa2 --network container:app --user 0 --security-opt no-new-privileges "${confined[@]}" \
		--cap-add SYS_ADMIN --cap-add NET_ADMIN --tmpfs /var/lib/fffa fffa &&
		await "$docker" exec fffa2 /usr/sbin/fffa health && $docker rm -f fffa2
}

names_what_is_missing()
{
	local out rc

	out=$($docker run --name fffa2 --network container:app "${confined[@]}" fffa 2>&1)
	rc=$?
	echo "$out"
	[[ $rc -eq 77 && $out == *'lacking CAP_BPF and CAP_NET_ADMIN'* ]]
}

has_sbom()
{
	$docker cp fffa:/usr/share/fffa/sbom.cdx.json - | tar xO | jq -e '[.components[].name] | index("libbpf1") and index("fffa")'
}

main()
{
	need_tools image dockerd mmdebstrap jq
	start_engine || skip "the engine does not start: $(tail -n 1 "$dir/dockerd.log")"
	try_engine 'makes no image' import_nothing
	import_base >"$dir/base.log" 2>&1 || ! archive_out_of_reach bookworm "$dir/probe" || skip 'the archive is out of reach'
	check 'a base image' made_base
	[[ $failed -eq 0 ]] || finish
	try_engine 'runs no container' "$docker" run --rm --network none debian:bookworm-slim true
	check build build_image
	[[ $failed -eq 0 ]] || finish
	check 'at most 25 MB' is_small
	check 'another container' start_app
	check start start_agent
	check healthy await is_healthy
	check 'no root, two capabilities' runs_as_nobody
	check 'its own filter of system calls' restricts_itself
	ip netns exec "$peer" ping -c 3 -i 0.2 -q 192.0.2.1 >/dev/null
	check records await has_records
	check 'a list of what is inside' has_sbom
	check 'a clean end' stops
	check 'as root without new privileges' runs_as_root
	check 'what is missing is named' names_what_is_missing
	finish
}

trap interrupted INT TERM
main
