/**
 * Garbage: a socket that is bound or connected is never collected, however little refers to it; one that is not in
 * use is.
 */
import { expect, it } from "vitest";
import { startChild } from "../support/child.js";

it.each(["tcp", "ipc", "inproc"])(
  "over %s, sockets in use stay and unused ones go, with their places in the context (S17)",
  async (scheme) => {
    const child = startChild("garbage.mjs", [scheme], ["--expose-gc"]);
    const { code, signal, stderr } = await child.ended;
    expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: "" });
    expect(child.lines).toEqual([
      {
        there: [
          "bound",
          "connected to somebody",
          "connected to nobody",
          "bound and received from",
          "listened to",
        ],
      },
      { places: 0, others: true },
    ]);
  },
);
