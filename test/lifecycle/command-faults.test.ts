/** What one peer, one file or one program does wrong ends no command of `zwire` that serves others, and fills no memory. */
import { writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { encodeHead, encodeMessages } from "../../src/cli/recording/format.js";
import { Client } from "../../src/draft.js";
import { Dealer, Request } from "../../src/index.js";
import { run, start, stopped } from "../support/command.js";
import { managed, temporaryDirectory, texts, until } from "../support/helpers.js";

const ANY = "tcp://127.0.0.1:*";
const WAIT = { timeout: 20_000 };
const alive = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

async function asked(endpoint: string, ...question: (string | Buffer)[]): Promise<string[]> {
  const request = managed(new Request());
  request.connect(endpoint);
  return texts(await request.request(question, WAIT));
}

describe.skipIf(process.platform === "win32")("a command that answers", () => {
  it("goes on when a client has left before its answer", async () => {
    const file = `${temporaryDirectory()}/go`;
    const server = start([
      "server",
      "-v",
      "-b",
      ANY,
      "--exec",
      `until test -e ${file}; do sleep 0.05; done; cat`,
    ]);
    const endpoint = await server.endpoint();
    const first = managed(new Client());
    first.connect(endpoint);
    await first.send("first");
    await server.says(/first/, "out");
    await first.close();
    await server.says(/disconnect/);
    const second = managed(new Client());
    second.connect(endpoint);
    await second.send("second");
    writeFileSync(file, "");
    expect(String(await second.receive(WAIT))).toBe("second");
    await server.says(/zwire server: an answer was not sent: /);
  });

  it("answers with nothing what its format cannot show, or what is printed and it cannot read", async () => {
    const msgpack = start(["rep", "-b", ANY, "--format", "msgpack", "--exec", "cat"]);
    const json = start(["rep", "-b", ANY, "--format", "json", "--exec", "echo oops"]);
    for (const rep of [msgpack, json]) {
      const endpoint = await rep.endpoint();
      for (let i = 0; i < 2; i++) expect(await asked(endpoint, Buffer.from([0xc1, 0xff]))).toEqual([""]);
    }
    await msgpack.says(/zwire rep: the last part of a message is no msgpack/);
    await json.says(/zwire rep: not JSON: oops/);
    expect(await asked(await msgpack.endpoint(), Buffer.from([7]))).toEqual(["\x07"]);
  });

  it("answers with nothing when the answer has parts that its type cannot send", async () => {
    const peer = start(["server", "-b", ANY, "--format", "json", "--exec", `echo '["a","b"]'`]);
    const client = managed(new Client());
    client.connect(await peer.endpoint());
    for (let i = 0; i < 2; i++) {
      await client.send("q");
      expect(String(await client.receive(WAIT))).toBe("");
    }
    await peer.says(/a message must have two parts/);
  });

  it("kills all of a command that prints without end, and goes on with little memory", async () => {
    const rep = start(["rep", "-b", ANY, "--quiet", "--exec", "echo $$ >&2; yes; true"]);
    const endpoint = await rep.endpoint();
    expect(await asked(endpoint, "q")).toEqual([""]);
    await rep.says(/more than 67108864 bytes/);
    const group = Number((await rep.says(/^(\d+)$/m))[1]);
    await until(() => !alive(-group), "the end of all in the group");
    expect((await stopped(rep)).code).toBe(0);
  });

  it("ends at a signal with all that its command has started", async () => {
    const rep = start(["rep", "-b", ANY, "--exec", "echo $$ >&2; sleep 1000; true"]);
    const dealer = managed(new Dealer());
    dealer.connect(await rep.endpoint());
    await dealer.send(["", "q"]);
    const group = Number((await rep.says(/^(\d+)$/m))[1]);
    expect((await stopped(rep)).code).toBe(0);
    await until(() => !alive(-group), "the end of all in the group");
  });

  it("gives its command the bytes of the message, with a tab or the separator between parts", async () => {
    for (const [args, shown] of [
      [[], "61200a1b096200ff"],
      [["--separator", ", "], "61200a1b2c206200ff"],
    ] as const) {
      const rep = start(["rep", "-b", ANY, "--exec", "od -An -v -tx1", ...args]);
      const [answer] = await asked(await rep.endpoint(), "a \n\x1b", Buffer.from("b\0\xff", "latin1"));
      expect(answer.replace(/\s/g, "")).toBe(shown);
    }
    const router = start(["router", "-b", ANY, "--exec", "cat"]);
    expect(await asked(await router.endpoint(), "not a name")).toEqual(["not a name"]);
  });
});

describe("recordings", () => {
  it.skipIf(process.platform !== "linux")("record ends when not even its head can be written", async () => {
    const ended = await run(["record", "pull", "-b", ANY, "--force", "/dev/full"]);
    expect(ended).toMatchObject({ code: 1, err: expect.stringContaining("ENOSPC") });
  });

  it("replay says that nothing was sent when --from is behind the end", async () => {
    const file = `${temporaryDirectory()}/a.zwr`;
    const three = [[Buffer.from("a")], [Buffer.from("b")], [Buffer.from("c")]];
    writeFileSync(
      file,
      Buffer.concat([encodeHead({ start: 1n, metadata: {} }), ...encodeMessages(three, 0n)]),
    );
    for (const from of [["100"], ["1h"], ["100", "--loop"]]) {
      const { code, err } = await run(["replay", "push", "-c", "tcp://127.0.0.1:1", "--from", ...from, file]);
      expect(code).toBe(1);
      expect(err).toContain(`${file}: nothing was sent: --from is behind the last of 3 messages`);
    }
  });
});
