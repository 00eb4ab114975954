// Everything that can be a part of a message, and what comes out on the other side; large and empty ones too.

/** @param {typeof import("zeromq")} zmq @param {(line: string) => void} print */
export default async function (zmq, print) {
  const push = new zmq.Push();
  const pull = new zmq.Pull();
  await pull.bind("tcp://127.0.0.1:*");
  push.connect(pull.lastEndpoint ?? "");
  const show = (/** @type {Buffer[]} */ parts) => parts.map((part) => `<${part.toString("hex")}>`).join(" ");

  await push.send(null);
  print(show(await pull.receive()));
  await push.send([null, "", Buffer.alloc(0), new Uint8Array(0)]);
  print(show(await pull.receive()));
  await push.send(["æøå", 42, -1.5]);
  print((await pull.receive()).join("|"));
  await push.send([
    new Uint8Array([1, 2, 3]).subarray(1),
    new Uint16Array([0x0201]),
    new Uint8Array([9]).buffer,
  ]);
  print(show(await pull.receive()));
  await push.send(Buffer.from([0, 255, 128]));
  const [octets] = await pull.receive();
  print(`${octets instanceof Buffer} ${octets.equals(Buffer.from([0, 255, 128]))}`);

  for (const size of [1, 255, 256, 65_535, 65_536, 3_000_000]) {
    const sent = Buffer.alloc(size, size % 251);
    await push.send([sent, `${size}`]);
    const [body, label] = await pull.receive();
    print(`${label}: ${body.length} ${body.equals(sent)}`);
  }
  await push.send(Array.from({ length: 300 }, (_, i) => `${i}`));
  const many = await pull.receive();
  print(`${many.length} parts, the last is ${many[299]}`);
  push.close();
  pull.close();
}
