# bash completion of l2tpv3ctl, which knows its own grammar
_l2tpv3ctl() {
	mapfile -t COMPREPLY < <("${COMP_WORDS[0]}" complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F _l2tpv3ctl l2tpv3ctl
