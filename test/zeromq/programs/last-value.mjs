// Conflate: a reader that comes late sees only the newest value; and options as a program sets and reads them.

/** @param {typeof import("zeromq")} zmq @param {(line: string) => void} print */
export default async function (zmq, print) {
  const source = new zmq.Push();
  const latest = new zmq.Pull({ conflate: true });
  await source.bind("tcp://127.0.0.1:*");
  latest.connect(source.lastEndpoint ?? "");
  for (let i = 1; i <= 50; i++) await source.send(`${i}`);
  // Read until the newest has come; whatever else is seen comes in order.
  let last = 0;
  let ordered = true;
  while (last < 50) {
    const value = Number(await latest.receive());
    ordered &&= value > last;
    last = value;
  }
  print(`newest ${last}, in order ${ordered}`);
  source.close();
  latest.close();

  const dealer = new zmq.Dealer({ routingId: "me", linger: 250, sendHighWaterMark: 5 });
  dealer.receiveTimeout = 10;
  dealer.heartbeatInterval = 1000;
  dealer.tcpKeepalive = 1;
  print(
    [
      dealer.routingId,
      dealer.linger,
      dealer.sendHighWaterMark,
      dealer.receiveHighWaterMark,
      dealer.receiveTimeout,
      dealer.heartbeatInterval,
      dealer.heartbeatTimeout,
      dealer.tcpKeepalive,
      dealer.immediate,
      dealer.maxMessageSize,
      dealer.type,
      dealer.securityMechanism,
      dealer.lastEndpoint,
    ].join(" "),
  );
  for (const wrong of [
    () => Object.assign(dealer, { lingr: 5 }),
    () => Object.assign(dealer, { linger: "5" }),
    () => Object.assign(dealer, { linger: -2 }),
  ]) {
    try {
      wrong();
      print("accepted");
    } catch (error) {
      print(`${error}`);
    }
  }
  dealer.close();
  print(`${zmq.version} ${zmq.capability.ipc} ${zmq.context.maxSockets} ${zmq.context.blocky}`);
}
