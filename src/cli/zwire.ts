#!/usr/bin/env node
/**
 * The program behind the command `zwire` of the package.
 */
import { main } from "./main.js";

process.exitCode = await main(process.argv.slice(2), {
  out: (text) => process.stdout.write(text),
  error: (text) => process.stderr.write(text),
});
