/** Each field of the option `tls`: what is taken, what is refused, and what it does. */
import { createSecureContext } from "node:tls";
import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { Pull, Push, type TlsError, type TlsOptions } from "../../src/index.js";
import { Authority, pfxOf, selfSigned } from "../support/certificates.js";
import { managed, record, until } from "../support/helpers.js";

const authority = new Authority();
const { cert, key } = authority.issue();
const ca = authority.cert;

/** A pair whose server and client have these options, connected or about to fail. */
async function pair(server: TlsOptions, client: TlsOptions, host = "127.0.0.1") {
  const pull = managed(new Pull({ tls: { cert, key, ...server } }));
  const push = managed(new Push({ tls: { ca, ...client }, reconnectInterval: -1 }));
  const [bound, dialled] = [record(pull), record(push)];
  const endpoint = await pull.bind("tls+tcp://127.0.0.1:*");
  push.connect(endpoint.replace("127.0.0.1", host));
  return { pull, push, bound, dialled, endpoint };
}

async function accepted(server: TlsOptions, client: TlsOptions, host?: string) {
  const { pull, push } = await pair(server, client, host);
  await push.send("x", { timeout: 10_000 });
  expect(String((await pull.receive({ timeout: 10_000 }))[0])).toBe("x");
  return { server: pull.peers[0].tls, client: push.peers[0].tls };
}

async function refused(side: "bound" | "dialled", server: TlsOptions, client: TlsOptions, host?: string) {
  const made = await pair(server, client, host);
  const { error } = await made[side].next("handshake:error:tls");
  expect(made.pull.peers).toEqual([]);
  return error as TlsError;
}

