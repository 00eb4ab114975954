/**
 * One program for every runtime: push/pull, req/rep, pub/sub and rpc over tcp, ipc and inproc, and CURVE. Prints one JSON line.
 * The argument is the URL of zwire's dist folder.
 */
const dist = process.argv[2];
const { curveKeyPair, Publisher, Pull, Push, Reply, Request, Subscriber, z85Encode } = await import(
  `${dist}/index.js`
);

async function pipeline(endpoint) {
  const [push, pull] = [new Push(), new Pull()];
  push.connect(await pull.bind(endpoint));
  const big = new Uint8Array(300_000).fill(7);
  await push.send(["hello", big]);
  const [text, body] = await pull.receive({ timeout: 10_000 });
  if (String(text) !== "hello" || body.length !== big.length || !body.every((octet) => octet === 7))
    throw new Error("push/pull changed the message");
  for (let i = 0; i < 2000; i++) await push.send(String(i));
  for (let i = 0; i < 2000; i++) {
    const [number] = await pull.receive({ timeout: 10_000 });
    if (Number(String(number)) !== i) throw new Error(`push/pull: ${number} instead of ${i}`);
  }
  await Promise.all([push.close(), pull.close()]);
}

async function requests(endpoint) {
  const [request, reply] = [new Request(), new Reply()];
  request.connect(await reply.bind(endpoint));
  reply.on("message", (parts) => void reply.send(["re", ...parts]));
  for (let i = 0; i < 20; i++) {
    const answer = await request.request(`question ${i}`, { timeout: 10_000 });
    if (answer.map(String).join(" ") !== `re question ${i}`) throw new Error("req/rep changed the answer");
  }
  await Promise.all([request.close(), reply.close()]);
}

async function topics(endpoint) {
  const [publisher, subscriber] = [new Publisher(), new Subscriber()];
  subscriber.subscribe("yes.");
  subscriber.connect(await publisher.bind(endpoint));
  await publisher.waitForSubscribers(1, { timeout: 10_000 });
  await publisher.send(["no.1", "a"]);
  await publisher.send(["yes.1", "b"]);
  const [topic] = await subscriber.receive({ timeout: 10_000 });
  if (String(topic) !== "yes.1") throw new Error(`pub/sub: got ${topic}`);
  await Promise.all([publisher.close(), subscriber.close()]);
}

async function calls(endpoint) {
  const { connect, serve } = await import(`${dist}/rpc.js`);
  const server = await serve(endpoint, { add: (a, b) => a + b });
  const api = connect(server.endpoint);
  if ((await api.add(1, 2)) !== 3) throw new Error("rpc: 1 + 2 is not 3");
  await api.$client.close();
  await server.close();
}

async function sealed(endpoint) {
  const [server, client] = [curveKeyPair(), curveKeyPair()];
  const pull = new Pull({
    security: { mechanism: "curve", server: true, secretKey: server.secretKey },
    authenticate: ({ publicKey }) => z85Encode(publicKey) === client.publicKey,
  });
  const push = new Push({ security: { mechanism: "curve", serverKey: server.publicKey, ...client } });
  push.connect(await pull.bind(endpoint));
  await push.send(["secret", new Uint8Array(100_000)]);
  const [text, body] = await pull.receive({ timeout: 20_000 });
  if (String(text) !== "secret" || body.length !== 100_000) throw new Error("curve changed the message");
  await Promise.all([push.close(), pull.close()]);
}

const done = [];
for (const endpoint of ["tcp://127.0.0.1:*", "ipc://*", "inproc://smoke"]) {
  for (const one of [pipeline, requests, topics, calls]) {
    await one(endpoint);
    done.push(`${one.name} ${endpoint.split(":")[0]}`);
  }
}
await sealed("tcp://127.0.0.1:*");
done.push("sealed tcp");
const probe = new Pull();
console.log(JSON.stringify({ event: "smoke", done, engine: probe.engine }));
await probe.close();
