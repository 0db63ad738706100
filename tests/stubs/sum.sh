# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# For scripts that count their own checks; the last line is the sum, as tests/run.sh reads it. The script sets sum_name, and
# may define a function clean_up.
: "${sum_name:?}"
passed=0 failed=0 skipped=0

finish()
{
	! declare -F clean_up >/dev/null || clean_up
	echo "$sum_name: $passed passed, $failed failed, $skipped skipped"
	[[ $failed -eq 0 ]]
	exit
}

# For the signals that end a run: it must not look passed.
interrupted()
{
	failed=$((failed + 1))
	echo 'FAILED: interrupted'
	finish
}

skip()
{
	echo "$sum_name: skipped: $1"
	skipped=1
	finish
}

# skip_one WHAT WHY: one check that this machine cannot do.
skip_one()
{
	skipped=$((skipped + 1))
	echo "$1: skipped: $2"
}

# check WHAT COMMAND...: shows the end of its output when it fails.
check()
{
	local what=$1 out

	shift
	if out=$("$@" 2>&1); then
		passed=$((passed + 1))
		echo "passed: $what"
	else
		failed=$((failed + 1))
		printf 'FAILED: %s:\n%s\n' "$what" "$(tail -n 40 <<<"$out")"
	fi
}

# need_tools LIST TOOL...: skips all without one of them. LIST: the list of docker/install-deps.sh that has it.
need_tools()
{
	local list=$1 tool

	[[ $(id -u) -eq 0 ]] || skip 'needs root'
	shift
	for tool in "$@"; do
		command -v "$tool" >/dev/null || skip "no $tool (docker/install-deps.sh $list)"
	done
}
