/**
 * Who is let in over tls+tcp, and what both sides tell when somebody is not: certificates of every wrong kind, client certificates,
 * and strangers that do not speak TLS, do not end its handshake, or say nothing. Good peers are served beside them.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, type Socket as NetSocket, connect as netConnect } from "node:net";
import { createServer } from "node:tls";
import { describe, expect, it, onTestFinished } from "vitest";
import { Pull, Push, Reply, Request, TlsError, type TlsOptions } from "../../src/index.js";
import { Authority, type Identity, selfSigned } from "../support/certificates.js";
import { type AnyEvent, managed, rawListen, record, turns, until } from "../support/helpers.js";

const authority = new Authority();
const { cert, key } = authority.issue();
const tls = { cert, key, ca: authority.cert };
const ANY = "tls+tcp://127.0.0.1:*";

const pick = ({ cert, key }: Identity): TlsOptions => ({ cert, key });
const portOf = (endpoint: string): number => Number(/:(\d+)$/.exec(endpoint)?.[1]);

/** A server and a client that will not come together, and what each tells. */
async function refusal(server: TlsOptions, client: TlsOptions) {
  const pull = managed(new Pull({ tls: server }));
  const push = managed(new Push({ tls: client, reconnectInterval: -1 }));
  const [bound, dialled] = [record(pull), record(push)];
  push.connect(await pull.bind(ANY));
  const told = await Promise.all([bound, dialled].map((events) => events.next("handshake:error:tls")));
  for (const events of [bound, dialled]) {
    expect(events.of("handshake:error:")).toHaveLength(1);
    expect(events.of("handshake").concat(events.of("disconnect"))).toEqual([]);
  }
  for (const { error } of told) expect(error).toBeInstanceOf(TlsError);
  return told.map(({ error }) => error as TlsError);
}

/** A good peer gets through. */
async function served(pull: Pull, endpoint: string, client: TlsOptions = tls): Promise<void> {
  const push = managed(new Push({ tls: client }));
  push.connect(endpoint);
  await push.send("good", { timeout: 20_000 });
  expect(String((await pull.receive({ timeout: 20_000 }))[0])).toBe("good");
  await push.close();
}

