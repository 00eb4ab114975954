// A ZAP handler, a PLAIN and a CURVE server that it guards, and clients that it knows and does not know.

/** @param {typeof import("zeromq")} zmq @param {(line: string) => void} print */
export default async function (zmq, print) {
  const [serverKeys, friend, stranger] = [zmq.curveKeyPair(), zmq.curveKeyPair(), zmq.curveKeyPair()];
  /** @type {Buffer | undefined} */
  let firstKey;
  /** @param {Buffer} key */
  const isFriend = (key) => {
    firstKey ??= Buffer.from(key);
    return firstKey.equals(key);
  };
  const handler = new zmq.Reply();
  await handler.bind("inproc://zeromq.zap.01");
  const serving = (async () => {
    for await (const [version, id, domain, address, , mechanism, ...credentials] of handler) {
      const plain = String(mechanism) === "PLAIN";
      const [user, password] = credentials.map(String);
      const known = plain
        ? `${user}:${password}` === "ann:word"
        : credentials[0].length === 32 && isFriend(credentials[0]);
      print(`asked: ${version} ${domain} ${address} ${mechanism}${plain ? ` ${user}` : ""}: ${known}`);
      await handler.send([
        version,
        id,
        known ? "200" : "400",
        known ? "OK" : "who are you?",
        known ? "someone" : "",
        "",
      ]);
    }
  })();
  /** @param {import("zeromq").Pull} server @param {[string, import("zeromq").Push, boolean][]} clients */
  const talk = async (server, clients) => {
    await server.bind("tcp://127.0.0.1:*");
    print(`${server.securityMechanism} ${server.plainServer} ${server.curveServer}`);
    for (const [name, client, welcome] of clients) {
      const events = client.events;
      client.connect(server.lastEndpoint ?? "");
      if (welcome) {
        await client.send(`hello from ${name}`);
        print(String(await server.receive()));
      } else {
        for await (const event of events) {
          if (event.type !== "handshake:error:auth" && event.type !== "handshake:error:protocol") continue;
          const { message, status } = /** @type {Error & { status?: number }} */ (event.error);
          print(`${name}: ${event.type} ${message} ${status}`);
          break;
        }
      }
      client.close();
    }
    server.close();
  };
  const curve = { curveServerKey: serverKeys.publicKey };
  /** @param {{ publicKey: string, secretKey: string }} keys */
  const pair = ({ publicKey, secretKey }) => ({ curvePublicKey: publicKey, curveSecretKey: secretKey });
  await talk(new zmq.Pull({ plainServer: true, zapDomain: "global" }), [
    ["ann", new zmq.Push({ plainUsername: "ann", plainPassword: "word", linger: 0 }), true],
  ]);
  await talk(new zmq.Pull({ curveServer: true, curveSecretKey: serverKeys.secretKey, zapDomain: "global" }), [
    ["friend", new zmq.Push({ ...curve, ...pair(friend), linger: 0 }), true],
    ["stranger", new zmq.Push({ ...curve, ...pair(stranger), linger: 0, reconnectInterval: -1 }), false],
  ]);
  handler.close();
  await serving;
  print(`curve ${zmq.capability.curve}`);
}
