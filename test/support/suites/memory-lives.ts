/**
 * A peer that is killed after each step of the agreement on shared memory, and in the middle of messages
 * (peers/memory-lives.py): what it had written arrives whole, what it had read is not sent again, everything else is, and
 * nothing is left of it.
 */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";
import { Pull, Push, type Socket } from "../../../src/index.js";
import { managed, record, temporaryDirectory, until, within } from "../helpers.js";
import { CAN, descriptors, mappings } from "../shared-memory.js";

const SCRIPT = fileURLToPath(new URL("../peers/memory-lives.py", import.meta.url));
const SIZE = 20_004;

interface Line {
  step?: string;
  got?: number;
  rest?: number | null;
  done?: true;
}

/** The lives, one after the other. */
class Lives {
  readonly lines: Line[] = [];
  readonly #process;

  constructor(endpoint: string, kind: string, side: string, kills: number) {
    const path = endpoint.slice("ipc://".length);
    this.#process = spawn("python3", ["-B", SCRIPT, path, kind, side, `${kills}`], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    createInterface({ input: this.#process.stdout }).on("line", (line) => this.lines.push(JSON.parse(line)));
    const closed = new Promise((resolve) => this.#process.once("close", resolve));
    onTestFinished(() => {
      this.#process.kill("SIGKILL");
      return closed.then(() => {}); // its pipes, too: the next test counts descriptors
    });
  }

  /** The step after which the next life has died; undefined if there are no more. */
  async death(): Promise<string | undefined> {
    const ended = ({ step, done }: Line) => step !== undefined || done === true;
    await until(() => this.lines.some(ended) || this.#process.exitCode !== null, "the next life to end");
    const end = this.lines.find(ended);
    if (end === undefined) throw new Error("the lives have failed: see stderr");
    return end.step;
  }

  next(): void {
    this.lines.length = 0;
    this.#process.stdin.write("\n");
  }
}

/** What the connection cost is given back. A socket that dials has a connection to the next life, perhaps. */
async function rest(was: readonly number[], dials: boolean): Promise<void> {
  await until(
    () => mappings("") === was[0] && descriptors() <= was[1] + (dials ? 1 : 0),
    `memory and descriptors to be given back: ${was}`,
  );
}

async function endpointOf(socket: Socket, dials: boolean): Promise<string> {
  const endpoint = `ipc://${temporaryDirectory()}/s`;
  if (dials) socket.connect(endpoint);
  else await socket.bind(endpoint);
  return endpoint;
}

/** Messages that a sender has written whole, when it has done this step. */
const WHOLE: Record<string, number> = {
  "a message in the ring": 1,
  "zwire has read it, and sleeps": 1,
  "a message that no bell has told of": 2,
  "read, too": 2,
  "the ring holds one message and half of the next": 3,
  "bytes are in the ring, and the index does not tell": 3,
  "the end": 3,
};

/** @param kills how many lives there are of a sender, and of a receiver; 0 for one life for each step */
export function memoryLives(kills: number): void {
  describe.runIf(CAN).each([
    ["we accept", false],
    ["we dial", true],
  ])("a peer is killed after each step of the agreement and in mid-message: %s", (_, dials) => {
    const options = { sharedMemorySize: 65536, reconnectInterval: 5, linger: 0 };
    const side = dials ? "listens" : "dials";

    it("a sender: what it has written whole arrives, and nothing else", async () => {
      const pull = managed(new Pull(options));
      const events = record(pull);
      const endpoint = await endpointOf(pull, dials);
      const lives = new Lives(endpoint, "PUSH", side, kills);
      const was = [mappings(""), descriptors()];
      lives.next();
      const steps: string[] = [];
      for (let step = await lives.death(); step !== undefined; step = await lives.death()) {
        steps.push(step);
        for (let i = 0; i < (WHOLE[step] ?? 0); i++) {
          const [body] = await pull.receive({ timeout: 20_000 });
          expect(body).toEqual(filled(i));
        }
        await rest(was, dials);
        expect(pull.stats.receiveQueue, step).toBe(0);
        lives.next();
      }
      expect(steps).toEqual(
        expect.arrayContaining(["READY came", "offered", "switched", ...Object.keys(WHOLE)]),
      );
      expect(events.of("memory").length).toBeGreaterThan(Object.keys(WHOLE).length);
      expect(events.of("handshake:error:protocol")).toEqual([]);
    });

    it("a receiver: the next one gets what it had not read, and nothing twice", async () => {
      const push = managed(new Push({ ...options, sendHighWaterMark: 8 }));
      const events = record(push);
      const endpoint = await endpointOf(push, dials);
      const lives = new Lives(endpoint, "PULL", side, kills);
      const was = [mappings(""), descriptors()];
      lives.next();
      let sending = true;
      const sent = (async () => {
        for (let i = 0; sending; i++) await push.send(filled(i));
      })().catch((error) => error); // what waits is rejected when the socket is closed
      let last = -1;
      let first: number | null | undefined;
      let exact = 0;
      for (let step = await lives.death(); step !== undefined; step = await lives.death()) {
        const got = lives.lines.flatMap((line) => line.got ?? []);
        // Without a connection of its own a queue is dropped: only a socket that dials sends again.
        if (dials && typeof first === "number" && got.length > 0) {
          expect(got[0], `after ${step}`).toBe(first);
          exact++;
        }
        if (got.length > 0 || first !== null) first = lives.lines.find((line) => "rest" in line)?.rest;
        for (const number of got) {
          expect(number, step).toBeGreaterThan(last);
          last = number;
        }
        await rest(was, dials);
        lives.next();
      }
      sending = false;
      await within(push.close({ linger: 0 }), "the socket to be closed");
      await sent;
      if (dials) expect(exact).toBeGreaterThan(5);
      expect(last).toBeGreaterThan(20);
      expect(events.of("handshake:error:protocol")).toEqual([]);
    });
  });
}

function filled(number: number): Buffer {
  const body = Buffer.alloc(SIZE, number & 255);
  body.writeUInt32BE(number);
  return body;
}
