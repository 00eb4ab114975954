// A Stream socket speaks plain TCP: a small HTTP server for node:http, and a raw client of a node:net server.
import { get } from "node:http";
import { createServer } from "node:net";

/** @param {typeof import("zeromq")} zmq @param {(line: string) => void} print */
export default async function (zmq, print) {
  const server = new zmq.Stream();
  await server.bind("tcp://127.0.0.1:*");
  const url = (server.lastEndpoint ?? "").replace("tcp:", "http:");
  const serving = (async () => {
    let asked = 0;
    for await (const [id, data] of server) {
      if (data.length === 0) continue; // a peer has come, or has gone
      const [line] = data.toString().split("\r\n");
      await server.send([id, `HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nyou asked ${line}\n`]);
      await server.send([id, null]); // ends the connection
      asked++;
    }
    return `asked ${asked} times`;
  })();

  const body = await new Promise((resolve, reject) => {
    get(`${url}/time?zone=utc`, { agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk) => {
        text += chunk;
      });
      response.on("end", () => resolve(`${response.statusCode} ${text.trim()}`));
    }).on("error", reject);
  });
  print(body);
  server.close();
  print(await serving);

  const echo = createServer((socket) => {
    socket.on("data", (data) => socket.end(`echo ${data}`));
  });
  await new Promise((resolve) => echo.listen(0, "127.0.0.1", () => resolve(undefined)));
  const { port } = /** @type {import("node:net").AddressInfo} */ (echo.address());
  const client = new zmq.Stream({ linger: 0 });
  client.connect(`tcp://127.0.0.1:${port}`, { routingId: "echo" });
  const [peer, nothing] = await client.receive();
  print(`connected to ${peer}, ${nothing.length} octets`);
  await client.send(["echo", "hello"]);
  print((await client.receive()).join(": "));
  client.close();
  await new Promise((resolve) => echo.close(resolve));
}
