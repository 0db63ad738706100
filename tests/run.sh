#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Installs what is missing, builds and runs every test that this machine can run. Needs root.
#
#   tests/run.sh [--quick] [--only LABEL] [--suite NAME]... [--folder NAME]... [--list]
#
#   --quick        the cheap part: dev build, unit, contract and component tests, the fast lint steps
#   --only LABEL   one kind of test only: a ctest label (unit, netns, ...), lint, fuzz, kernels, bare, packages, image or peers
#   --only portable   builds the agent with its libraries linked in, and tries it; only by this option
#   --only page    shows the status page to a real browser; only by this option
#   --only mutation   plants faults in the sources and counts those that a test notices; only by this option
#   --folder NAME  where --only mutation plants them, by default everywhere; may be repeated
#   --suite NAME   the Debian suite of the bare systems: trixie (default), bookworm, testing; may be repeated
#   --list         print what would run, and where; run nothing
#
# FUZZ_SECONDS (default 10) bounds each fuzz target. Logs are in build/log. The last line is
# "N passed, N failed, N skipped"; the exit status is 0 only when nothing failed.
# shellcheck disable=SC2317 # stage and check call functions by name
set -uo pipefail
cd "$(dirname "$0")/.." || exit 2

# preset: labels that run in it, "*" for all. The release build is delivered, so its warnings count, too.
plan=(
	"dev:*"
	"release:"
	"clang:unit"
	"asan:unit contract component netns bpf"
	"tsan:unit contract threads"
)
# What a preset builds where that is not all. The fuzz build has no tests, and the release build those of the guests.
declare -A targets=([fuzz]=fuzzers [release]=guest_programs)
# These run after the others. A test that measures time or fills the machine has RUN_SERIAL, so that ctest runs it alone.
live='netns|bpf|bench-smoke|system|threads'
# A stage of their own, one at a time: they fetch and build programs of others, once, under build/peers.
apart='peers'
quick_labels='unit|contract|component'
# shellcheck source=tests/lint/lib.sh
. tests/lint/lib.sh # the lists of checks
jobs=$(nproc)
fuzz_seconds=${FUZZ_SECONDS:-10}
logs=build/log
quick='' only='' list='' suites=() folders=()
idle='' # the process of idle_work
passed=0 failed=0 skipped=0
table=()

# A finding of a sanitizer ends the test with a trace.
export ASAN_OPTIONS=${ASAN_OPTIONS-detect_leaks=1:strict_string_checks=1:detect_stack_use_after_return=1}
export UBSAN_OPTIONS=${UBSAN_OPTIONS-print_stacktrace=1:halt_on_error=1}
export TSAN_OPTIONS=${TSAN_OPTIONS-halt_on_error=1:second_deadlock_stack=1}

usage()
{
	sed -n '/^# Installs/,/^set/{/^# shellcheck/d;/^set/d;s/^# \{0,1\}//;p}' tests/run.sh
}

# count P F S: adds to the sums and to the current stage.
count()
{
	passed=$((passed + $1)) failed=$((failed + $2)) skipped=$((skipped + $3))
}

# stage NAME COMMAND...: runs one stage, a line of the table with its time and counts.
stage()
{
	local name=$1 began=$SECONDS p=$passed f=$failed s=$skipped rc=0

	shift
	printf '== %s\n' "$name"
	"$@" || rc=$?
	table+=("$(printf '%-28s %5ds %7d %7d %7d' "$name" $((SECONDS - began)) \
		$((passed - p)) $((failed - f)) $((skipped - s)))")
	return "$rc"
}

# check NAME COMMAND...: runs and counts one step. Its output goes to a log and is shown when it fails. 77: skipped, and
# the last line says why.
check()
{
	local name=$1 log=$logs/$1.log rc=0

	shift
	"$@" >"$log" 2>&1 || rc=$?
	case $rc in
	0) count 1 0 0 ;;
	77)
		echo "   skipped: $name: $(tail -n 1 "$log")"
		count 0 0 1
		;;
	*)
		echo "   FAILED: $name (status $rc, $log):"
		tail -n 60 "$log" | sed 's/^/      /'
		count 0 1 0
		;;
	esac
	return "$rc"
}

configure_and_build()
{
	cmake --preset "$1" && cmake --build --preset "$1" --target "${targets[$1]-all}" -- -j "$jobs" -k 0
}

# Builds a preset once; fails when it does not build.
declare -A built
build()
{
	if [[ -z ${built[$1]-} ]]; then
		built[$1]=ok
		stage "build $1" check "build-$1" configure_and_build "$1" || built[$1]=failed
	fi
	[[ ${built[$1]} == ok ]]
}

