# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Completes what the program itself lists: commands, options and their values, fields, the spools of the sinks. $1 is the
# program as it was typed: /usr/sbin is not in everybody's PATH.

# _fffa_values PROGRAM COMMAND OPTION: the words that may follow the option. Its usage has them as [--option one|two].
_fffa_values()
{
	case $3 in
	-f | --field | --fields) "$1" fields | cut -d ' ' -f 1 ;;
	--format) "$1" version | sed -n 's/^formats: //p' ;;
	*) "$1" "$2" --help | sed -nE "/^usage:/,/^[A-Z]/s/.*\[$3 ([a-z]+\|[A-Za-z|]+)\].*/\1/p" | tr '|' '\n' | grep -v '[A-Z]' ;;
	esac
}

# _fffa_spools PROGRAM: the folder of each sink that has a spool, by the host's configuration.
_fffa_spools()
{
	"$1" config | awk '/^spool_dir: / { dir = $2; gsub(/"/, "", dir) } /^  - name: / { name = $3 }
		/^      spool: / && $2 != "0" { print dir "/" name }'
}

_fffa_options()
{
	"$1" "$2" --help | sed -nE 's/^  (--?[a-z-]+)(, (--?[a-z-]+))?.*/\1 \3/p'
	echo --help
}

_fffa()
{
	local program=$1 command=${COMP_WORDS[1]} current=${COMP_WORDS[COMP_CWORD]} option=${COMP_WORDS[COMP_CWORD - 1]}
	local words='' list=''

	COMPREPLY=()
	# readline makes three words of --option=value.
	if [[ $current == '=' ]]; then
		current=''
	elif [[ $option == '=' ]]; then
		option=${COMP_WORDS[COMP_CWORD - 2]}
	fi
	if [[ $COMP_CWORD -eq 1 ]]; then
		words=$("$program" --help | sed -n 's/^  \([a-z]*\) .*/\1/p')
	elif [[ $current == -* ]]; then
		words=$(_fffa_options "$program" "$command")
	elif [[ $command == spool ]]; then
		words=$(_fffa_spools "$program")
	elif [[ $option == -* ]]; then
		words=$(_fffa_values "$program" "$command" "$option")
	fi 2>/dev/null
	case $option in
	-f | --field)
		words=${words//$'\n'/$'=\n'}${words:+=}
		compopt -o nospace
		;;
	--fields)
		[[ $current != *,* ]] || list=${current%,*},
		compopt -o nospace
		;;
	esac 2>/dev/null
	mapfile -t COMPREPLY < <(compgen -P "$list" -W "$words" -- "${current#"$list"}")
}
complete -o default -F _fffa fffa
