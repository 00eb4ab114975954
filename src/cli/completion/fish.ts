/** The completion script for fish. */
import type { CommandModel, Completes, OptionModel } from "./model.js";

function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, "\\$&")}'`;
}

function action(completes: Completes): string {
  if (completes === "files") return "-r -F";
  if (completes === "folders") return `-x -a '(__fish_complete_directories)'`;
  return completes === "nothing" ? "-x" : `-x -a ${quoted(completes.join(" "))}`;
}

function option(condition: string, { name, short, help, value }: OptionModel): string {
  const letter = short === undefined ? "" : ` -s ${short}`;
  const rest = value === undefined ? "" : ` ${action(value.completes)}`;
  return `complete -c zwire -n ${condition} -l ${name}${letter}${rest} -d ${quoted(help)}\n`;
}

function command({ name, summary, options, arguments: { completes } }: CommandModel): string {
  const condition = quoted(`__fish_seen_subcommand_from ${name}`);
  const lines = options.map((one) => option(condition, one));
  if (completes === "files" || completes === "folders")
    lines.push(`complete -c zwire -n ${condition} ${completes === "files" ? "-F" : action(completes)}\n`);
  else if (completes !== "nothing")
    lines.push(`complete -c zwire -n ${condition} -a ${quoted(completes.join(" "))}\n`);
  return `complete -c zwire -n __fish_use_subcommand -a ${name} -d ${quoted(summary)}\n${lines.join("")}`;
}

/** @param more words beside the commands, in the first place */
export function fishScript(commands: readonly CommandModel[], more: readonly string[]): string {
  const others = quoted(more.join(" "));
  return `# zwire in fish: zwire completion fish | source, for example in ~/.config/fish/config.fish
complete -c zwire -f
complete -c zwire -n __fish_use_subcommand -a ${others}
${commands.map(command).join("")}`;
}
