# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Completes the commands and options of fffa, as its help has them.
_fffa()
{
	local current=${COMP_WORDS[COMP_CWORD]} words

	COMPREPLY=()
	if [[ $COMP_CWORD -eq 1 ]]; then
		words=$(fffa --help | sed -n 's/^  \([a-z]*\) .*/\1/p')
	elif [[ $current == -* ]]; then
		words=$(fffa "${COMP_WORDS[1]}" --help 2>/dev/null | grep -oE -- '(^|[[ |])--?[a-z]+' | tr -d '[ |')' --help'
	else
		return # a file
	fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}
complete -o default -F _fffa fffa
