// Two halves of one program, exactly one to one, over inproc; the name may be connected to before it is bound.

/** @param {typeof import("zeromq")} zmq @param {(line: string) => void} print */
export default async function (zmq, print) {
  const left = new zmq.Pair();
  left.connect("inproc://halves");
  const right = new zmq.Pair();
  await right.bind("inproc://halves");
  print(`endpoints ${left.lastEndpoint} ${right.lastEndpoint}`);

  await left.send(["ready?", "1"]);
  print((await right.receive()).join(" "));
  await right.send("yes");
  print((await left.receive()).join(" "));
  for (let i = 0; i < 5; i++) {
    await left.send(`left ${i}`);
    await right.send(`right ${i}`);
  }
  const heard = [];
  for (let i = 0; i < 5; i++) heard.push(String(await right.receive()), String(await left.receive()));
  print(heard.join(", "));

  // The same name cannot be bound twice in one context, but in another it can.
  const other = new zmq.Pair();
  await other.bind("inproc://halves").then(
    () => print("bound twice"),
    (error) => print(`${error.code} ${error.message} ${error.address}`),
  );
  const elsewhere = new zmq.Pair({ context: new zmq.Context() });
  await elsewhere.bind("inproc://halves");
  print(`elsewhere ${elsewhere.lastEndpoint}`);
  for (const socket of [left, right, other, elsewhere]) socket.close();
}