# run_ctest PRESET NAME CTEST-ARGUMENTS...
run_ctest()
{
	local preset=$1 name=$1-$2 report

	shift 2
	rm -f "$logs/$name.xml"
	ctest --test-dir "build/$preset" --output-junit "$PWD/$logs/$name.xml" --no-tests=ignore \
		--test-output-size-passed 65536 --test-output-size-failed 262144 "$@" >"$logs/$name.log" 2>&1
	report=$(/usr/bin/python3 tests/tally.py "$logs/$name.xml") || {
		tail -n 20 "$logs/$name.log"
		report=$'   FAILED: ctest itself\n0 1 0'
	}
	[[ $report != *$'\n'* ]] || printf '%s\n' "${report%$'\n'*}"
	# shellcheck disable=SC2086 # three numbers
	count ${report##*$'\n'}
}

# test_preset PRESET WORD...: runs the preset's tests that the words and the options select, first the cheap ones.
test_preset()
{
	local preset=$1 select=() before=$((passed + failed + skipped))

	shift
	# ctest takes a test when each -L matches one of its labels.
	[[ $1 == '*' ]] || select+=(-L "^($(join "$@"))\$")
	if [[ -n $only ]]; then
		select+=(-L "^$only\$")
	elif [[ -n $quick ]]; then
		select+=(-L "^($quick_labels)\$")
	fi
	run_ctest "$preset" cheap -j "$jobs" "${select[@]}" -LE "^($live|$apart)\$"
	run_ctest "$preset" live -j "$jobs" "${select[@]}" -L "^($live)\$" -LE "^($apart)\$"
	# A label that no test has any more must not look green. "*" of one label: see run_plan.
	[[ $((passed + failed + skipped)) -gt $before || (-n $only && $1 == '*') ]] || {
		echo "   FAILED: the $preset build has no test with these labels: $*"
		count 0 1 0
	}
	tests=$((tests + passed + failed + skipped - before))
}

join()
{
	local IFS='|'
	echo "$*"
}

# applies PRESET WORD...: true if --only and --quick leave anything of this line of the plan.
applies()
{
	local preset=$1 word

	shift
	[[ -z $quick || $preset == dev ]] || return 1
	[[ -n $only ]] || return 0
	[[ ! $only =~ ^(lint|fuzz|kernels|bare|peers|mutation|packages|image|portable|page)$ ]] || return 1
	for word in "$@"; do
		[[ $word != "$only" && $word != '*' ]] || return 0
	done
	return 1
}

run_plan()
{
	local line preset words tests=0 applied=''

	for line in "${plan[@]}"; do
		preset=${line%%:*}
		read -ra words <<<"${line#*:}"
		applies "$preset" "${words[@]}" || continue
		# Tests that did build run even when something else did not.
		build "$preset" || [[ -f build/$preset/CTestTestfile.cmake ]] || continue
		applied=yes
		[[ ${#words[@]} -eq 0 ]] || stage "test $preset" test_preset "$preset" "${words[@]}"
	done
	# The label of --only may be one that the dev build has no test of, but not one that none has.
	[[ -z $applied || $tests -gt 0 ]] || {
		echo "   FAILED: no build has a test with the label $only"
		count 0 1 0
	}
}

# fuzz_one TARGET: runs it for a bounded time, with the seeds of the tree.
fuzz_one()
{
	local target=$1 name seeds=() scratch rc

	name=$(basename "$target")
	[[ -d tests/data/fuzz/$name ]] && seeds=("tests/data/fuzz/$name")
	# New inputs go to the first folder, so that none goes into the tree.
	scratch=$(mktemp -d)
	mkdir -p build/fuzz/crashes
	"$target" -max_total_time="$fuzz_seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
		-artifact_prefix="build/fuzz/crashes/$name-" "$scratch" "${seeds[@]}"
	rc=$?
	rm -rf "$scratch"
	[[ $rc -ne 77 ]] || rc=1 # libFuzzer's own status for a crash, not our skip
	return "$rc"
}

fuzzers_running()
{
	jobs -rp | grep -cvx "${idle:-none}"
}

run_fuzzers()
{
	local target name names=()

	while read -r target; do
		name=$(basename "$target")
		names+=("$name")
		# As many at a time as there are processors.
		while [[ $(fuzzers_running) -ge $jobs ]]; do
			wait -n
		done
		in_file "$name" fuzz_one "$target" &
	done < <(sort -u build/fuzz/fuzzers.txt)
	# Not idle_work, which may go on.
	while [[ $(fuzzers_running) -gt 0 ]]; do
		wait -n
	done
	for name in "${names[@]}"; do
		check "fuzz-$name" result "$name"
	done
	[[ ${#names[@]} -gt 0 ]] || {
		echo "   FAILED: there is no fuzz target"
		count 0 1 0
	}
}

# in_file NAME COMMAND...: keeps its output and status for result.
in_file()
{
	local name=$1

	shift
	"$@" >"$logs/$name.out" 2>&1
	echo $? >"$logs/$name.status"
}

result()
{
	cat "$logs/$1.out"
	return "$(cat "$logs/$1.status")"
}

# Prints the time of each, because the first run of one may take minutes.
run_peers()
{
	run_ctest dev peers -j 1 -L "^$apart\$"
	sed -nE 's|^ *[0-9]+/[0-9]+ Test +#[0-9]+: (peer_[a-z_]+) .* ([0-9.]+ sec)$|   \1: \2|p' "$logs/dev-peers.log"
}

# run_sum NAME COMMAND...: a script that counts by itself, each kernel or bare system as one: its last line is the sum.
run_sum()
{
	local name=$1

	shift
	"$@" >"$logs/$name.log" 2>&1
	sum "$name"
}

# sum NAME: counts what the log of such a script says.
sum()
{
	local name=$1 log=$logs/$1.log

	if [[ ! $(tail -n 1 "$log") =~ ^$name:\ ([0-9]+)\ passed,\ ([0-9]+)\ failed,\ ([0-9]+)\ skipped$ ]]; then
		echo "   FAILED: $name ($log):"
		tail -n 20 "$log" | sed 's/^/      /'
		count 0 1 0
		return
	fi
	count "${BASH_REMATCH[@]:1}"
	if [[ ${BASH_REMATCH[2]} -gt 0 ]]; then
		sed 's/^/   /' "$log"
	else
		grep ' skipped: ' "$log" | sed "s/^/   $name /"
	fi
}

# install_for STAGE: installs what it needs. Where that cannot be fetched, the stage is skipped by name.
install_for()
{
	check "install-$1" install_or_skip "$1"
}

install_or_skip()
{
	local suite

	docker/install-deps.sh "$1" && return
	suite=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
	# shellcheck source=docker/apt.sh
	(. docker/apt.sh && archive_out_of_reach "$suite" "$PWD/build/$1/probe") || return 1
	echo "the archive is out of reach"
	return 77
}

# What was compiled for the release build is not compiled again.
run_packages()
{
	local build=()

	[[ ${built[release]-} != ok ]] || build=(--build "$PWD/build/release")
	install_for packages && run_sum packages tests/packages/run.sh "${build[@]}"
}

run_image()
{
	install_for image && run_sum image tests/image/run.sh
}

# Shows the scores and the faults that no test noticed.
run_mutation()
{
	run_sum mutation tests/mutation/run.sh "${folders[@]}" >/dev/null
	grep -v 'killed by' "$logs/mutation.log" | sed 's/^/   /'
}

lint_tools()
{
	# A script without its tool is skipped and says so.
	tests/lint/tools.sh >"$logs/lint-tools.log" 2>&1 || true
}

run_lint()
{
	local script

	for script in "$@"; do
		check "lint-${script%.*}" "tests/lint/$script"
	done
}

# The stages that only compute, in the background. They take what the other stages leave, which mostly wait. Some of these
# measure time, so they come first; but guests that stand still for seconds would fail.
start_idle()
{
	local line

	for line in "${plan[@]}" fuzz:; do
		build "${line%%:*}" || return
	done
	lint_tools
	set -m # a process group of its own
	idle_work </dev/null &
	idle=$!
	set +m
	trap 'kill -- "-$idle" 2>/dev/null' EXIT
}

idle_work()
{
	local script

	renice -n 5 -p "$BASHPID" >/dev/null
	tests/kernels/run.sh >"$logs/kernels.log" 2>&1
	for script in "${lint_deep[@]}"; do
		in_file "lint-${script%.*}" "tests/lint/$script"
	done
}

# Waits for idle_work, and counts its checks.
finish_idle()
{
	local script

	wait "$idle"
	sum kernels
	for script in "${lint_deep[@]}"; do
		check "lint-${script%.*}" result "lint-${script%.*}"
	done
}

finish()
{
	printf '\n%-28s %6s %7s %7s %7s\n' stage time passed failed skipped
	printf '%s\n' "${table[@]}"
	printf '%-28s %5ds\n\n' total "$SECONDS"
	echo "$passed passed, $failed failed, $skipped skipped"
	[[ $failed -eq 0 ]]
	exit
}

list()
{
	local line words

	for line in "${plan[@]}"; do
		read -ra words <<<"${line#*:}"
		applies "${line%%:*}" "${words[@]}" || continue
		echo "${line%%:*} preset: ${words[*]:-build only}"
	done
	[[ -n $only && $only != lint ]] || echo "lint: ${lint_fast[*]}"
	[[ -n $quick || (-n $only && $only != lint) ]] || echo "lint: ${lint_deep[*]}"
	[[ -n $quick || (-n $only && $only != fuzz) ]] || echo "fuzz preset: each target for $fuzz_seconds s"
	[[ -n $quick || (-n $only && $only != peers) ]] || echo "peers: the dev build with what others wrote"
	[[ -n $quick || (-n $only && $only != kernels) ]] || echo "kernels: the release build in emulated guests, also with the programs of clang 14 and 19"
	[[ -n $quick || (-n $only && $only != bare) ]] || echo "bare: README's two commands on a bare ${suites[*]:-trixie}"
	[[ -n $quick || (-n $only && $only != packages) ]] || echo "packages: deb and rpm, installed, upgraded and removed in a booted Debian 12"
	[[ -n $quick || (-n $only && $only != image) ]] || echo "image: built, and run beside another container"
	[[ $only != portable ]] || echo "portable: the program that needs the C library alone, in a root that has no more"
	[[ $only != page ]] || echo "page: the status page in a browser"
	[[ $only != mutation ]] || echo "mutation: 40 faults in each of ${folders[*]:-the folders of tests/mutation/folders.table}"
	[[ ! -f build/dev/CTestTestfile.cmake ]] ||
		ctest --test-dir build/dev -N ${only:+-L "^$only\$"} | grep '  Test' || true
}

# In a function, so that bash reads the whole script before it runs: it may be edited meanwhile.
main()
{
	while [[ $# -gt 0 ]]; do
		case $1 in
		--quick) quick=yes ;;
		--only)
			[[ $# -ge 2 ]] || { usage >&2; exit 2; }
			only=$2
			shift
			;;
		--suite)
			[[ ${2-} =~ ^[a-z]+$ ]] || { usage >&2; exit 2; }
			suites+=("$2")
			shift
			;;
		--folder)
			[[ ${2-} =~ ^[a-z/]+$ ]] || { usage >&2; exit 2; }
			folders+=("$2")
			shift
			;;
		--list) list=yes ;;
		-h | --help) usage; exit 0 ;;
		*) usage >&2; exit 2 ;;
		esac
		shift
	done

	[[ $only =~ ^[a-z0-9_-]*$ ]] || { usage >&2; exit 2; }
	[[ -z $list ]] || { list; exit 0; }

	[[ $(id -u) -eq 0 ]] || {
		echo "tests/run.sh must run as root (sudo tests/run.sh): it installs packages and loads kernel programs" >&2
		exit 77
	}
	mkdir -p "$logs"
	stage install check install docker/install-deps.sh all || finish
	[[ -n $quick || -n $only ]] || start_idle
	run_plan
	if [[ -z $quick && (-z $only || $only == peers) ]] && build dev; then
		stage peers run_peers
	fi
	if [[ -z $only || $only == lint ]]; then
		lint_tools
		stage lint run_lint "${lint_fast[@]}"
		if [[ -z $quick && -z $idle ]] && build dev && build clang; then
			stage "lint, deep" run_lint "${lint_deep[@]}"
		fi
	fi
	if [[ -z $quick && (-z $only || $only == fuzz) ]] && build fuzz; then
		stage fuzz run_fuzzers
	fi
	if [[ -z $quick && -z $idle && (-z $only || $only == kernels) ]] && build release; then
		stage kernels run_sum kernels tests/kernels/run.sh
	fi
	if [[ -z $quick && (-z $only || $only == bare) ]]; then
		stage bare run_sum bare tests/bare/run.sh "${suites[@]}"
	fi
	if [[ -z $quick && (-z $only || $only == packages) ]]; then
		stage packages run_packages
	fi
	if [[ -z $quick && (-z $only || $only == image) ]]; then
		stage image run_image
	fi
	[[ -z $idle ]] || stage "kernels and deep lint, rest" finish_idle
	if [[ $only == portable ]] && check install-portable docker/install-deps.sh portable &&
		check install-arm64 docker/install-deps.sh arm64; then
		stage portable run_sum portable tests/portable/run.sh
	fi
	if [[ $only == page ]] && check install-page docker/install-deps.sh page && build dev; then
		stage page run_sum page tests/page/run.sh
	fi
	if [[ $only == mutation ]]; then
		stage mutation run_mutation
	fi
	finish
}

main "$@"
