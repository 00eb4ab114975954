/** The completion script for zsh. */
import { type CommandModel, type Completes, type OptionModel, quoted } from "./model.js";

/** Text in a description, where brackets and colons end something. */
function plain(text: string): string {
  return text.replace(/[[\]:\\]/g, "\\$&");
}

function action(completes: Completes): string {
  if (completes === "files") return "_files";
  if (completes === "folders") return "_files -/";
  return completes === "nothing" ? " " : `(${completes.join(" ")})`;
}

function option({ name, short, many, help, value }: OptionModel): string {
  const rest = value === undefined ? "" : `:${plain(value.shown)}:${action(value.completes)}`;
  // What ends with = wants more behind it.
  const text = `[${plain(help)}]${rest}`;
  const longName = value === undefined ? `--${name}` : `--${name}=`;
  if (short === undefined) return quoted(`${many ? "*" : ""}${longName}${text}`);
  const names = `{-${short}${value === undefined ? "" : "+"},${longName}}`;
  const before = many ? "*" : `(-${short} --${name})`;
  return `${quoted(before)}${names}${quoted(text)}`;
}

function command(one: CommandModel): string {
  const { shown, completes } = one.arguments;
  // A message that an argument is wanted would keep zsh from completing an option in its place.
  const argument = completes === "nothing" ? "()" : action(completes);
  const rows = [...one.options.map(option), quoted(`*:${plain(shown)}:${argument}`)];
  return `    ${one.name})\n      _arguments -s \\\n        ${rows.join(" \\\n        ")} ;;\n`;
}

/** @param more words beside the commands, in the first place */
export function zshScript(commands: readonly CommandModel[], more: readonly string[]): string {
  const named = commands.map(({ name, summary }) => `    ${quoted(`${name}:${plain(summary)}`)}\n`);
  return `#compdef zwire
# zwire in zsh: source <(zwire completion zsh), behind compinit in ~/.zshrc; or as a file _zwire in a folder of fpath
_zwire() {
  local -a commands
  commands=(
${named.join("")}  )
  if (( CURRENT == 2 )); then
    _describe command commands
    compadd -- ${more.join(" ")}
    return
  fi
  shift words
  (( CURRENT-- ))
  case $words[1] in
    help) _describe command commands ;;
${commands.map(command).join("")}  esac
}
# A file in fpath is run when it is needed, and this one has to be told.
if [ "$funcstack[1]" = "_zwire" ]; then _zwire "$@"; else compdef _zwire zwire; fi
`;
}