describe("a server's certificate that a client refuses: both sides say whose and why", () => {
  const other = new Authority("Other Authority");
  it.each<[string, Identity, string, RegExp]>([
    ["expired", authority.issue({ days: -1 }), "CERT_HAS_EXPIRED", /it has expired/],
    ["self-signed", selfSigned(), "DEPTH_ZERO_SELF_SIGNED_CERT", /it is self-signed/],
    ["of another authority", other.issue(), "UNABLE_TO_VERIFY_LEAF_SIGNATURE", /does not have its issuer/],
    [
      "for another host",
      authority.issue({ names: "DNS:else.example" }),
      "ERR_TLS_CERT_ALTNAME_INVALID",
      /IP: 127\.0\.0\.1 is not in the cert's list/,
    ],
  ])("%s", async (_what, identity, code, reason) => {
    const [bound, dialled] = await refusal(pick(identity), { ca: authority.cert });
    expect(dialled.code).toBe(code);
    expect(dialled.message).toMatch(/^the server's certificate is refused: /);
    expect(dialled.message).toMatch(reason);
    expect(dialled.message).toMatch(/"CN=localhost.*", issued by "CN=.*", valid from \d{4}-.*Z to \d{4}-/);
    expect(dialled.certificate?.subject.CN).toBe("localhost");
    expect(bound.code).toBe("PEER_CLOSED_AFTER_TLS");
    expect(bound.message).toMatch(/it may have refused our certificate \("CN=localhost/);
    expect(bound.certificate?.fingerprint256).toBe(dialled.certificate?.fingerprint256);
  });

  it("nothing of ours goes to a server that was not verified", async () => {
    const server = createServer({ ...selfSigned() });
    let bytes = 0;
    const ended = new Promise((resolve) =>
      server.on("secureConnection", (socket) => {
        socket.on("error", () => {});
        socket.on("data", (chunk) => {
          bytes += chunk.length;
        });
        socket.on("close", resolve);
        socket.write("ff00000000000000017f"); // it does not wait for a greeting of ours
      }),
    );
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => void server.close());
    const request = managed(new Request({ tls: { ca: authority.cert }, reconnectInterval: -1 }));
    const events = record(request);
    request.connect(`tls+tcp://127.0.0.1:${(server.address() as AddressInfo).port}`);
    await events.next("handshake:error:tls");
    await ended;
    expect(bytes).toBe(0);
  });

  it("it is tried again slowly, and comes through when the certificate is renewed", async () => {
    const pull = managed(new Pull({ tls: pick(authority.issue({ days: -1 })) }));
    const push = managed(new Push({ tls: { ca: authority.cert }, reconnectInterval: 10 }));
    const events = record(push);
    push.connect(await pull.bind(ANY));
    const { interval } = await events.next("connect:retry");
    expect(interval).toBeGreaterThanOrEqual(1000);
    pull.tls = tls;
    await push.send("x", { timeout: 20_000 });
    expect(String((await pull.receive({ timeout: 20_000 }))[0])).toBe("x");
  });
});

describe("client certificates", () => {
  const asks = { ...tls, requestCert: true };
  it.each<[string, TlsOptions, string, RegExp, RegExp]>([
    [
      "none",
      { ca: authority.cert },
      "ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE",
      /the client sent no certificate, and tls\.requestCert asks for one/,
      /\(it was sent none\)/,
    ],
    [
      "an expired one",
      { ca: authority.cert, ...pick(authority.issue({ cn: "late", days: -1 })) },
      "CERT_HAS_EXPIRED",
      /the client's certificate is refused: it has expired: "CN=late/,
      /it may have refused our certificate \("CN=late/,
    ],
    [
      "a self-signed one",
      { ca: authority.cert, ...pick(selfSigned()) },
      "DEPTH_ZERO_SELF_SIGNED_CERT",
      /it is self-signed/,
      /it may have refused our certificate/,
    ],
  ])("%s is refused with requestCert", async (_what, client, code, bound, dialled) => {
    const [server, other] = await refusal(asks, client);
    expect(server.code).toBe(code);
    expect(server.message).toMatch(bound);
    expect(other.code).toBe("PEER_CLOSED_AFTER_TLS");
    expect(other.message).toMatch(/^the server left when the TLS handshake was complete/);
    expect(other.message).toMatch(dialled);
  });

  it("a good one is let in; its names are with the peer, in events and in authenticate", async () => {
    const asked: unknown[] = [];
    const pull = managed(
      new Pull({
        tls: asks,
        authenticate: ({ mechanism, address, tls: over }) => {
          asked.push([mechanism, address, over?.authorized, over?.certificate?.subject, over?.servername]);
          return over?.certificate?.subject.CN === "alice" ? "alice" : false;
        },
      }),
    );
    const events = record(pull);
    const endpoint = await pull.bind(ANY);
    await served(pull, endpoint, { ca: authority.cert, ...pick(authority.issue({ cn: "alice" })) });
    const { peer } = await events.next("handshake");
    expect(peer).toMatchObject({
      tls: { authorized: true, certificate: { subject: { CN: "alice", O: "Tests" } } },
    });
    expect(String(peer?.metadata.get("User-Id"))).toBe("alice");
    const bob = managed(new Push({ tls: { ca: authority.cert, ...pick(authority.issue({ cn: "bob" })) } }));
    bob.connect(endpoint);
    const { error } = await events.next("handshake:error:auth");
    expect(error?.code).toBe("authentication-denied");
    expect(asked.map(String)).toEqual(
      ["alice", "bob"].map((cn) => String(["NULL", "127.0.0.1", true, { CN: cn, O: "Tests" }, undefined])),
    );
  });

  it("one of contexts asks for them, too, with the same authorities", async () => {
    const named = authority.issue({ cn: "named", names: "DNS:named.example" });
    const pull = managed(new Pull({ tls: { ...asks, contexts: { "named.example": pick(named) } } }));
    const events = record(pull);
    const endpoint = await pull.bind(ANY);
    const client = { ca: authority.cert, servername: "named.example" };
    await served(pull, endpoint, { ...client, ...pick(authority.issue({ cn: "alice" })) });
    managed(new Push({ tls: client })).connect(endpoint);
    const { error } = await events.next("handshake:error:tls");
    expect(error?.code).toBe("ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE");
  });

  it("rejectUnauthorized: false leaves the decision to authenticate", async () => {
    const pull = managed(
      new Pull({
        tls: { ...asks, rejectUnauthorized: false },
        authenticate: ({ tls: over }) => over?.authorizationError === "DEPTH_ZERO_SELF_SIGNED_CERT",
      }),
    );
    const events = record(pull);
    const endpoint = await pull.bind(ANY);
    await served(pull, endpoint, { ca: authority.cert, ...pick(selfSigned()) });
    managed(new Push({ tls: { ca: authority.cert } })).connect(endpoint);
    await events.next("handshake:error:auth");
    expect(events.of("handshake")).toHaveLength(1);
  });

  it("without requestCert nobody is asked, and nobody is authorized", async () => {
    const pull = managed(new Pull({ tls }));
    const push = managed(new Push({ tls: { ...tls, ...pick(authority.issue({ cn: "alice" })) } }));
    push.connect(await pull.bind(ANY));
    await pull.connected({ timeout: 10_000 });
    expect(pull.peers[0].tls).toMatchObject({ authorized: false, certificate: undefined });
  });
});

/** openssl s_client, which speaks TLS and knows no ZMTP. */
function stranger(endpoint: string, ...words: string[]): ChildProcess {
  const where = `127.0.0.1:${portOf(endpoint)}`;
  const child = spawn("openssl", ["s_client", "-connect", where, "-quiet", ...words], {
    stdio: ["pipe", "ignore", "ignore"],
  });
  child.stdin?.on("error", () => {});
  onTestFinished(() => void child.kill("SIGKILL"));
  return child;
}

function dial(endpoint: string): NetSocket {
  const socket = netConnect(portOf(endpoint), "127.0.0.1");
  socket.on("error", () => {});
  socket.resume();
  onTestFinished(() => void socket.destroy());
  return socket;
}

/** The first bytes of a good handshake, as openssl sends them. */
async function clientHello(): Promise<Buffer> {
  const listener = await rawListen();
  const child = stranger(listener.endpoint);
  const peer = await listener.accept();
  const hello = await peer.read(5);
  const body = await peer.read(hello.readUInt16BE(3));
  child.kill("SIGKILL");
  return Buffer.concat([hello, body]);
}

describe("strangers", () => {
  it("openssl s_client that sends garbage inside TLS breaks the protocol", async () => {
    const pull = managed(new Pull({ tls }));
    const events = record(pull);
    const endpoint = await pull.bind(ANY);
    stranger(endpoint).stdin?.write(`GET / HTTP/1.1\r\nHost: ${"x".repeat(200)}\r\n\r\n`);
    await events.next("handshake:error:protocol");
    await served(pull, endpoint);
  });

  it("one that says nothing inside TLS, and one that leaves", async () => {
    const pull = managed(new Pull({ tls, handshakeInterval: 300 }));
    const events = record(pull);
    const endpoint = await pull.bind(ANY);
    stranger(endpoint);
    const late = await events.next("handshake:error:other");
    expect(late.error?.message).toMatch(/no complete handshake within 300 ms/);
    const patient = managed(new Pull({ tls }));
    const other = record(patient);
    const leaves = spawn("openssl", ["s_client", "-connect", `127.0.0.1:${portOf(await patient.bind(ANY))}`]);
    onTestFinished(() => void leaves.kill("SIGKILL"));
    let said = "";
    leaves.stdout.on("data", (chunk) => (said += chunk));
    await until(() => said.includes("SSL handshake has read"), "TLS to be complete");
    leaves.kill("SIGTERM");
    const { error } = await other.next("handshake:error:tls");
    expect(["PEER_CLOSED_AFTER_TLS", "ECONNRESET"]).toContain(error?.code);
    await served(pull, endpoint);
  });

  it("openssl that verifies sends an alert, and its reason is told", async () => {
    const pull = managed(new Pull({ tls: pick(authority.issue({ days: -1 })) }));
    const events = record(pull);
    stranger(await pull.bind(ANY), "-verify_return_error", "-CAfile", authority.certFile);
    const { error } = await events.next("handshake:error:tls");
    expect(error?.message).toMatch(/alert certificate expired \(our certificate has expired\)/);
  });

  it.each<[string, (hello: Buffer) => Buffer]>([
    ["garbage", () => Buffer.alloc(100, 0x20)],
    ["HTTP", () => Buffer.from("GET / HTTP/1.1\r\n\r\n")],
    [
      "a plain ZMTP greeting",
      () => Buffer.concat([Buffer.from("ff00000000000000017f0301", "hex"), Buffer.alloc(52)]),
    ],
    ["a record that is too long", () => Buffer.from("160301ffff01", "hex")],
    ["a message that is no ClientHello", (hello) => flipped(hello)],
  ])("%s instead of a handshake is told, and the connection closed", async (_what, bytes) => {
    const pull = managed(new Pull({ tls }));
    const events = record(pull);
    const endpoint = await pull.bind(ANY);
    const socket = dial(endpoint);
    socket.write(bytes(await clientHello()));
    await once(socket, "close");
    const { error, address } = await events.next("handshake:error:tls");
    expect(error?.message).toMatch(/^no TLS handshake: /);
    expect(address).toMatch(/^tls\+tcp:\/\/127\.0\.0\.1:\d+$/);
    await served(pull, endpoint);
  });

  it.each([
    ["nothing", 0],
    ["a byte", 1],
    ["half a ClientHello", 100],
    ["a ClientHello, and no more", 1000],
  ])("%s for ever ends with handshakeInterval", async (_what, bytes) => {
    const pull = managed(new Pull({ tls, handshakeInterval: 300 }));
    const events = record(pull);
    const endpoint = await pull.bind(ANY);
    const socket = dial(endpoint);
    socket.write((await clientHello()).subarray(0, bytes));
    await served(pull, endpoint);
    await until(() => socket.destroyed, "it is closed");
    const { error } = await events.next("handshake:error:other");
    expect(error?.message).toMatch(/no complete handshake within 300 ms/);
  });

  it("a ClientHello, one byte at a time, is a good one", async () => {
    const pull = managed(new Pull({ tls }));
    const endpoint = await pull.bind(ANY);
    const socket = dial(endpoint);
    socket.setNoDelay(true);
    let answered = 0;
    socket.on("data", (chunk) => {
      answered += chunk.length;
    });
    for (const byte of await clientHello()) {
      socket.write(Buffer.of(byte));
      await turns(1);
    }
    await until(() => answered > 500, "the server's half of the handshake");
  });

  it("half a handshake that ends is told", async () => {
    const pull = managed(new Pull({ tls }));
    const events = record(pull);
    const endpoint = await pull.bind(ANY);
    const socket = dial(endpoint);
    socket.write(await clientHello());
    await once(socket, "data");
    socket.destroy();
    const { error } = await events.next("handshake:error:tls");
    expect(error).toMatchObject({ code: "ECONNRESET" });
    expect(error?.message).toMatch(/closed the connection in the TLS handshake/);
  });

  it("500 silent connections are bounded, and good peers served beside them", async () => {
    const pull = managed(new Pull({ tls, backlog: 600, maxHandshakes: 100, handshakeInterval: 2000 }));
    const events = record(pull);
    const endpoint = await pull.bind(ANY);
    const hello = await clientHello();
    const sockets = Array.from({ length: 500 }, (_, n) => {
      const socket = dial(endpoint);
      if (n % 2 === 0) socket.write(hello.subarray(0, n));
      return socket;
    });
    await until(() => events.of("limit").length > 0, "the limit is told");
    expect(events.of("limit")[0]).toMatchObject({ limit: "maxHandshakes" });
    expect(events.of("limit")[0].address).toMatch(/^tls\+tcp:/);
    await served(pull, endpoint);
    await until(() => sockets.every((socket) => socket.destroyed), "all are closed");
    expect(pull.peers).toEqual([]);
  });

  it("maxConnectionsPerAddress counts addresses of tls+tcp, too", async () => {
    const pull = managed(new Pull({ tls, maxConnectionsPerAddress: 2 }));
    const events = record(pull);
    const endpoint = await pull.bind(ANY);
    for (let i = 0; i < 3; i++) dial(endpoint);
    const told: AnyEvent = await events.next("limit");
    expect(told).toMatchObject({ limit: "maxConnectionsPerAddress", action: "refused", value: 3 });
  });
});

function flipped(hello: Buffer): Buffer {
  hello[5] ^= 0x40; // the type of the message
  return hello;
}

describe("a side without TLS", () => {
  it("a plain client on a tls+tcp port: both sides tell", async () => {
    const pull = managed(new Pull({ tls }));
    const push = managed(new Push({ reconnectInterval: -1 }));
    const [bound, dialled] = [record(pull), record(push)];
    push.connect((await pull.bind(ANY)).replace("tls+", ""));
    expect((await bound.next("handshake:error:tls")).error?.message).toMatch(/is not TLS/);
    await until(() => dialled.of("handshake:error:").length > 0, "the client tells");
  });

  it("a tls+tcp client on a plain port: both sides tell", async () => {
    const reply = managed(new Reply());
    const request = managed(new Request({ tls, reconnectInterval: -1 }));
    const [bound, dialled] = [record(reply), record(request)];
    request.connect((await reply.bind("tcp://127.0.0.1:*")).replace("tcp:", "tls+tcp:"));
    const { error } = await dialled.next("handshake:error:tls");
    expect(error?.message).toMatch(/is not TLS/);
    await bound.next("handshake:error:protocol");
  });

  it("a server that accepts and says nothing ends with handshakeInterval", async () => {
    const listener = await rawListen();
    const push = managed(new Push({ tls, handshakeInterval: 200, reconnectInterval: -1 }));
    const events = record(push);
    push.connect(listener.endpoint.replace("tcp:", "tls+tcp:"));
    const { error } = await events.next("handshake:error:other");
    expect(error?.message).toMatch(/no complete handshake within 200 ms/);
  });
});
