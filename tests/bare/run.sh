#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Runs README's two commands on a bare Debian: a minimal system below this tree, with nothing else installed and with a
# network of its own. Needs root; changes nothing on the host.
#
#   tests/bare/run.sh [SUITE...]                 trixie (default), bookworm, testing
#   tests/bare/run.sh --in SUITE COMMAND...      any command in a copy of the tree there, with the host's network
#
# The systems are kept in $FFFA_BARE_CACHE (default build/bare), with what docker/install-deps.sh installs; they are
# made anew when that script changes and after 30 days. A suite whose archive is out of reach is skipped; 77 when that
# holds for all. Logs are in build/log. The last line is their sum.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 2
# shellcheck source=docker/apt.sh
. docker/apt.sh
# shellcheck source=tests/lint/lib.sh
. tests/lint/lib.sh

cache=$(realpath -m "${FFFA_BARE_CACHE:-build/bare}")
logs=$PWD/build/log
quickstart_seconds=300 tests_seconds=900 # several times what an idle machine of two processors needs
suite='' dir='' work=''

# skip REASON: for "|| return", because this suite cannot be fetched.
skip()
{
	echo "$suite: skipped: $1"
	return 77
}

# inside NETWORK LAYERS UPPER COMMAND...: runs the command on the layers "base", "build base" or "test build base". Writes
# go to UPPER. See inside.sh.
inside()
{
	local network=() layer lower=''

	[[ $1 == host ]] || network=(--net)
	for layer in $2; do
		lower+=${lower:+:}$dir/$layer
	done
	mkdir -p "$dir/$3" "$dir/$3.mnt" "$dir/$3.work"
	setpriv --pdeathsig KILL \
		unshare --mount-proc --propagation private --pid --fork --kill-child --ipc --uts "${network[@]}" \
		tests/bare/inside.sh "$1" "$lower" "$dir/$3" "$dir/tree" "${@:4}"
}

# fresh NAME KEY: true if the layer exists, was made with this key, and is not too old.
fresh()
{
	[[ $(cat "$dir/$1.ready" 2>/dev/null) == "$2" && -z $(find "$dir/$1.ready" -mtime +30) ]]
}

# layer NAME KEY COMMAND...: makes the layer with the command, unless it is fresh. Each key is part of the next one.
layer()
{
	local name=$1 key=$2 began=$SECONDS

	shift 2
	! fresh "$name" "$key" || return 0
	rm -rf "${dir:?}/$name" "$dir/$name.ready"
	"$@" >"$logs/bare-$suite-$name.log" 2>&1 || {
		tail -n 20 "$logs/bare-$suite-$name.log"
		return 1
	}
	echo "$key" >"$dir/$name.ready"
	echo "$suite: $name is new, $((SECONDS - began)) s"
}

# The system is below base/system, so that its root is not a mount point, as in many a chroot.
make_base()
{
	local mirror=$1 system=$dir/base/system

	mkdir -p "$dir/base"
	{
		apt_fetch_options
		echo 'Acquire::Languages "none";'
	} >"$dir/apt.conf"
	mmdebstrap --quiet --variant=minbase --include=ca-certificates --aptopt="$dir/apt.conf" \
		--dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
		--dpkgopt=force-unsafe-io "$suite" "$system" "$mirror" || return
	# The certificates that this host trusts for its package sources, and its settings for Python's.
	[[ ! -e /etc/pip.conf ]] || cp /etc/pip.conf "$system/etc/pip.conf"
	cp -r /usr/local/share/ca-certificates/. "$system/usr/local/share/ca-certificates/" 2>/dev/null || true
	chroot "$system" /usr/sbin/update-ca-certificates
}

# skip_or_fail LOG: judges why the minimal system could not be made.
skip_or_fail()
{
	local said

	if said=$(archive_out_of_reach "$suite" "$dir/probe"); then
		skip "the archive is out of reach: $said"
		return
	fi
	echo "$suite: base FAILED, and the archive can be reached; the end of $1:"
	tail -n 20 "$1" | sed 's/^/      /'
	return 1
}

# The system, and the packages to compile and run the agent.
prepare_build()
{
	local mirror key

	mirror=$(debian_mirror "$suite")
	[[ -n $mirror ]] || skip "this host's package sources name no Debian mirror" || return
	key="$suite $mirror"
	layer base "$key" make_base "$mirror" || skip_or_fail "$logs/bare-$suite-base.log" || return
	key+=" $(stat -c %Y "$dir/base.ready") $(sha256sum <docker/install-deps.sh)"
	layer build "$key" inside host base build docker/install-deps.sh build || return 1
}

# The packages of the tests. The lint's own tools are in the tree and are used again in the next run. Without them the
# lint scripts that need them are skipped by name.
prepare_test()
{
	local log=$logs/bare-$suite-tools.log

	layer test "$(cat "$dir/build.ready") $(stat -c %Y "$dir/build.ready")" \
		inside host "build base" test docker/install-deps.sh all || return 1
	inside host "test build base" tools tests/lint/tools.sh >"$log" 2>&1 ||
		echo "$suite: lint tools: skipped: $(tail -n 1 "$log")"
}

