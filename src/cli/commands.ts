/**
 * The commands of `zwire`. A new one is a row here and a file in commands/.
 */
import type { CommandEntry } from "./command.js";

export const COMMANDS: readonly CommandEntry[] = [
  {
    name: "keygen",
    summary: "make a pair of CURVE keys",
    load: async () => (await import("./commands/keygen.js")).keygen,
  },
];
