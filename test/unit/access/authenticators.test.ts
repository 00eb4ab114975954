import { unlinkSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import {
  Authenticator,
  authenticators,
  keyDirectory,
  writeCertificate,
  z85Decode,
} from "../../../src/index.js";
import type { AuthenticationRequest } from "../../../src/security/authenticator.js";
import type { Authenticate } from "../../../src/security/callback.js";
import { keyWatchOf } from "../../../src/security/key-watch.js";
import { ANN, ask, BOB, entry, key, nobody, SERVER, user } from "../../support/authentication.js";
import { temporaryDirectory } from "../../support/helpers.js";

let folder: string;
beforeEach(() => {
  folder = temporaryDirectory();
});

describe("addresses", () => {
  it.each([
    [["127.0.0.1"], "127.0.0.1", true],
    [["127.0.0.1"], "127.0.0.2", false],
    [["10.0.0.0/8", "192.168.1.0/24"], "192.168.1.77", true],
    [["10.0.0.0/8", "192.168.1.0/24"], "192.168.2.77", false],
    [["10.0.0.0/8"], "::ffff:10.1.2.3", true],
    [["fe80::/10"], "fe80::1%eth0", true],
    [["::1"], "127.0.0.1", false],
    [["127.0.0.1"], "localhost", false],
    [["localhost"], "localhost", true],
    [["localhost"], "localhost:1000:1000:4711", true],
    [["localhost"], "127.0.0.1", false],
    [["0.0.0.0/0"], "localhost", false],
  ])("%j and %s: %s", async (addresses, address, inside) => {
    expect(await entry(authenticators.allow(...addresses), nobody({ address }))).toBe(
      inside ? "" : undefined,
    );
    expect(await entry(authenticators.deny(...addresses), nobody({ address }))).toBe(inside ? undefined : "");
  });

  it.each([[["example.org"]], [["10.0.0.0/33"]], [[""]], [["127.0.0.1:80"]]])("%j is none", (addresses) => {
    expect(() => authenticators.allow(...addresses)).toThrow(RangeError);
    expect(() => authenticators.deny("127.0.0.1", ...addresses)).toThrow(RangeError);
    expect(() => new Authenticator().allow(...addresses)).toThrow(RangeError);
  });

  it("none at all, and no text, are refused", () => {
    expect(() => authenticators.allow()).toThrow(TypeError);
    expect(() => authenticators.deny(5 as never)).toThrow("address must be a string; got number");
  });
});

describe("keys", () => {
  it("of a list", async () => {
    const curve = authenticators.curve([ANN.publicKey, z85Decode(BOB.publicKey)]);
    for (const { publicKey } of [ANN, BOB]) expect(await entry(curve, key(publicKey))).toBe(publicKey);
    expect(await entry(curve, key(SERVER.publicKey))).toBeUndefined();
    for (const other of [nobody(), user("a", "b")]) expect(await entry(curve, other)).toBeUndefined();
    for (const wrong of ["x", 5, null, ["x"], [5]])
      expect(() => authenticators.curve(wrong as never)).toThrow();
  });
});

describe("together", () => {
  const yes =
    (userId: string, metadata = {}) =>
    () =>
      ({ status: 200, userId, metadata }) as const;
  const no = (status: 300 | 400 | 500) => () => ({ status, text: `${status}` }) as const;

  it("all: the first refusal, or the last user id and all metadata", async () => {
    expect(
      await ask(
        authenticators.all(
          () => true,
          yes("ann", { a: "1" }),
          yes("bob", { b: "2" }),
          () => true,
        ),
        nobody(),
      ),
    ).toEqual({
      status: 200,
      text: "OK",
      userId: "bob",
      metadata: new Map([
        ["a", Buffer.from("1")],
        ["b", Buffer.from("2")],
      ]),
    });
    let asked = 0;
    const late = () => void asked++;
    expect(
      await ask(
        authenticators.all(() => true, no(300), late, no(500)),
        nobody(),
      ),
    ).toEqual({ status: 300, text: "300" });
    expect(
      await ask(
        authenticators.all(() => false, late),
        nobody(),
      ),
    ).toMatchObject({ status: 400 });
    expect(asked).toBe(0);
    expect(
      await entry(
        authenticators.all(() => true),
        nobody(),
      ),
    ).toBe("");
  });

  it("any: the first that lets in, or the last refusal", async () => {
    expect(await entry(authenticators.any(no(500), yes("ann"), yes("bob")), nobody())).toBe("ann");
    expect(await ask(authenticators.any(no(300), no(500)), nobody())).toEqual({ status: 500, text: "500" });
  });

  it("one that throws, or answers nonsense, lets nobody in", async () => {
    const fails = () => Promise.reject(new Error("broken"));
    for (const both of [authenticators.all, authenticators.any]) {
      await expect(
        ask(
          both(fails, () => true),
          nobody(),
        ),
      ).rejects.toThrow("broken");
      await expect(
        ask(
          both((() => 5) as never, () => true),
          nobody(),
        ),
      ).rejects.toThrow(TypeError);
      for (const wrong of [null, 5, {}, "x"]) expect(() => both(wrong as never)).toThrow(TypeError);
      expect(() => both()).toThrow(TypeError);
    }
  });

  it("a key that is gone passes by none that needs it", async () => {
    for (const [name, { publicKey }] of [
      ["ann", ANN],
      ["bob", BOB],
    ] as const)
      await writeCertificate(join(folder, `${name}.key`), { publicKey });
    const keys = await keyDirectory(folder, { watch: false, checkInterval: 0 });
    onTestFinished(() => keys.close());
    const other = authenticators.curve([BOB.publicKey]);
    const passes = (authenticate: Authenticate, { publicKey }: { publicKey: string }) =>
      keyWatchOf(authenticate)?.passes(z85Decode(publicKey), "");
    const all = authenticators.all(authenticators.allow("127.0.0.1"), keys);
    const any = authenticators.any(keys, other);
    const twice = authenticators.any(keys, keys);
    const passwords = authenticators.any(authenticators.plain({ ann: "a" }), keys);
    const nested = authenticators.any(keys, authenticators.all(authenticators.allow("127.0.0.1"), other));
    // These do not say whom they let in.
    const address = authenticators.any(keys, authenticators.allow("127.0.0.1"));
    const own = authenticators.any(keys, () => true);
    unlinkSync(join(folder, "ann.key"));
    await keys.reload();
    const each = [all, any, twice, other, passwords, nested, address, own];
    expect(each.map((one) => passes(one, ANN))).toEqual([...Array(6).fill(false), true, true]);
    expect(each.map((one) => passes(one, BOB))).toEqual(Array(8).fill(true));
  });
});

describe("an Authenticator", () => {
  it("knows nothing at first: NULL comes in, PLAIN and CURVE do not", async () => {
    const { authenticate } = new Authenticator();
    expect(await entry(authenticate, nobody())).toBe("");
    expect(await entry(authenticate, user("ann", "a"))).toBeUndefined();
    expect(await entry(authenticate, key(ANN.publicKey))).toBeUndefined();
  });

  it("addresses come first, and are of one kind", async () => {
    const auth = new Authenticator().allow("127.0.0.1").allow("10.0.0.0/8");
    await auth.configurePlain("*", { ann: "a" });
    expect(await entry(auth.authenticate, user("ann", "a", { address: "10.1.1.1" }))).toBe("ann");
    expect(await entry(auth.authenticate, user("ann", "a", { address: "11.1.1.1" }))).toBeUndefined();
    expect(await entry(auth.authenticate, user("ann", "b"))).toBeUndefined();
    expect(() => auth.deny("1.2.3.4")).toThrow("deny() contradicts allow()");
    const denying = new Authenticator().deny("10.0.0.0/8");
    expect(await entry(denying.authenticate, nobody({ address: "10.1.1.1" }))).toBeUndefined();
    expect(await entry(denying.authenticate, nobody())).toBe("");
    expect(() => denying.allow("1.2.3.4")).toThrow("allow() contradicts deny()");
  });

  it("a domain has its own users and keys, or those of all", async () => {
    const auth = new Authenticator();
    await auth.configurePlain("*", { ann: "a" });
    await auth.configurePlain("inner", { bob: "b" });
    await auth.configureCurve("*", [ANN.publicKey]);
    await auth.configureCurve("open", "*");
    const by = (request: AuthenticationRequest) => entry(auth.authenticate, request);
    expect(await by(user("ann", "a"))).toBe("ann");
    expect(await by(user("ann", "a", { domain: "outer" }))).toBe("ann");
    expect(await by(user("ann", "a", { domain: "inner" }))).toBeUndefined();
    expect(await by(user("bob", "b", { domain: "inner" }))).toBe("bob");
    expect(await by(key(ANN.publicKey))).toBe(ANN.publicKey);
    expect(await by(key(BOB.publicKey))).toBeUndefined();
    expect(await by(key(BOB.publicKey, { domain: "open" }))).toBe(BOB.publicKey);
    const passes = (publicKey: string, domain: string) =>
      keyWatchOf(auth.authenticate)!.passes(z85Decode(publicKey), domain);
    expect([passes(ANN.publicKey, ""), passes(BOB.publicKey, ""), passes(BOB.publicKey, "open")]).toEqual([
      true,
      false,
      true,
    ]);
  });

  it("wrong arguments", async () => {
    const auth = new Authenticator();
    await expect(auth.configurePlain(5 as never, {})).rejects.toThrow("domain must be a string");
    await expect(auth.configurePlain("*", 5 as never)).rejects.toThrow(TypeError);
    await expect(auth.configureCurve("*", 5 as never)).rejects.toThrow(TypeError);
    await expect(auth.configureCurve("*", join(folder, "none"))).rejects.toMatchObject({ code: "ENOENT" });
    await expect(auth.start({ contexts: 1 } as never)).rejects.toThrow('unknown option "contexts"');
    await expect(auth.start({ context: 1 } as never)).rejects.toThrow("context");
  });
});