# The files of the project as a checkout, with no build results except the lint's tools.
copy_tree()
{
	mkdir -p "$dir/tree/build"
	find "$dir/tree" -mindepth 1 -maxdepth 1 ! -name build -exec rm -rf {} +
	find "$dir/tree/build" -mindepth 1 -maxdepth 1 ! -name lint-tools -exec rm -rf {} +
	lint_files | tar -c --null -T - | tar -x -C "$dir/tree" || return
	git init -q "$dir/tree" && git -C "$dir/tree" add -A
}

# readme_command TEXT: prints README's line "sudo TEXT ..." without sudo, so that exactly this is run.
readme_command()
{
	sed -n "s|^    sudo \($1\) .*|\1|p" README.md
}

# Writes the versions of the tools to a log.
versions()
{
	dpkg-query --admindir="$dir/test/system/var/lib/dpkg" -W -f '${Package} ${Version}\n' gcc clang cmake bpftool python3 \
		'lib*-dev' linux-libc-dev | grep ' .' >"$logs/bare-$suite-versions.log"
}

# step NAME COMMAND...: runs the command and prints its result and time.
step()
{
	local name=$1 log=$logs/bare-$suite-$1.log began=$SECONDS

	shift
	if "$@" >"$log" 2>&1; then
		echo "$suite: $name passed, $((SECONDS - began)) s: $(tail -n 1 "$log")"
		sed -n "s/^ *skipped: /$suite: $name: skipped: /p" "$log"
		return
	fi
	echo "$suite: $name FAILED after $((SECONDS - began)) s; the end of $log:"
	tail -n 60 "$log" | sed 's/^/      /'
	return 1
}

# Runs under the lock. 0 passed, 1 failed, 77 skipped. The packages of the tests are installed while the quick start, which
# must not need them, builds.
run_suite()
{
	local rc=0 quickstart

	copy_tree || return 1
	prepare_build || return
	step quickstart inside own "build base" run-quickstart \
		--quickstart "$quickstart_seconds" "$(readme_command agent/quickstart.sh)" &
	quickstart=$!
	prepare_test && versions &&
		step tests inside own "test build base" run-tests \
			timeout "$tests_seconds" "$(readme_command tests/run.sh)" --quick || rc=1
	wait "$quickstart" || rc=1
	return "$rc"
}

run_in()
{
	copy_tree && prepare_build && prepare_test && inside host "test build base" run "$@"
}

clean_up()
{
	# Nothing is mounted outside of the namespaces, which are gone; a mount would be left alone.
	rm -rf --one-file-system "$dir"/{run,run-*,tools,probe} "$dir"/*.work
	rmdir "$dir"/*.mnt 2>/dev/null || true
}

# Waits for the suite's folder. Killed runs go on holding it until their last process has ended.
lock()
{
	mkdir -p "$dir" "$logs"
	exec 9>"$dir/lock"
	flock --nonblock 9 || {
		echo "$suite: another run uses $dir; waiting for its end" >&2
		flock 9
	}
}

# Ends the work, which is a process group of its own, and waits for that.
stop_work()
{
	[[ -n $work ]] || return 0
	kill -TERM -- "-$work" 2>/dev/null
	for _ in {1..50}; do
		kill -0 -- "-$work" 2>/dev/null || break
		sleep 0.1
	done
	kill -KILL -- "-$work" 2>/dev/null
	wait "$work" 2>/dev/null
	work=''
}

# For the signals that end a run: it leaves nothing to the next one.
interrupted()
{
	trap '' INT TERM HUP
	echo "$suite: interrupted" >&2
	stop_work
	clean_up
	exit $((128 + $1))
}

# In the background: bash runs a trap only between two commands, and this one takes minutes.
in_background()
{
	local rc=0

	set -m
	"$@" &
	work=$!
	set +m
	wait "$work" || rc=$?
	work=''
	return "$rc"
}

# with_suite SUITE COMMAND...: runs the command with $dir set, one suite at a time. What a killed run wrote would lie on top
# of the layers, so it goes before.
with_suite()
{
	local rc=0

	suite=$1 dir=$cache/$1
	shift
	lock
	trap 'interrupted 1' HUP
	trap 'interrupted 2' INT
	trap 'interrupted 15' TERM
	clean_up
	"$@" || rc=$?
	clean_up
	trap - HUP INT TERM
	exec 9>&-
	return "$rc"
}

main()
{
	local name passed=0 failed=0 skipped=0 rc

	[[ $(id -u) -eq 0 ]] || {
		echo "needs root"
		exit 77
	}
	docker/install-deps.sh bare || exit 1
	if [[ ${1-} == --in ]]; then
		with_suite "$2" run_in "${@:3}"
		exit
	fi
	for name in "${@:-trixie}"; do
		rc=0
		with_suite "$name" in_background run_suite || rc=$?
		case $rc in
		0) passed=$((passed + 1)) ;;
		77) skipped=$((skipped + 1)) ;;
		*) failed=$((failed + 1)) ;;
		esac
	done
	echo "bare: $passed passed, $failed failed, $skipped skipped"
	[[ $failed -eq 0 ]] || exit 1
	[[ $passed -gt 0 ]] || exit 77
}

[[ ${1-} != -h && ${1-} != --help ]] || {
	sed -n '/^# Runs README/,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0"
	exit 0
}
main "$@"
