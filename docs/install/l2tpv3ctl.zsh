#compdef l2tpv3ctl
# zsh completion of l2tpv3ctl, which knows its own grammar
local -a candidates
candidates=("${(@f)$("${words[1]}" complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)}")
if [[ -n "${candidates[1]}" ]]; then
	compadd -a candidates
else
	_files
fi
