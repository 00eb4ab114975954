// Readers that run beside writers: a Request keeps its turn by waiting, `writable` tells whether a send would wait, and
// a limited queue slows its writer down.

/** @param {typeof import("zeromq")} zmq @param {(line: string) => void} print */
export default async function (zmq, print) {
  const request = new zmq.Request();
  const reply = new zmq.Reply();
  await reply.bind("tcp://127.0.0.1:*");
  /** @type {string[]} */
  const answers = [];
  const reading = (async () => {
    for await (const [text] of request) {
      answers.push(text.toString());
      if (answers.length === 4) return;
    }
  })();
  const serving = (async () => {
    for await (const parts of reply) await reply.send(["re", ...parts].join(" "));
  })();
  request.connect(reply.lastEndpoint ?? "");
  for (const word of ["a", "b", "c", "d"]) await request.send(word);
  await reading;
  print(answers.join(", "));
  request.close();
  reply.close();
  await serving;

  const push = new zmq.Push({ sendHighWaterMark: 2, linger: 0 });
  print(`writable alone ${push.writable}`);
  const pull = new zmq.Pull({ receiveHighWaterMark: 2 });
  await pull.bind("inproc://limited");
  push.connect("inproc://limited");
  let sent = 0;
  const writing = (async () => {
    for (let i = 0; i < 50; i++) {
      await push.send(`${i}`);
      sent++;
    }
  })();
  while (push.writable || !pull.readable) await new Promise((resolve) => setImmediate(resolve));
  print(`held back ${sent < 50}, writable ${push.writable}, readable ${pull.readable}`);
  const seen = [];
  for await (const [text] of pull) {
    seen.push(text.toString());
    if (seen.length === 50) break;
  }
  await writing;
  print(`${seen.join("")} ${pull.readable}`);
  push.close();
  pull.close();
}
