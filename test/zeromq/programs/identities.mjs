// Two Routers find each other by routing id; a mandatory one says who is not there.

/** @param {typeof import("zeromq")} zmq @param {(line: string) => void} print */
export default async function (zmq, print) {
  const hub = new zmq.Router({ mandatory: true, sendTimeout: 0, routingId: "hub" });
  await hub.bind("tcp://127.0.0.1:*");
  await hub.send(["nobody", "hello"]).then(
    () => print("sent to nobody"),
    (error) => print(`${error.code} ${error.message}`),
  );

  const spokes = ["left", "right"].map((name) => {
    const spoke = new zmq.Router({ routingId: name });
    spoke.connect(hub.lastEndpoint ?? "", { routingId: "centre" });
    return spoke;
  });
  // A Router that connects with an id of its choice can speak first.
  await Promise.all(spokes.map((spoke, i) => spoke.send(["centre", "I am", `number ${i}`])));
  const heard = [];
  while (heard.length < 2) heard.push((await hub.receive()).join(" "));
  print(heard.sort().join("; "));

  for (const name of ["right", "left"]) await hub.send([name, `dear ${name}`]);
  for (const spoke of spokes) print((await spoke.receive()).join(": "));

  // Handover: a newcomer with a known id takes it over.
  hub.handover = true;
  const heir = new zmq.Dealer({ routingId: "left" });
  heir.connect(hub.lastEndpoint ?? "");
  await heir.send("I take over");
  print((await hub.receive()).join(" "));
  await hub.send(["left", "welcome"]);
  print(String(await heir.receive()));
  for (const socket of [hub, heir, ...spokes]) {
    socket.linger = 0;
    socket.close();
  }
  print(`ids ${hub.closed}`);
}
