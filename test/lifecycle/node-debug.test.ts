/** What an environment variable tells of a whole process: NODE_DEBUG=zwire; and `addonError`, which says why. */
import { expect, it } from "vitest";
import { addonError, engine } from "../../src/index.js";
import { startChild } from "../support/child.js";

const forced = process.env.ZWIRE_ENGINE as "native" | "portable";
const ADDRESS = String.raw`tcp://127\.0\.0\.1:\d+`;

it("NODE_DEBUG=zwire prints engine, connections, faults and retries, and nothing secret", async () => {
  const { code, stdout, stderr } = await startChild("traced.mjs", [], [], { NODE_DEBUG: "zwire" }).ended;
  expect({ code, stderr }).toMatchObject({ code: 0 });
  expect(JSON.parse(stdout)).toMatchObject({ answer: "done" });

  const lines = stderr.trimEnd().split("\n");
  expect(lines.filter((line) => !/^ZWIRE \d+: \S/.test(line))).toEqual([]);
  const said = lines.map((line) => line.replace(/^ZWIRE \d+: /, ""));
  const why =
    forced === "native" ? "the addon is loaded" : "ZWIRE_ENGINE=portable asks for the portable engine";
  expect(said.filter((line) => line.startsWith("engine "))).toEqual([`engine ${forced}: ${why}`]);

  const { bound, nobody } = JSON.parse(stdout);
  const at = (text: string): RegExp => new RegExp(`^${text.replaceAll("ADDRESS", ADDRESS)}$`);
  for (const expected of [
    at(`PULL#1 bind ${bound}`),
    at(`PUSH#2 connect ${bound}`),
    at(`PULL#1 accept ADDRESS at ${bound}`),
    at(`PULL#1 handshake ADDRESS at ${bound} \\(PUSH\\)`),
    at("PULL#1 limit .*maxConnections 2 refused"),
    at(`PULL#1 disconnect ADDRESS at ${bound} \\(PUSH\\).*`),
    at(`PUSH#2 close ${bound} \\(PULL\\)`),
    at("PUSH#2 end"),
    at(`PULL#1 handshake:error:protocol ADDRESS at ${bound} - not-zmtp: .*`),
    at("DEALER#3 handshake:error:other ipc://.* - authentication-failed"),
    at(`PUSH#6 connect:retry ${nobody} in \\d+ ms - ECONNREFUSED: .*`),
    at("rpc call of wait is sent again: its server was lost"),
  ])
    expect(said).toContainEqual(expect.stringMatching(expected));
  expect(stderr).not.toContain("hush");
});

it("without NODE_DEBUG nothing is printed", async () => {
  const { code, stderr } = await startChild("traced.mjs", [], [], { NODE_DEBUG: "http" }).ended;
  expect({ code, stderr: stderr.replace(/^HTTP .*\n/gm, "") }).toEqual({ code: 0, stderr: "" });
});

it("addonError says why the engine is the portable one, and is undefined for the native one", () => {
  expect(engine()).toBe(forced);
  const error = addonError();
  if (forced === "native") return expect(error).toBeUndefined();
  expect(error).toBeInstanceOf(Error);
  expect(error?.message).toBe("ZWIRE_ENGINE=portable asks for the portable engine");
});
