/**
 * Options are read for every message: their objects must be what V8 reads fast, all of one shape. Asks V8 itself.
 */
import { setFlagsFromString } from "node:v8";
import { expect, it } from "vitest";
import { coreOf } from "../../src/api/socket.js";
import { Pull, Push } from "../../src/index.js";
import { defaultOptions } from "../../src/options/values.js";

setFlagsFromString("--allow-natives-syntax");
const isFast = new Function("object", "return %HasFastProperties(object)") as (object: object) => boolean;
const sameShape = new Function("a", "b", "return %HaveSameMap(a, b)") as (a: object, b: object) => boolean;

it("options are no hash table, and those of all sockets have one shape", () => {
  const push = new Push({
    sendHighWaterMark: 5,
    security: { mechanism: "plain", username: "u", password: "p" },
  });
  const pull = new Pull({ receiveTimeout: 5, tcpAcceptFilter: ["10.0.0.0/8"] });
  for (const values of [
    defaultOptions(),
    coreOf(push).options,
    coreOf(pull).options,
    { ...coreOf(push).options },
  ]) {
    expect(isFast(values)).toBe(true);
  }
  expect(sameShape(coreOf(push).options, coreOf(pull).options)).toBe(true);
  // Many, because V8 gives the first few of what it cannot share a common shape all the same.
  for (let i = 0; i < 300; i++) expect(sameShape(coreOf(push).options, defaultOptions())).toBe(true);
  const table: Record<string, number> = {};
  for (let i = 0; i < 90; i++) table[`x${i}`] = i;
  expect(isFast(table)).toBe(false); // so it can tell
});
