/**
 * Clients of libzmq at servers of ours, whose application decides: by a ZAP handler, or by `authenticate`; keys made by
 * either library.
 */
import { describe, expect, it } from "vitest";
import * as zmq from "zeromq";
import { Context, curveKeyPair, Pull, type PullOptions, Reply, z85Encode } from "../../src/index.js";
import { foreign } from "../support/foreign.js";
import { managed, record, TRANSPORTS, texts } from "../support/helpers.js";

const SOON = { timeout: 10_000 };
const SERVER = zmq.curveKeyPair();
const CLIENTS = { "made by libzmq": zmq.curveKeyPair(), "made by us": curveKeyPair() };
const WIRES = TRANSPORTS.filter(({ name }) => name !== "inproc");

/** Lets in who says "right", and the keys given; the user id is the name, or the key. */
async function zapHandler(context: Context, keys: readonly string[]): Promise<void> {
  const handler = managed(new Reply({ context }));
  await handler.bind("inproc://zeromq.zap.01");
  void (async () => {
    for await (const [version, id, , , , mechanism, ...credentials] of handler) {
      const plain = String(mechanism) === "PLAIN";
      const user = plain ? String(credentials[0]) : z85Encode(credentials[0]);
      const known = plain ? String(credentials[1]) === "right" : keys.includes(user);
      await handler.send([version, id, known ? "200" : "400", "", known ? user : "", ""]);
    }
  })();
}

const curve = ({ publicKey, secretKey }: { publicKey: string; secretKey: string }) => ({
  curvePublicKey: publicKey,
  curveSecretKey: secretKey,
  curveServerKey: SERVER.publicKey,
});

async function expectLetIn(pull: Pull, client: object, userId: string, endpoint: string): Promise<void> {
  const theirs = foreign(new zmq.Push(client));
  theirs.connect(endpoint);
  await theirs.send(["hello", userId]);
  expect(texts(await pull.receive(SOON))).toEqual(["hello", userId]);
  expect(pull.peers.map(({ metadata }) => metadata.get("User-Id")?.toString())).toEqual([userId]);
}

/** libzmq's client is told the status. */
async function expectRefused(pull: Pull, client: object, endpoint: string): Promise<void> {
  const theirs = foreign(new zmq.Push({ ...client, linger: 0 }));
  const told = new Promise<{ error: { status: number } }>((resolve) => {
    theirs.events.on("handshake:error:auth", resolve as never);
  });
  const events = record(pull);
  theirs.connect(endpoint);
  expect((await events.next("handshake:error:auth")).error).toMatchObject({ code: "authentication-denied" });
  if (!("plainUsername" in client)) expect((await told).error.status).toBe(400); // O7: it knows only its own misspelling
}

describe.each(WIRES)("libzmq's clients over $name", ({ endpoint }) => {
  const server = async (options: PullOptions): Promise<[Pull, string]> => {
    const pull = managed(new Pull(options));
    return [pull, await pull.bind(endpoint())];
  };

  it("PLAIN, decided by a ZAP handler (O2, Q7, Q9)", async () => {
    const context = new Context();
    await zapHandler(context, []);
    const [pull, at] = await server({ context, plainServer: true });
    await expectRefused(pull, { plainUsername: "bob", plainPassword: "wrong" }, at);
    await expectLetIn(pull, { plainUsername: "ann", plainPassword: "right" }, "ann", at);
  });

  it.each(Object.entries(CLIENTS))(
    "CURVE, decided by a ZAP handler, keys %s (P6, Q3, Q7, Q9)",
    async (_made, keys) => {
      const context = new Context();
      await zapHandler(context, [keys.publicKey]);
      const security = { mechanism: "curve", server: true, ...SERVER, domain: "test" } as const;
      const [pull, at] = await server({ context, security });
      await expectRefused(pull, curve(zmq.curveKeyPair()), at);
      await expectLetIn(pull, curve(keys), keys.publicKey, at);
    },
  );

  it("CURVE, decided by authenticate (P6, Q7, Q9)", async () => {
    const known = CLIENTS["made by libzmq"];
    const [pull, at] = await server({
      security: { mechanism: "curve", server: true, secretKey: SERVER.secretKey },
      authenticate: (request) => {
        const key = request.mechanism === "CURVE" ? z85Encode(request.publicKey) : "";
        return key === known.publicKey && key;
      },
    });
    await expectRefused(pull, curve(zmq.curveKeyPair()), at);
    await expectLetIn(pull, curve(known), known.publicKey, at);
  });
});
