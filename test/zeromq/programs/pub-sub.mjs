// Topics: what a subscriber asks for by prefix, and what it stops asking for.

/** @param {typeof import("zeromq")} zmq @param {(line: string) => void} print */
export default async function (zmq, print) {
  const weather = new zmq.XPublisher({ verbosity: "allSubsUnsubs" });
  await weather.bind("tcp://127.0.0.1:*");

  const oslo = new zmq.Subscriber();
  oslo.connect(weather.lastEndpoint ?? "");
  oslo.subscribe("oslo.");
  const everything = new zmq.Subscriber();
  everything.connect(weather.lastEndpoint ?? "");
  everything.subscribe();

  const asked = [];
  for (let i = 0; i < 2; i++) {
    const [request] = await weather.receive();
    asked.push(`${request[0]}:${request.subarray(1)}`);
  }
  print(`asked for ${asked.sort().join(", ")}`);

  await weather.send(["oslo.rain", "3 mm"]);
  await weather.send(["bergen.rain", "30 mm"]);
  await weather.send(["oslo.wind", "5 m/s"]);
  for (let i = 0; i < 2; i++) print(`oslo: ${(await oslo.receive()).join(" = ")}`);
  for (let i = 0; i < 3; i++) print(`everything: ${(await everything.receive()).join(" = ")}`);

  oslo.unsubscribe("oslo.");
  const [gone] = await weather.receive();
  print(`gone ${gone[0]} ${gone.subarray(1)}`);
  await weather.send(["oslo.sun", "none"]);
  print(`everything: ${(await everything.receive()).join(" = ")}`);
  oslo.receiveTimeout = 50;
  try {
    await oslo.receive();
    print("oslo: a message too many");
  } catch (error) {
    print(`oslo: ${/** @type {NodeJS.ErrnoException} */ (error).code}`);
  }

  const plain = new zmq.Publisher();
  await plain.send(["nobody", "listens"]);
  print("a publisher never waits for subscribers");
  for (const socket of [weather, oslo, everything, plain]) socket.close();
}
