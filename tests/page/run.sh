#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The page of the status listener in a real browser (test_page.py). Needs root, for a network namespace, the dev build, and a
# Chromium; pictures go to build/page. The last line is the sum.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 2

pictures=$PWD/build/page
mkdir -p "$pictures"
out=$(FFFA=$PWD/build/dev/agent/fffa FFFA_PICTURES=$pictures PYTHONDONTWRITEBYTECODE=1 \
	PYTHONPATH=tests/stubs:tests/component/status timeout 300 /usr/bin/python3 tests/page/test_page.py -v 2>&1)
rc=$?
echo "$out"
if [[ $rc -eq 77 ]]; then
	echo "page: skipped: ${out##*$'\n'}"
	echo "page: 0 passed, 0 failed, 1 skipped"
	exit
fi
passed=$(grep -c ' \.\.\. ok$' <<<"$out")
failed=$(sed -n 's/^Ran \([0-9]*\) tests.*/\1/p' <<<"$out")
failed=$((${failed:-1} - passed))
echo "page: $passed passed, $failed failed, 0 skipped"
[[ $rc -eq 0 && $failed -eq 0 ]]
