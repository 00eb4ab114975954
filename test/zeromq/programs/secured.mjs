// A ZAP handler, a PLAIN and a CURVE server that it guards, and clients that it knows and does not know.

/** @param {typeof import("zeromq")} zmq @param {(line: string) => void} print */
export default async function (zmq, print) {
  const [serverKeys, friend, stranger] = [zmq.curveKeyPair(), zmq.curveKeyPair(), zmq.curveKeyPair()];

  /** The first key that comes is a friend's. @type {Buffer | undefined} */
  let known;
  /** @param {string} mechanism @param {Buffer[]} credentials */
  const judge = (mechanism, credentials) => {
    if (mechanism === "PLAIN") return credentials.map(String).join(":") === "ann:word";
    known ??= Buffer.from(credentials[0]);
    return credentials[0].length === 32 && known.equals(credentials[0]);
  };
  const handler = new zmq.Reply();
  await handler.bind("inproc://zeromq.zap.01");
  const serving = (async () => {
    for await (const [version, id, domain, address, , mechanism, ...credentials] of handler) {
      const welcome = judge(String(mechanism), credentials);
      const user = String(mechanism) === "PLAIN" ? ` ${credentials[0]}` : "";
      print(`asked: ${version} ${domain} ${address} ${mechanism}${user}: ${welcome}`);
      const answer = welcome ? ["200", "OK", "someone"] : ["400", "who are you?", ""];
      await handler.send([version, id, ...answer, ""]);
    }
  })();

  /** @param {import("zeromq").Pull} server */
  const open = async (server) => {
    await server.bind("tcp://127.0.0.1:*");
    print(`${server.securityMechanism} ${server.plainServer} ${server.curveServer} ${server.zapDomain}`);
    return server;
  };
  /** @param {import("zeromq").Pull} server @param {import("zeromq").Push} client @param {string} text */
  const talk = async (server, client, text) => {
    client.connect(server.lastEndpoint ?? "");
    await client.send(text);
    print(String(await server.receive()));
    client.close();
  };

  const plain = await open(new zmq.Pull({ plainServer: true, zapDomain: "global" }));
  await talk(
    plain,
    new zmq.Push({ plainUsername: "ann", plainPassword: "word", linger: 0 }),
    "hello from ann",
  );
  plain.close();

  const curve = await open(
    new zmq.Pull({ curveServer: true, curveSecretKey: serverKeys.secretKey, zapDomain: "global" }),
  );
  /** @param {{ publicKey: string; secretKey: string }} keys */
  const client = ({ publicKey, secretKey }) =>
    new zmq.Push({
      curveServerKey: serverKeys.publicKey,
      curvePublicKey: publicKey,
      curveSecretKey: secretKey,
      linger: 0,
      reconnectInterval: -1,
    });
  await talk(curve, client(friend), "hello from a friend");
  const refused = client(stranger);
  const { events } = refused;
  refused.connect(curve.lastEndpoint ?? "");
  for await (const event of events) {
    if (event.type !== "handshake:error:auth") continue;
    print(`stranger: ${event.type} ${event.error.message} ${event.error.status}`);
    break;
  }
  refused.close();
  curve.close();
  handler.close();
  await serving;
  print(`curve ${zmq.capability.curve}`);
}
