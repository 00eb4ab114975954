/** `zwire completion`: a script with which a shell completes commands, options and their values. */
import { type Command, type CommandEntry, command } from "../command.js";
import { bashScript } from "../completion/bash.js";
import { fishScript } from "../completion/fish.js";
import { modelOf } from "../completion/model.js";
import { zshScript } from "../completion/zsh.js";
import { EXIT } from "../errors.js";
import { oneOf } from "../options.js";

const SHELLS = { bash: bashScript, zsh: zshScript, fish: fishScript } as const;
const names = Object.keys(SHELLS) as (keyof typeof SHELLS)[];
const shell = oneOf(...names);

/** What may stand in the place of a command. */
const MORE = ["help", "--help", "--version"];

/** @param entries all commands, this one too */
export function completion(entries: readonly CommandEntry[]): Command {
  return command({
    synopsis: `zwire completion ${names.join("|")}`,
    about: "Prints a script with which the shell completes commands, options and what their values may be.",
    options: {},
    positionals: { shown: "shell", least: 1, most: 1, completes: () => names },
    examples: [
      [`eval "$(zwire completion bash)"`, "completes in this bash; in ~/.bashrc in all of them"],
      ["source <(zwire completion zsh)", "in zsh, behind compinit in ~/.zshrc"],
      ["zwire completion fish | source", "in fish"],
    ],
    async run({ positionals: [name] }, output) {
      output.out(SHELLS[shell.read(name, "The shell")](await modelOf(entries), MORE));
      return EXIT.ok;
    },
  });
}
