/**
 * Multicast over udp between processes of zwire and of libzmq (N13, N14), in a network namespace of its own; skipped where none can
 * be made.
 */
import { spawnSync } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { within } from "../support/helpers.js";
import { inNamespace, namespaceReason } from "../support/namespace.js";

const CHILD = fileURLToPath(new URL("../support/children/multicast.mjs", import.meta.url));
const python = spawnSync("python3", ["--version"]).status === 0;
const reason = namespaceReason();
if (reason !== null) console.log(`multicast is skipped: no network namespace (${reason})`);

interface Role {
  readonly library?: "zwire" | "zeromq" | "python";
  readonly type: "Radio" | "Dish" | "Datagram";
  readonly endpoint: string;
  readonly group?: string;
  readonly options?: object;
  readonly send?: readonly unknown[];
  readonly hear?: number;
  /** Milliseconds that it listens; for what is not to be heard. */
  readonly patience?: number;
}

const TEN = Array.from({ length: 10 }, (_, i) => `${i}`);
const heardTen = TEN.map((text) => `g: ${text}`);

describe.skipIf(reason !== null)("multicast over udp", () => {
  let child: ReturnType<typeof inNamespace>;
  const answers = new Map<number, (answer: { heard: string[][]; more: boolean[]; error?: string }) => void>();
  let jobs = 0;

  beforeAll(() => {
    child = inNamespace(CHILD);
    createInterface({ input: child.stdout! }).on("line", (line) => {
      const answer = JSON.parse(line);
      answers.get(answer.id)?.(answer);
    });
  });
  afterAll(() => {
    child?.stdin?.end();
  });

  /** What each role has heard, in the order of the roles. */
  async function play(...roles: Role[]): Promise<string[][]> {
    const id = jobs++;
    const answer = new Promise<{ heard: string[][]; more: boolean[]; error?: string }>((resolve) =>
      answers.set(id, resolve),
    );
    const full = roles.map((role) => ({ library: "zwire", group: "g", ...role }));
    child.stdin!.write(`${JSON.stringify({ id, roles: full })}\n`);
    const { heard, more, error } = await within(answer, "the conductor's answer", 60_000);
    expect(error).toBeUndefined();
    expect(more).not.toContain(true); // nothing came twice
    return heard;
  }

  const dish = (endpoint: string, rest: Partial<Role> = {}): Role => ({
    type: "Dish",
    endpoint,
    hear: 10,
    ...rest,
  });
  const radio = (endpoint: string, rest: Partial<Role> = {}): Role => ({
    type: "Radio",
    endpoint,
    send: TEN,
    ...rest,
  });

  it("each Dish of a group hears everything once: zwire and libzmq, from zwire and libzmq, on one port (N13)", async () => {
    const at = "udp://239.0.0.1:5555";
    const ours = radio(at, { send: TEN.map((text) => `1${text}`) });
    const listeners = [
      dish(at, { hear: 20 }),
      dish(at, { hear: 20 }),
      dish(at, { hear: 20, library: "zeromq" }),
    ];
    const all = await play(...listeners, radio(at, { library: "zeromq" }), ours);
    const [theirs, own] = [heardTen, TEN.map((text) => `g: 1${text}`)];
    for (const heard of all.slice(0, 3)) {
      expect(heard.filter((text) => theirs.includes(text))).toEqual(theirs);
      expect(heard.filter((text) => own.includes(text))).toEqual(own);
      expect(heard).toHaveLength(20);
    }
  });

  it("an interface in the address, by name or by number (N13)", async () => {
    const [byName, byNumber] = ["udp://v0;239.0.0.1:5557", "udp://10.77.0.1;239.0.0.1:5557"];
    const theirs = dish(byNumber, { library: "zeromq", hear: 20 });
    const both = [radio(byName), radio(byNumber, { send: TEN.map((text) => `1${text}`) })];
    const all = await play(dish(byName, { hear: 20 }), dish(byNumber, { hear: 20 }), theirs, ...both);
    const wanted = [...heardTen, ...TEN.map((text) => `g: 1${text}`)].sort();
    for (const heard of all.slice(0, 3)) expect(heard.sort()).toEqual(wanted);
  });

  it("a Dish hears neither another multicast address on its port, nor what is sent to the host (N13)", async () => {
    const [quiet, loud] = await play(
      dish("udp://239.0.0.2:5558", { patience: 400 }),
      dish("udp://239.0.0.1:5558"),
      radio("udp://239.0.0.1:5558"),
      radio("udp://10.77.0.1:5558"),
    );
    expect([quiet, loud]).toEqual([[], heardTen]);
  });

  it("multicastLoopback: false keeps it from the sockets of this host (N13)", async () => {
    const at = "udp://239.0.0.1:5559";
    const silent = { options: { multicastLoopback: false } };
    expect((await play(dish(at, { patience: 400 }), radio(at, silent)))[0]).toEqual([]);
  });

  it.skipIf(!python)("multicastHops is what the wire has; 1 without it (N13, N14)", async () => {
    const listener: Role = {
      library: "python",
      type: "Dish",
      endpoint: "udp://10.77.0.1;239.0.0.1:5563",
      hear: 3,
    };
    const at = "udp://239.0.0.1:5563";
    const [hops] = await play(
      listener,
      radio(at, { send: ["a"] }),
      radio(at, { send: ["b"], options: { multicastHops: 9 } }),
      {
        type: "Datagram",
        endpoint: "udp://10.77.0.1:*",
        send: [["239.0.0.1:5563", "c"]],
        options: { multicastHops: 200 },
      },
    );
    expect(hops.sort()).toEqual(["1 hops: 016761", "200 hops: 63", "9 hops: 016762"]);
  });

  it("a Datagram sends to a group (N14)", async () => {
    const [asked] = await play(
      { type: "Datagram", endpoint: "udp://239.0.0.1:5560", hear: 1 },
      { type: "Datagram", endpoint: "udp://10.77.0.1:5561", send: [["239.0.0.1:5560", "who?"]] },
    );
    expect(asked).toEqual(["who?"]);
  });

  it("IPv6: a group of the link, by the name of the interface (N13)", async () => {
    const at = "udp://v0;[ff15::1]:5562";
    const options = { ipv6: true };
    const heard = await play(
      dish(at, { options }),
      dish(at, { options, library: "zeromq" }),
      radio(at, { options }),
    );
    expect(heard.slice(0, 2)).toEqual([heardTen, heardTen]);
  });
});
