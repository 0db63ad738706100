#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Plants small random faults in the sources, one at a time, and counts those that make a test fail.
#
#   tests/mutation/run.sh [OPTION...] [FOLDER...]      FOLDER: a row of folders.table, by default all
#
#   --count N       faults per folder (40)
#   --seed N        which faults (1): the same number draws the same ones from the same sources
#   --survivors     only those that survived the last time, for instance after a test was added
#   --groups N      only the first N groups of tests of each row: 1 for the unit tests, which take seconds
#   --skip-groups N without the first N groups: on survivors of --groups N it saves the time of running those again
#   --sanitize      in a build with the sanitizers, as tests/run.sh has one: leaks and bounds are noticed, too
#   --jobs N        compilers or tests at a time (2)
#   --work DIR      where to work (build/mutation); two runs at a time need two
#
# The faults come from universalmutator, which is fetched once. They are planted in a copy of the tree below DIR, never
# in the tree itself. The last line is "mutation: N passed, N failed, N skipped": a folder passes with 85 % killed.
set -euo pipefail
here=$(realpath "$(dirname "$0")")
cd "$here/../.."
case " $* " in
*' -h '* | *' --help '*)
	sed -n '/^# Plants/,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$here/run.sh"
	exit
	;;
esac

# Without its dependencies: only its rules and mutator.py are used.
tool=universalmutator==1.14.1
venv=build/mutation-tool
[[ -f $venv/$tool ]] || {
	/usr/bin/python3 -m venv "$venv" &&
		timeout 180 "$venv/bin/python" -m pip install --quiet --retries 1 --no-deps "$tool" &&
		touch "$venv/$tool"
} || {
	echo "mutation: $tool cannot be fetched"
	echo "mutation: 0 passed, 0 failed, 1 skipped"
	exit
}
PYTHONDONTWRITEBYTECODE=1 exec "$venv/bin/python" "$here/mutate.py" "$@"
