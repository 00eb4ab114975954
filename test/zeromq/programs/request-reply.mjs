// A calculator: one question, one answer, in turn; then the same over ipc.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** @param {typeof import("zeromq")} zmq @param {(line: string) => void} print */
export default async function (zmq, print) {
  const directory = mkdtempSync(join(tmpdir(), "zmq-program-"));
  for (const endpoint of ["tcp://127.0.0.1:*", `ipc://${directory}/calculator`]) {
    const server = new zmq.Reply();
    await server.bind(endpoint);
    const serving = (async () => {
      let served = 0;
      for await (const [question] of server) {
        const { operation, a, b } = JSON.parse(question.toString());
        const answer = operation === "add" ? a + b : operation === "multiply" ? a * b : null;
        await server.send(answer === null ? ["error", `cannot ${operation}`] : ["ok", answer]);
        served++;
      }
      return served;
    })();

    const client = new zmq.Request();
    client.connect(server.lastEndpoint ?? "");
    for (const [operation, a, b] of [
      ["add", 2, 3],
      ["multiply", 6, 7],
      ["divide", 1, 0],
    ]) {
      await client.send(JSON.stringify({ operation, a, b }));
      const [status, value] = await client.receive();
      print(`${operation} ${a} ${b}: ${status} ${value}`);
    }
    client.close();
    server.close();
    print(`served ${await serving}`);
  }
  rmSync(directory, { recursive: true });
}
