/** An authenticator made of a function: what its answers mean, and that whatever goes wrong lets nobody in. */
import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { systemRuntime } from "../../../src/base/runtime.js";
import type { AuthenticationRequest } from "../../../src/security/authenticator.js";
import { type Authenticate, CallbackAuthenticator } from "../../../src/security/callback.js";

const REQUEST: AuthenticationRequest = {
  mechanism: "PLAIN",
  username: "admin",
  password: "pa55word",
  domain: "d",
  address: "127.0.0.1",
  endpoint: "tcp://127.0.0.1:5",
  routingId: new Uint8Array(0),
  metadata: new Map(),
};

function ask(authenticate: Authenticate, { timeoutMs = 0, signal = new AbortController().signal } = {}) {
  return new CallbackAuthenticator(authenticate, timeoutMs, systemRuntime.loop).authenticate(REQUEST, signal);
}

const accepted = (userId: string, text = "OK") => ({ status: 200, text, userId, metadata: new Map() });

describe("what an answer means", () => {
  it("a text lets in and is the user id, true lets in without one (Q7)", async () => {
    expect(await ask(() => "ann")).toEqual(accepted("ann"));
    expect(await ask(async () => "ann")).toEqual(accepted("ann"));
    expect(await ask(() => true)).toEqual(accepted(""));
  });

  it.each([false, null, undefined])("%s refuses with 400 (Q9)", async (answer) => {
    expect(await ask(() => answer)).toMatchObject({ status: 400, userId: "" });
    expect(await ask(async () => answer)).toMatchObject({ status: 400, userId: "" });
  });

  it.each([300, 400, 500] as const)("an object refuses with its status %i (Q8, Q9)", async (status) => {
    expect(await ask(() => ({ status, text: "why" }))).toEqual({ ...accepted("", "why"), status });
  });

  it("an object lets in with user id and metadata (Q7)", async () => {
    const metadata = { Role: "admin", "X-n": Buffer.from([1]) };
    const found = new Map([
      ["Role", Buffer.from("admin")],
      ["X-n", Buffer.from([1])],
    ]);
    expect(await ask(() => ({ status: 200, userId: "u", metadata }))).toEqual({
      ...accepted("u", ""),
      metadata: found,
    });
    expect(await ask(() => ({ status: 200, metadata: found }))).toEqual({
      ...accepted("", ""),
      metadata: found,
    });
  });

  it.each([
    "",
    "u".repeat(256),
    5,
    {},
    [],
    () => true,
    Symbol("s"),
    { userId: "u" },
    { status: 201 },
    { status: "200" },
    { status: 200, userId: "" },
    { status: 200, userId: 5 },
    { status: 200, text: 5 },
    { status: 200, metadata: [] },
    { status: 200, metadata: { "": "x" } },
    { status: 200, metadata: { a: 5 } },
    { status: 400, userId: "u" },
    { status: 400, metadata: {} },
  ])("an answer that is none, %o, lets nobody in", async (answer) => {
    await expect(ask(() => answer as never)).rejects.toThrow();
  });
});

describe("what goes wrong", () => {
  it("a throw and a rejection refuse, with the reason", async () => {
    const fault = new Error("database is down");
    const throwing = () => {
      throw fault;
    };
    await expect(ask(throwing)).rejects.toBe(fault);
    await expect(ask(async () => throwing())).rejects.toBe(fault);
  });

  it("an answer that comes too late refuses, and the function is told (Q12)", async () => {
    let told: unknown;
    const never: Authenticate = (_request, signal) => {
      signal.addEventListener("abort", () => (told = signal.reason));
      return new Promise(() => {});
    };
    await expect(ask(never, { timeoutMs: 5 })).rejects.toThrow("authenticate gave no answer within 5 ms");
    expect(told).toBeInstanceOf(Error);
  });

  it("a rejection behind the time limit goes to nobody", async () => {
    let fail: (error: Error) => void = () => {};
    const late = new Promise<string>((_, reject) => (fail = reject));
    await expect(ask(() => late, { timeoutMs: 5 })).rejects.toThrow("no answer");
    fail(new Error("late")); // an unhandled rejection would fail the test
    await new Promise((resolve) => setImmediate(resolve));
  });

  it("a connection that has gone ends the question, and asks none that has not begun (Q12)", async () => {
    const gone = new AbortController();
    const asked = ask(() => new Promise(() => {}), { signal: gone.signal, timeoutMs: 10_000 });
    gone.abort(new Error("gone"));
    await expect(asked).rejects.toThrow("gone");
    let calls = 0;
    await expect(ask(() => `${++calls}`, { signal: gone.signal })).rejects.toThrow("gone");
    expect(calls).toBe(0);
  });
});

it("the request can be read whole, not changed, and shows no password", async () => {
  let seen: AuthenticationRequest | undefined;
  await ask((request) => {
    seen = request;
    return true;
  });
  expect(seen).toMatchObject({ mechanism: "PLAIN", username: "admin", domain: "d", address: "127.0.0.1" });
  expect((seen as { password?: string }).password).toBe("pa55word");
  expect(inspect(seen) + JSON.stringify(seen)).not.toContain("pa55word");
  expect(Object.isFrozen(seen)).toBe(true);
});
