// A ventilator hands tasks to two workers, which pass results to a sink.

/** @param {typeof import("zeromq")} zmq @param {(line: string) => void} print */
export default async function (zmq, print) {
  const tasks = new zmq.Push();
  const results = new zmq.Pull();
  await tasks.bind("tcp://127.0.0.1:*");
  await results.bind("tcp://127.0.0.1:*");
  const [taskPoint, resultPoint] = [tasks.lastEndpoint ?? "", results.lastEndpoint ?? ""];

  const worker = async () => {
    const inbox = new zmq.Pull();
    const outbox = new zmq.Push();
    inbox.connect(taskPoint);
    outbox.connect(resultPoint);
    for await (const [task] of inbox) {
      const text = task.toString();
      if (text === "stop") break;
      await outbox.send(["square", String(Number(text) ** 2)]);
    }
    inbox.close();
    outbox.close();
  };
  const workers = [worker(), worker()];

  for (let i = 1; i <= 20; i++) await tasks.send(`${i}`);
  const squares = [];
  while (squares.length < 20) {
    const [kind, value] = await results.receive();
    if (kind.toString() === "square") squares.push(Number(value));
  }
  print(squares.sort((a, b) => a - b).join(" "));

  // A "stop" sent to a worker that has just gone is lost: say it until both have heard it.
  const stopping = setInterval(() => tasks.send("stop").catch(() => {}), 20);
  await Promise.all(workers);
  clearInterval(stopping);
  tasks.linger = 0;
  tasks.close();
  results.close();
  print(`closed ${tasks.closed} ${results.closed}`);
}
