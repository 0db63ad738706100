# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Shared by the lint scripts. Each takes the tree to check as its argument, by default its own checkout; prints every
# offence as FILE:LINE: what is wrong; and ends with status 1 when there was one.

# Changes to the tree that the argument of the script names.
lint_enter()
{
	cd "${1:-$(dirname "${BASH_SOURCE[0]}")/../..}" || exit 2
}

# Prints the files of the project, NUL-terminated: in a checkout those that git tracks or does not ignore, else everything
# but build results.
lint_files()
{
	if [[ -e .git ]]; then
		git -c safe.directory='*' ls-files -z --cached --others --exclude-standard |
			while IFS= read -r -d '' f; do
				[[ ! -f $f ]] || printf '%s\0' "$f"
			done
	else
		find . -path './build*' -prune -o -type f -printf '%P\0'
	fi
}

# Prints what awk or grep found; returns 1 when there was anything.
lint_verdict()
{
	local found
	found=$(cat)
	[[ -n $found ]] || return 0
	printf '%s\n' "$found"
	return 1
}

# The versions that are the measure, Debian 12's: the next one formats differently and knows other checks. Where the
# system has another, tools.sh gets these as wheels, here; of cppcheck there is none.
# shellcheck disable=SC2034 # read by tools.sh
declare -A lint_version=([clang-format]=14.0.6 [clang-tidy]=14.0.6 [shellcheck]=0.9.0 [cppcheck]=2.10)
lint_tools=$(realpath -m "$(dirname "${BASH_SOURCE[0]}")/../../build/lint-tools")

# lint_find TOOL: prints the path of that tool in that version; fails when there is none.
lint_find()
{
	local path

	for path in "$(type -P "$1")" "$lint_tools/bin/$1"; do
		if [[ -x $path ]] && "$path" --version | grep -qwF "${lint_version[$1]}"; then
			echo "$path"
			return
		fi
	done
	return 1
}

# lint_tool TOOL: the same for a lint script, which is skipped when there is none.
lint_tool()
{
	lint_find "$1" || {
		echo "the measure is $1 ${lint_version[$1]}, Debian 12's; here is another" >&2
		return 77
	}
}

# The checks, for tests/run.sh and .ci/pre-commit. The second list needs the dev and the clang build.
# shellcheck disable=SC2034 # used by those who source this file
lint_fast=(format.sh layers.sh links.py spdx.sh tree.sh shell.sh docs.py words.py comments.py selftest.sh)
# shellcheck disable=SC2034
lint_deep=(globals.sh names.py circles.py generated.sh cppcheck.sh tidy.sh)
