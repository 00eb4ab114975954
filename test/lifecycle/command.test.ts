/** How the commands of messages end: exit codes, signals, time-outs, a reader that leaves, memory while somebody is slow. */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { describe, expect, it } from "vitest";
import { Pull, Push } from "../../src/index.js";
import { run, start, stopped } from "../support/command.js";

describe("exit codes", () => {
  it("1 for what fails: an address in use, a file that is not there, a line that is not JSON", async () => {
    const pull = new Pull();
    const endpoint = await pull.bind("tcp://127.0.0.1:*");
    const [inUse, noFile, noJson] = await Promise.all([
      run(["pull", "-b", endpoint]),
      run(["push", "-c", endpoint, "--file", "/nowhere"]),
      run(["push", "-c", endpoint, "-f", "json"], '"fine"\n{\n'),
    ]);
    expect(inUse).toMatchObject({ code: 1, err: expect.stringMatching(/^zwire pull: .*in use/i) });
    expect(noFile).toMatchObject({ code: 1, err: expect.stringContaining("ENOENT") });
    expect(noJson).toMatchObject({ code: 1, err: "zwire push: standard input, message 2: not JSON: {\n" });
    await pull.close();
  });

  it("3 for what does not come in time: a message, a peer, room, the end of what was accepted", async () => {
    const nobody = ["-b", "ipc://*", "--timeout", "60"];
    const [pull, sub, push, peers, unsent] = await Promise.all([
      run(["pull", ...nobody]),
      run(["sub", ...nobody]),
      run(["push", ...nobody, "x"]),
      run(["pub", ...nobody, "--wait-peers", "1", "x"]),
      run(["push", "-c", "ipc:///tmp/nobody-listens-here", "--timeout", "60", "x"]),
    ]);
    expect(pull).toMatchObject({ code: 3, err: expect.stringContaining("no message came within 60 ms") });
    expect(sub).toMatchObject({ code: 3 });
    expect(push).toMatchObject({
      code: 3,
      err: expect.stringContaining("no peer took a message within 60 ms"),
    });
    expect(peers).toMatchObject({
      code: 3,
      err: expect.stringContaining("there were not 1 peers within 60 ms"),
    });
    expect(unsent).toMatchObject({ code: 3, err: expect.stringContaining("1 message was not sent") });
  });
});

describe("signals", () => {
  it.each(["SIGINT", "SIGTERM"] as const)(
    "%s ends what has no other end with 0, and what has one with 128 and its number",
    async (signal) => {
      const number = signal === "SIGINT" ? 2 : 15;
      const all = [
        [["pull"], 0],
        [["rep", "--echo"], 0],
        [["dealer"], 0],
        [["pull", "--count", "1"], 128 + number],
        [["push"], 128 + number],
        [["push", "x"], 128 + number],
        [["req"], 128 + number],
      ] as const;
      await Promise.all(
        all.map(async ([args, code]) => {
          const command = start([...args, "-b", "tcp://127.0.0.1:*"]);
          await command.endpoint();
          expect(await stopped(command, signal), args.join(" ")).toMatchObject({ code, out: "" });
        }),
      );
    },
  );

  it("what was accepted is still sent after one", async () => {
    const pull = new Pull();
    const push = start(["push", "-c", await pull.bind("tcp://127.0.0.1:*")]);
    push.child.stdin?.write("one\ntwo\n");
    expect((await pull.receive()).map(String)).toEqual(["one"]);
    push.child.kill("SIGTERM");
    expect((await pull.receive()).map(String)).toEqual(["two"]);
    expect(await push.ended).toEqual({ code: 143, out: "", err: "" });
    await pull.close();
  });
});

describe("the other side of a pipe", () => {
  it("a reader that leaves ends the command with 0, and its socket", async () => {
    const push = new Push({ linger: 0 });
    const pull = start(["pull", "-c", await push.bind("tcp://127.0.0.1:*")]);
    await push.send("first");
    await pull.says(/first/, "out");
    pull.child.stdout?.destroy();
    const left = once(push as never, "disconnect");
    await push.send("second");
    expect((await pull.ended).code).toBe(0);
    await left;
    await push.close();
  });

  it("a slow reader makes the sender wait, and memory stays what it is", async () => {
    const push = new Push({ linger: 0 });
    const limit = "receiveHighWaterMarkBytes=1000000";
    const pull = start(["pull", "-c", await push.bind("tcp://127.0.0.1:*"), "-f", "raw", "-o", limit]);
    pull.child.stdout?.pause();
    const part = Buffer.alloc(65536, "x");
    let sent = 0;
    const more = () =>
      push.send(part, { timeout: 500 }).then(
        () => true,
        ({ code }) => {
          expect(code).toBe("EAGAIN");
          return false;
        },
      );
    while (await more()) sent += part.length;
    expect(sent).toBeGreaterThan(1_000_000);
    expect(sent).toBeLessThan(2 ** 27);
    const all = new Promise<void>((resolve) => {
      let received = 0;
      pull.child.stdout?.on("data", (chunk: string) => {
        received += chunk.length;
        if (received === sent + 3) resolve();
      });
    });
    pull.child.stdout?.resume();
    await push.send("end");
    await all;
    await push.close();
  });

  it.runIf(process.platform === "linux")("yes | zwire push has flat memory", async () => {
    const pull = new Pull({ receiveHighWaterMark: 10 });
    const push = start(["push", "-c", await pull.bind("tcp://127.0.0.1:*")]);
    const { stdin, pid } = push.child;
    const yes = function* () {
      for (;;) yield Buffer.from("yes\n".repeat(16384));
    };
    const feeding = expect(
      pipeline(Readable.from(yes()), stdin as NonNullable<typeof stdin>),
    ).rejects.toThrow(); // when the command is killed
    const memory = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
    const take = async (count: number) => {
      for (let taken = 0; taken < count; ) taken += (await pull.receiveMany()).length;
    };
    await take(50_000);
    const before = memory();
    await take(250_000);
    expect(memory() - before).toBeLessThan(96 * 1024);
    push.child.kill("SIGKILL");
    await feeding;
    await pull.close();
  });
});

describe("draft types", () => {
  it("talk to each other: server and client, peer, channel, scatter and gather, radio and dish", async () => {
    const pairs: [there: string[], here: string[], there: string, here: string][] = [
      [["server", "--echo", "--count", "1"], ["client", "--count", "1", "hello"], "\\d+\thello\n", "hello\n"],
      [["channel", "--count", "1", "there"], ["channel", "--count", "1", "here"], "here\n", "there\n"],
      [["gather", "--count", "2"], ["scatter", "--count", "2", "x"], "x\nx\n", ""],
      [
        ["dish", "-j", "news", "--count", "1"],
        ["radio", "--wait-peers", "1", "news", "rain"],
        "news\train\n",
        "",
      ],
    ];
    await Promise.all(
      pairs.map(async ([one, other, there, here]) => {
        const bound = start([...one, "-b", "tcp://127.0.0.1:*"]);
        const ended = await run([...other, "-c", await bound.endpoint()]);
        expect(ended, other[0]).toEqual({ code: 0, out: here, err: "" });
        const { code, out } = await bound.ended;
        expect(code, one[0]).toBe(0);
        expect(out, one[0]).toMatch(new RegExp(`^${there}$`));
      }),
    );
  });

  it("a message without an address is told", async () => {
    const ended = await run(["radio", "-b", "tcp://127.0.0.1:*", "no group"]);
    expect(ended).toMatchObject({ code: 1, err: expect.stringContaining("two parts, a group and") });
  });
});
