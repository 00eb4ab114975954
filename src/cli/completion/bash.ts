/** The completion script for bash, 3.2 and later. */
import { type CommandModel, type Completes, quoted, wordsOf } from "./model.js";

function action(completes: Completes): string {
  if (completes === "files") return "_zwire_paths -f";
  if (completes === "folders") return "_zwire_paths -d";
  return completes === "nothing" ? ":" : `_zwire_words ${quoted(completes.join(" "))}`;
}

function values({ name, options }: CommandModel): string {
  return options
    .filter((one) => one.value !== undefined)
    .map((one) => {
      const cases = wordsOf(one).map((word) => `${name}:${word}`);
      return `    ${cases.join("|")}) ${action(one.value?.completes ?? "nothing")}; return ;;\n`;
    })
    .join("");
}

/** @param more words beside the commands, in the first place */
export function bashScript(commands: readonly CommandModel[], more: readonly string[]): string {
  const names = [...commands.map(({ name }) => name), ...more].join(" ");
  const options = commands.map(
    (one) => `    ${one.name}) _zwire_words ${quoted(one.options.flatMap(wordsOf).join(" "))} ;;\n`,
  );
  const positionals = commands.map((one) => `    ${one.name}) ${action(one.arguments.completes)} ;;\n`);
  return `# zwire in bash: eval "$(zwire completion bash)", for example in ~/.bashrc
_zwire_words() {
  COMPREPLY=($(compgen -W "$1" -- "$cur"))
  # name= wants a value, without a space.
  case "\${COMPREPLY[0]}" in *=) compopt -o nospace 2>/dev/null ;; esac
}
_zwire_paths() {
  local IFS=$'\\n'
  COMPREPLY=($(compgen "$1" -- "$cur"))
  compopt -o filenames 2>/dev/null
}
_zwire() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} command=\${COMP_WORDS[1]}
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    _zwire_words ${quoted(names)}
    return
  fi
  if [ "$command" = help ]; then
    _zwire_words ${quoted(commands.map(({ name }) => name).join(" "))}
    return
  fi
  # bash makes three words of --name=value.
  if [ "$cur" = "=" ]; then
    cur=
  elif [ "$prev" = "=" ]; then
    prev=\${COMP_WORDS[COMP_CWORD-2]}
  fi
  case "$command:$prev" in
${commands.map(values).join("")}  esac
  case "$cur" in -*)
    case "$command" in
${options.join("")}    esac
    return ;;
  esac
  case "$command" in
${positionals.join("")}  esac
}
complete -F _zwire zwire
`;
}
