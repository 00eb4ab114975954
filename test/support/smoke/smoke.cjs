/**
 * One program for every runtime, module system and bundler: push/pull, req/rep, pub/sub and rpc over tcp, ipc and inproc,
 * CURVE, and a worker thread. It is handed the modules, so that whoever calls it decides how they are loaded.
 */
async function pipeline({ Push, Pull }, endpoint) {
  const [push, pull] = [new Push(), new Pull()];
  push.connect(await pull.bind(endpoint));
  const big = new Uint8Array(300_000).fill(7);
  await push.send(["hello", big]);
  const [text, body] = await pull.receive({ timeout: 10_000 });
  if (String(text) !== "hello" || body.length !== big.length || !body.every((byte) => byte === 7))
    throw new Error("push/pull changed the message");
  for (let i = 0; i < 2000; i++) await push.send(String(i));
  for (let i = 0; i < 2000; i++) {
    const [number] = await pull.receive({ timeout: 10_000 });
    if (Number(String(number)) !== i) throw new Error(`push/pull: ${number} instead of ${i}`);
  }
  await Promise.all([push.close(), pull.close()]);
}

async function requests({ Request, Reply }, endpoint) {
  const [request, reply] = [new Request(), new Reply()];
  request.connect(await reply.bind(endpoint));
  reply.on("message", (parts) => void reply.send(["re", ...parts]));
  for (let i = 0; i < 20; i++) {
    const answer = await request.request(`question ${i}`, { timeout: 10_000 });
    if (answer.map(String).join(" ") !== `re question ${i}`) throw new Error("req/rep changed the answer");
  }
  await Promise.all([request.close(), reply.close()]);
}

async function topics({ Publisher, Subscriber }, endpoint) {
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

async function calls(_, endpoint, { connect, serve }) {
  const server = await serve(endpoint, { add: (a, b) => a + b });
  const api = connect(server.endpoint);
  if ((await api.add(1, 2)) !== 3) throw new Error("rpc: 1 + 2 is not 3");
  await api.$client.close();
  await server.close();
}

async function sealed({ curveKeyPair, Pull, Push, z85Encode }, endpoint) {
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

/** A worker thread sends to us; `program` is its file, which connects a Push to `workerData`. */
async function threads({ Pull }, { program, endpoint }) {
  const { Worker } = require("node:worker_threads");
  const pull = new Pull();
  const worker = new Worker(program, { workerData: await pull.bind(endpoint) });
  const failed = new Promise((_, reject) => worker.once("error", reject));
  const [text] = await Promise.race([pull.receive({ timeout: 20_000 }), failed]);
  if (String(text) !== "from a worker") throw new Error(`a worker sent ${text}`);
  await pull.close();
}

/**
 * @param modules what "zwire" and "zwire/rpc" export
 * @param worker a worker's program, and an endpoint that it can reach; without it threads are not tried
 * @returns what was done, and the engine with the reason if it is not the native one
 */
module.exports = async function smoke({ zwire, rpc }, worker) {
  const done = [];
  const patterns = { pipeline, requests, topics, calls };
  for (const endpoint of ["tcp://127.0.0.1:*", "ipc://*", "inproc://smoke"]) {
    for (const [name, attempt] of Object.entries(patterns)) {
      await attempt(zwire, endpoint, rpc);
      done.push(`${name} ${endpoint.split(":")[0]}`);
    }
  }
  await sealed(zwire, "tcp://127.0.0.1:*");
  done.push("sealed tcp");
  if (worker !== undefined) {
    await threads(zwire, worker);
    done.push("threads");
  }
  return { event: "smoke", done, engine: zwire.engine(), why: zwire.addonError()?.message };
};
