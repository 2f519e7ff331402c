/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/complete_script.c - the completion scripts of the three shells.
 *
 * They hold no knowledge of the commands: each hands the words to the program's hidden --completion-bash and does what
 * its exit code says (complete.h). '@' stands for the program's name.
 */
#include <string.h>

#include "cli/complete.h"

static const char bash_script[] =
    "# bash completion for @; load with: source <(@ completion bash)\n"
    "_@_complete() {\n"
    "    local line status words=() i\n"
    "    COMPREPLY=()\n"
    "    # bash splits words at '=' and ':'; put them together again\n"
    "    local cur=\"${COMP_LINE:0:COMP_POINT}\" raw\n"
    "    read -r -a raw <<< \"$cur\"\n"
    "    [[ \"$cur\" == *[[:space:]] ]] && raw+=(\"\")\n"
    "    words=(\"${raw[@]:1}\")\n"
    "    local typed=\"${words[${#words[@]}-1]}\" out\n"
    "    out=\"$(\"${raw[0]}\" --completion-bash \"${words[@]}\" 2>/dev/null)\"\n"
    "    status=$?\n"
    "    case $status in\n"
    "    10) compopt -o default 2>/dev/null; return ;;\n"
    "    11)\n"
    "        for ((i = 1; i < COMP_CWORD; i++)); do\n"
    "            if [[ \"${COMP_WORDS[i]}\" == -- ]]; then\n"
    "                if declare -F _command_offset >/dev/null; then\n"
    "                    _command_offset $((i + 1))\n"
    "                elif ((COMP_CWORD == i + 1)); then\n"
    "                    COMPREPLY=($(compgen -c -- \"${COMP_WORDS[COMP_CWORD]}\"))\n"
    "                else\n"
    "                    compopt -o default 2>/dev/null\n"
    "                fi\n"
    "                return\n"
    "            fi\n"
    "        done\n"
    "        return ;;\n"
    "    esac\n"
    "    # what stands before the last '=' or ':' is not part of bash's word\n"
    "    local prefix=\"\"\n"
    "    if [[ \"$typed\" == *:* && \"$COMP_WORDBREAKS\" == *:* ]]; then prefix=\"${typed%\"${typed##*:}\"}\"; fi\n"
    "    while IFS= read -r line; do\n"
    "        [[ -n \"$line\" ]] && COMPREPLY+=(\"${line#\"$prefix\"}\")\n"
    "    done <<< \"$out\"\n"
    "}\n"
    "complete -F _@_complete @\n";

static const char zsh_script[] =
    "#compdef @\n"
    "# zsh completion for @; load with: source <(@ completion zsh)\n"
    "_@() {\n"
    "    local out code i\n"
    "    local -a candidates\n"
    "    out=\"$(\"${words[1]}\" --completion-bash \"${(@)words[2,CURRENT]}\" 2>/dev/null)\"\n"
    "    code=$?\n"
    "    case $code in\n"
    "    10) _files; return ;;\n"
    "    11)\n"
    "        i=${words[(i)--]}\n"
    "        shift $i words\n"
    "        (( CURRENT -= i ))\n"
    "        _normal\n"
    "        return ;;\n"
    "    esac\n"
    "    candidates=(${(f)out})\n"
    "    if [[ \"${words[CURRENT]}\" == --*=* ]]; then compset -P 1 '*='; fi\n"
    "    compadd -- \"${candidates[@]}\"\n"
    "}\n"
    "if [[ \"$funcstack[1]\" == _@ ]]; then _@ \"$@\"; else compdef _@ @; fi\n";

static const char fish_script[] =
    "# fish completion for @; load with: @ completion fish | source\n"
    "function __@_complete\n"
    "    set -l words (commandline -opc) (commandline -ct)\n"
    "    set -l out ($words[1] --completion-bash $words[2..-1] 2>/dev/null)\n"
    "    set -l code $status\n"
    "    set -l typed (commandline -ct)\n"
    "    switch $code\n"
    "        case 10\n"
    "            __fish_complete_path (string replace -r '^--[^=]*=' '' -- $typed)\n"
    "        case 11\n"
    "            set -l i (contains -i -- -- $words)\n"
    "            set -l rest $words[(math $i + 1)..-1]\n"
    "            complete -C (string join ' ' -- (string escape -- $rest[1..-2]) $rest[-1])\n"
    "        case 0\n"
    "            set -l prefix (string match -r '^--[^=]*=' -- $typed)\n"
    "            for candidate in $out\n"
    "                printf '%s%s\\n' \"$prefix\" $candidate\n"
    "            end\n"
    "    end\n"
    "end\n"
    "complete -c @ -f -a '(__@_complete)'\n";

void sn_complete_script(struct sn_buf *out, const char *program, const char *shell)
{
    const char *script = strcmp(shell, "zsh") == 0    ? zsh_script
                         : strcmp(shell, "fish") == 0 ? fish_script
                                                      : bash_script;

    for (; *script != '\0'; script++) {
        /* "$@" and "[@]" and "(@)" belong to the shells */
        bool is_shell = *script == '@' && (script[-1] == '$' || script[-1] == '[' || script[-1] == '(') &&
                        (script[1] == '"' || script[1] == ']' || script[1] == ')' || script[1] == ':');
        if (*script == '@' && !is_shell) {
            sn_buf_add_str(out, program);
        } else {
            sn_buf_add_byte(out, *script);
        }
    }
}
