/**
 * A PULL in a process of its own that can be killed at any moment: plain node:net and the least ZMTP that PUSH asks
 * for, so that it starts fast and what it saw is beyond doubt. Prints the number in each message, in order, one a line.
 * Argument: tcp port to listen on (0: a free one, printed first) or path.
 */
import { writeSync } from "node:fs";
import { createServer } from "node:net";

const greeting = Buffer.alloc(64);
greeting.set([0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0x7f, 3, 1]);
greeting.write("NULL", 12);
const ready = Buffer.from("\x04\x1a\x05READY\x0bSocket-Type\0\0\0\x04PULL", "latin1");
ready[1] = ready.length - 2;

const server = createServer((socket) => {
  let rest = Buffer.alloc(0);
  let greeted = false;
  socket.write(Buffer.concat([greeting, ready]));
  socket.on("error", () => {});
  socket.on("data", (chunk) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    if (!greeted) {
      if (rest.length < 64) return;
      greeted = true;
      rest = rest.subarray(64);
    }
    let out = "";
    for (;;) {
      if (rest.length < 2) break;
      const long = (rest[0] & 2) !== 0;
      if (long && rest.length < 9) break;
      const size = long ? Number(rest.readBigUInt64BE(1)) : rest[1];
      const head = long ? 9 : 2;
      if (rest.length < head + size) break;
      if ((rest[0] & 4) === 0) out += `${rest.readUInt32BE(head)}\n`;
      rest = rest.subarray(head + size);
    }
    // Synchronous: what is printed survives a SIGKILL right after.
    if (out !== "") writeSync(1, out);
  });
});
server.listen(Number(process.argv[2]), "127.0.0.1", () => writeSync(1, `port ${server.address().port}\n`));
