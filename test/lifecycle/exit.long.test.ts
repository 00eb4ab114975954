import { it } from "vitest";
import { exitInTraffic } from "../support/suites/exits.js";

it.each(["tcp://127.0.0.1:*", "ipc://*"])("process.exit(), ten times, over %s", (endpoint) =>
  exitInTraffic(endpoint, 5),
);
