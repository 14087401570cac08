# The bash script completes commands and options.
eval "$(modnet completion bash)"
COMP_WORDS=(modnet cap) COMP_CWORD=1; _modnet; echo "${COMPREPLY[@]}"
COMP_WORDS=(modnet capabilities --thr) COMP_CWORD=2; _modnet; echo "${COMPREPLY[@]}"
modnet completion fish