describe("what is taken and refused", () => {
  it("a field that is not known is named", () => {
    expect(() => new Pull({ tls: { certificate: cert } as TlsOptions })).toThrow(
      /tls has no "certificate"; it has cert, key/,
    );
    const contexts = { "a.example": { requestCert: true } } as TlsOptions["contexts"];
    expect(() => new Pull({ tls: { contexts } })).toThrow(
      /tls\.contexts\["a\.example"\] has no "requestCert"/,
    );
  });

  it.each<[keyof TlsOptions, unknown, RegExp]>([
    ["cert", 1, /tls\.cert must be a string, Uint8Array or an array of them; got number/],
    ["key", { pem: "x" }, /tls\.key must be .*; got object/],
    ["passphrase", Buffer.from("x"), /tls\.passphrase must be a string; got object/],
    ["pfx", [], /tls\.pfx must be a string or Uint8Array; got an array/],
    ["ca", null, /tls\.ca must be .*; got null/],
    ["crl", [1], /tls\.crl must be .*; got an array/],
    ["minVersion", "SSLv3", /tls\.minVersion must be one of TLSv1\.3, TLSv1\.2/],
    ["maxVersion", 1.3, /tls\.maxVersion must be one of/],
    ["maxVersion", "TLSv1.2", /tls\.maxVersion is below tls\.minVersion \(TLSv1\.3\)/],
    ["ciphers", [], /tls\.ciphers must be a string; got an array/],
    ["ALPNProtocols", "zmtp", /tls\.ALPNProtocols must be an array of strings; got string/],
    ["ALPNProtocols", [""], /tls\.ALPNProtocols must have at least one protocol, each of 1 to 255 bytes/],
    ["requestCert", 1, /tls\.requestCert must be true or false; got number/],
    ["rejectUnauthorized", "no", /tls\.rejectUnauthorized must be true or false; got string/],
    ["servername", 1, /tls\.servername must be a string; got number/],
    ["checkServerIdentity", true, /tls\.checkServerIdentity must be a function; got boolean/],
    ["contexts", [], /tls\.contexts must be an object of certificates by server name; got an array/],
    ["SNICallback", {}, /tls\.SNICallback must be a function; got object/],
  ])("%s: %j is not", (field, value, text) => {
    expect(() => new Pull({ tls: { [field]: value } })).toThrow(text);
  });

  it.each<[string, TlsOptions, RegExp]>([
    ["no certificate at all", { cert: "no certificate", key }, /tls: .*\(ERR_/],
    ["a key of another certificate", { cert, key: selfSigned().key }, /tls: key values mismatch/],
    ["a certificate without its key", { cert }, /tls\.key is missing/],
    ["a key without its certificate", { key }, /tls\.cert is missing/],
    ["a key without its passphrase", { ...authority.issue({ passphrase: "open" }) }, /tls: /],
    [
      "a context without its key",
      { contexts: { "a.b": { cert } } },
      /tls\.contexts\["a\.b"\]\.key is missing/,
    ],
  ])("%s is EINVAL when it is set, and the old value stays", (_what, tls, text) => {
    const { cert: own, key: secret, passphrase, contexts } = tls;
    const given = JSON.parse(JSON.stringify({ cert: own, key: secret, passphrase, contexts }));
    const pull = managed(new Pull({ tls: { cert, key } }));
    let error: Error | undefined;
    try {
      pull.tls = given;
    } catch (thrown) {
      error = thrown as Error;
    }
    expect(error).toMatchObject({ code: "EINVAL" });
    expect(error?.message).toMatch(text);
    expect(inspect(error)).not.toContain("PRIVATE KEY");
    expect(pull.tls?.cert).toBe(cert);
  });

  it("a bind without a certificate is EINVAL, a connect without the option is not", async () => {
    const pull = managed(new Pull());
    await expect(pull.bind("tls+tcp://127.0.0.1:*")).rejects.toMatchObject({
      code: "EINVAL",
      message: expect.stringMatching(/needs tls\.cert and tls\.key/),
    });
    pull.tls = { ca };
    expect(() => pull.bindSync("tls+tcp://127.0.0.1:*")).toThrow(/needs tls\.cert and tls\.key/);
    managed(new Push()).connect("tls+tcp://127.0.0.1:1");
  });

  it.each(["key", "passphrase", "pfx"] as const)("%s can be read, and is not shown", (name) => {
    const secret = authority.issue({ passphrase: "open sesame" });
    const pfx = pfxOf(secret.key.includes("ENCRYPTED") ? authority.issue() : secret, "open sesame");
    const tls =
      name === "pfx" ? { pfx, passphrase: "open sesame" } : { ...pick(secret), passphrase: "open sesame" };
    const pull = managed(new Pull({ tls: { ...tls, contexts: { "a.b": tls } } }));
    expect(pull.tls?.[name]).toBe((tls as TlsOptions)[name]);
    expect(pull.tls?.contexts?.["a.b"][name]).toBe((tls as TlsOptions)[name]);
    const copy = managed(new Pull({ tls: pull.tls }));
    expect(copy.tls?.[name]).toBe((tls as TlsOptions)[name]);
    for (const shown of [
      inspect(pull, { depth: 9 }),
      inspect(pull.tls, { depth: 9 }),
      JSON.stringify(pull.tls),
    ]) {
      expect(shown).not.toContain("PRIVATE KEY");
      expect(shown).not.toContain("open sesame");
      expect(shown).not.toContain("<Buffer 30");
    }
  });
});

function pick({ cert, key }: { cert: string; key: string }): TlsOptions {
  return { cert, key };
}

describe("what each field does", () => {
  it("cert, key and ca: TLS 1.3, and both sides know", async () => {
    const { server, client } = await accepted({}, {});
    expect(client).toMatchObject({ authorized: true, protocol: "TLSv1.3", servername: undefined });
    expect(client?.certificate).toMatchObject({
      subject: { CN: "localhost", O: "Tests" },
      issuer: { CN: "Test Authority" },
      subjectAltName: expect.stringContaining("DNS:localhost"),
      fingerprint256: expect.stringMatching(/^(?:[0-9A-F]{2}:){31}[0-9A-F]{2}$/),
      validTo: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
    });
    expect(server).toMatchObject({
      authorized: false,
      authorizationError: undefined,
      certificate: undefined,
    });
  });

  it("passphrase opens a key", async () => {
    const secret = authority.issue({ passphrase: "open" });
    await accepted({ ...pick(secret), passphrase: "open" }, {});
  });

  it("pfx is certificate and key in one", async () => {
    const pfx = pfxOf(authority.issue(), "open");
    await accepted({ cert: undefined, key: undefined, pfx, passphrase: "open" }, {});
  });

  it("crl refuses a certificate that was revoked", async () => {
    const crl = authority.revoke(authority.issue());
    expect(await refused("dialled", {}, { crl })).toMatchObject({ code: "CERT_REVOKED" });
    await accepted(pick(authority.issue({ cn: "another" })), { crl });
  });

  it("minVersion and maxVersion", async () => {
    const old = { minVersion: "TLSv1.2", maxVersion: "TLSv1.2" } as const;
    const { client } = await accepted({ minVersion: "TLSv1.2" }, old);
    expect(client?.protocol).toBe("TLSv1.2");
    expect((await refused("dialled", {}, old)).message).toMatch(/see tls\.minVersion/);
    expect((await refused("bound", {}, old)).message).toMatch(/see tls\.minVersion/);
  });

  it("ciphers", async () => {
    const { client } = await accepted({ ciphers: "TLS_CHACHA20_POLY1305_SHA256" }, {});
    expect(client?.cipher).toBe("TLS_CHACHA20_POLY1305_SHA256");
    const other = { ciphers: "TLS_AES_128_GCM_SHA256" };
    expect((await refused("bound", { ciphers: "TLS_AES_256_GCM_SHA384" }, other)).message).toMatch(/cipher/);
  });

  it("ALPNProtocols", async () => {
    const { server, client } = await accepted(
      { ALPNProtocols: ["zmtp", "b"] },
      { ALPNProtocols: ["a", "b"] },
    );
    expect([server?.alpnProtocol, client?.alpnProtocol]).toEqual(["b", "b"]);
    const error = await refused("dialled", { ALPNProtocols: ["zmtp"] }, { ALPNProtocols: ["other"] });
    expect(error.message).toMatch(/see tls\.ALPNProtocols/);
  });

  it("rejectUnauthorized: false lets a client in with any server, and it knows", async () => {
    const { client } = await accepted(pick(selfSigned()), { rejectUnauthorized: false });
    expect(client).toMatchObject({ authorized: false, authorizationError: "DEPTH_ZERO_SELF_SIGNED_CERT" });
    expect(client?.certificate?.subject).toEqual({ CN: "localhost" });
  });

  it("servername is what the client asks for and what the certificate must name; else it is the host", async () => {
    const named = authority.issue({ cn: "a", names: "DNS:a.example" });
    const { server } = await accepted(pick(named), { servername: "a.example" });
    expect(server?.servername).toBe("a.example");
    expect((await accepted({}, {}, "localhost")).server?.servername).toBe("localhost");
    expect(await refused("dialled", {}, { servername: "a.example" })).toMatchObject({
      code: "ERR_TLS_CERT_ALTNAME_INVALID",
    });
  });

  it("checkServerIdentity decides in place of node:tls", async () => {
    const asked: string[] = [];
    const other = pick(authority.issue({ names: "DNS:else.example" }));
    await accepted(other, {
      checkServerIdentity: (host, { subject }) => {
        asked.push(`${host} ${subject.CN}`);
        return undefined;
      },
    });
    expect(asked).toEqual(["127.0.0.1 localhost"]);
    const error = await refused("dialled", {}, { checkServerIdentity: () => new Error("not this one") });
    expect(error.message).toMatch(
      /the server's certificate is refused: not this one: "CN=localhost, O=Tests"/,
    );
  });

  it("contexts chooses by server name, with wildcards; SNICallback is asked for other names", async () => {
    const one = authority.issue({ cn: "one", names: "DNS:one.example" });
    const wild = authority.issue({ cn: "wild", names: "DNS:*.wild.example" });
    const called = authority.issue({ cn: "called", names: "DNS:called.example" });
    const server: TlsOptions = {
      contexts: { "One.example": pick(one), "*.wild.example": pick(wild) },
      SNICallback: (name, callback) => {
        callback(
          null,
          name === "called.example" ? createSecureContext({ cert: called.cert, key: called.key }) : undefined,
        );
      },
    };
    for (const [servername, cn] of [
      ["one.example", "one"],
      ["x.wild.example", "wild"],
      ["called.example", "called"],
      ["localhost", "localhost"],
    ]) {
      const { client } = await accepted(server, { servername });
      expect(client?.certificate?.subject.CN, servername).toBe(cn);
    }
    const bare = { cert: undefined, key: undefined, contexts: { "one.example": pick(one) } };
    await accepted(bare, { servername: "one.example" });
    expect((await refused("bound", bare, {})).message).toMatch(/no TLS handshake/);
  });

  it("an error of SNICallback ends the handshake", async () => {
    const SNICallback: TlsOptions["SNICallback"] = (_name, callback) => callback(new Error("no such name"));
    expect((await refused("bound", { SNICallback }, {}, "localhost")).message).toMatch(/no such name/);
  });
});

describe("a new value", () => {
  it("acts on the next connections of a bound socket; those that exist stay", async () => {
    const first = authority.issue({ cn: "first" });
    const pull = managed(new Pull({ tls: pick(first) }));
    const endpoint = await pull.bind("tls+tcp://127.0.0.1:*");
    const before = managed(new Push({ tls: { ca } }));
    before.connect(endpoint);
    await before.connected({ timeout: 10_000 });
    pull.tls = pick(authority.issue({ cn: "second" }));
    const after = managed(new Push({ tls: { ca } }));
    after.connect(endpoint);
    await after.connected({ timeout: 10_000 });
    expect(before.peers[0].tls?.certificate?.subject.CN).toBe("first");
    expect(after.peers[0].tls?.certificate?.subject.CN).toBe("second");
    await before.send("still here");
    expect(String((await pull.receive({ timeout: 10_000 }))[0])).toBe("still here");
    pull.tls = null; // a bound endpoint needs a certificate: it keeps the last one
    const last = managed(new Push({ tls: { ca } }));
    last.connect(endpoint);
    await last.connected({ timeout: 10_000 });
    expect(last.peers[0].tls?.certificate?.subject.CN).toBe("second");
  });

  it("acts on the next attempt of a connected socket", async () => {
    const pull = managed(new Pull({ tls: { cert, key } }));
    const push = managed(new Push({ tls: {} }));
    const seen = record(push);
    push.connect(await pull.bind("tls+tcp://127.0.0.1:*"));
    await seen.next("handshake:error:tls");
    push.tls = { ca };
    await push.send("x", { timeout: 20_000 });
    expect(String((await pull.receive({ timeout: 10_000 }))[0])).toBe("x");
  });

  it("what it refuses it does not change, while the socket is bound", async () => {
    const pull = managed(new Pull({ tls: { cert, key } }));
    const endpoint = await pull.bind("tls+tcp://127.0.0.1:*");
    expect(() => {
      pull.tls = { cert, key: "nonsense" };
    }).toThrow(/tls: /);
    const push = managed(new Push({ tls: { ca } }));
    push.connect(endpoint);
    await until(() => pull.peers.length === 1, "it is let in");
  });
});
