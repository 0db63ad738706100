# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Shared by the lint scripts. Each takes the tree to look at as its one argument, by default the checkout it
# lies in; prints every offence as FILE:LINE: what is wrong; and ends with 1 when there was one.

# Goes to the tree that the argument of the script names.
lint_enter()
{
	cd "${1:-$(dirname "${BASH_SOURCE[0]}")/../..}" || exit 2
}

# The files of the project, NUL-terminated: in a checkout what git tracks or would track, else everything but
# build results.
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

# Copies what awk or grep found to the terminal, ends with 1 when there was anything.
lint_verdict()
{
	local found
	found=$(cat)
	[[ -n $found ]] || return 0
	printf '%s\n' "$found"
	return 1
}

# The next version formats differently and knows other checks: only one can be the measure, Debian 12's.
lint_needs_llvm14()
{
	"$1" --version | grep -q 'version 14\.' || {
		echo "the measure is $1 14 (Debian 12); here is another"
		exit 77
	}
}
