#!/usr/bin/env node
/**
 * The program of the command `zwire-rpc`.
 */
import { processOutput } from "./output.js";
import { main } from "./rpc/main.js";

process.exitCode = await main(process.argv.slice(2), processOutput());
