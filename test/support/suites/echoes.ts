/** A Dealer against a libzmq Router that echoes: how many answers are lost because the Router has to drop them. */

import { Dealer } from "../../../src/index.js";
import { startChild } from "../child.js";

/** Sends the messages with `await` while a loop receives; resolves to the answers that never came. */
export async function lostAnswers(endpoint: string, count: number, size: number): Promise<number> {
  const dealer = new Dealer({ linger: 0 });
  try {
    dealer.connect(endpoint);
    await dealer.connected();
    let received = 0;
    const receiving = (async () => {
      while (received < count) {
        await dealer.receive({ timeout: 3000 });
        received++;
      }
    })().catch(() => {}); // no answer for three seconds: none comes any more
    const message = Buffer.alloc(size, 1);
    for (let n = 0; n < count; n++) await dealer.send(message);
    await receiving;
    return count - received;
  } finally {
    await dealer.close({ linger: 0 });
  }
}

/** Starts the Router in a process of its own; resolves to where it is bound, over tcp and ipc. */
export async function startEchoRouter(): Promise<readonly string[]> {
  const child = startChild("echo-router.mjs", ["tcp://127.0.0.1:*", "ipc://*"]);
  const { endpoints } = await child.line((line) => line.event === "bound", "the Router");
  return endpoints as string[];
}
