/** The command `zwire` with pyzmq at the other end: each mode, both bind directions, by what is printed and the exit code. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { curveKeyPair, writeCertificate } from "../../src/index.js";
import { run, start } from "../support/command.js";
import { temporaryDirectory } from "../support/helpers.js";
import { findPython } from "../support/python.js";
import { pyzmqForAll } from "../support/pyzmq-sockets.js";

const python = findPython();
if (python.command === null) console.log(`the command with pyzmq is skipped: ${python.reason}`);

const OK = { code: 0, err: "" };

describe.skipIf(python.command === null)("zwire … and pyzmq", () => {
  const peers = pyzmqForAll(python.command);

  const bound = (type: string, more = {}) => peers.open(type, { bind: "tcp://127.0.0.1:*", ...more });
  const connected = (type: string, connect: string, more = {}) => peers.open(type, { connect, ...more });

  it("push sends arguments, lines, JSON, hexadecimal digits, frames, a file, msgpack", async () => {
    const pull = await bound("PULL");
    const picture = join(temporaryDirectory(), "picture");
    writeFileSync(picture, "raw\nbytes\n");
    const to = ["push", "-c", pull.endpoint];
    const frames = Buffer.from("\x80\0\0\x01f\0\0\0\x03\n\0r\0\0\0\0", "latin1");
    const all = await Promise.all([
      run([...to, "args", "", "of one message"]),
      run(to, "line 1\nline 2\n\nend"),
      run([...to, "--format", "json"], '"j"\n["j", {"a": 1}, {"$base64": "AAE="}]\n'),
      run([...to, "--format", "hex", "--file", "-"], "68 00ff -\n"),
      run([...to, "--format", "frames"], frames),
      run([...to, "--format", "raw", "--file", picture]),
      run([...to, "--format", "msgpack", "m", '{"a":[1]}']),
      run([...to, "--count", "2", "--separator", ","], "1,2\n3\n4\n"),
    ]);
    for (const ended of all) expect(ended).toMatchObject({ ...OK, out: "" });
    const received = (await pull.receive(14)).map((parts) => parts.join("|"));
    expect(received.sort()).toEqual(
      [
        "args||of one message",
        ...["line 1", "line 2", "", "end"],
        ...["j", 'j|{"a":1}|\0\x01'],
        "h|\0\ufffd|",
        ...["f|\n\0r", ""],
        "raw\nbytes\n",
        "m|\ufffd\ufffda\ufffd\x01",
        ...["1|2", "3"],
      ].sort(),
    );
    await pull.close();
  });

  it("pull prints text that no terminal obeys, JSON, hexadecimal digits, frames, bytes, msgpack", async () => {
    const sent = [["a", "b\tc"], ["\x1b[31m\n"], [Buffer.from([0xff, 0x41])], [""]];
    const shown = {
      text: "a\tb\tc\n\\x1b[31m\\n\n\\xffA\n\n",
      json: `["a","b\\tc"]\n["\\u001b[31m\\n"]\n[{"$base64":"/0E="}]\n[""]\n`,
      hex: "61 620963\n1b5b33316d0a\nff41\n-\n",
      raw: "ab\tc\x1b[31m\n\ufffdA",
      frames: "\ufffd\0\0\x01a\0\0\0\x03b\tc\0\0\0\x06\x1b[31m\n\0\0\0\x02\ufffdA\0\0\0\0",
    };
    const push = await bound("PUSH");
    for (const [format, out] of Object.entries(shown)) {
      const pull = start(["pull", "-c", push.endpoint, "--count", "4", "--format", format]);
      await push.send(...sent);
      expect(await pull.ended).toEqual({ ...OK, out });
    }
    const pull = start(["pull", "-c", push.endpoint, "--count", "2", "--format", "msgpack", "-t", "20000"]);
    await push.send(
      ["x", Buffer.from([0x93, 1, 0xc4, 1, 0xff, 0xc0])],
      [Buffer.from([0xc1])],
      ["topic", "\x07"],
    );
    const ended = await pull.ended;
    expect(ended).toMatchObject({ code: 0, out: '["x",[1,{"$base64":"/w=="},null]]\n' });
    expect(ended.err).toMatch(/^zwire pull: the last part of a message is no msgpack: .*\n$/);
    await push.close();
  });

  it("pub reaches the subscribers that it waits for, and sub what it wants", async () => {
    const sub = await bound("SUB", { options: { SUBSCRIBE: "b" } });
    // libzmq subscribes at a peer that dials it when its program calls it next.
    const away = start(["pub", "-c", sub.endpoint, "--wait-peers", "1"], "a\nb 1\nc\nb 2\n");
    expect(await sub.receive(2)).toEqual([["b 1"], ["b 2"]]);
    expect(await away.ended).toEqual({ ...OK, out: "" });
    const here = start([
      "pub",
      "-b",
      "tcp://127.0.0.1:*",
      "--wait-peers",
      "1",
      "--count",
      "2",
      "--interval",
      "1",
      "b",
      "x",
    ]);
    const there = await connected("SUB", await here.endpoint(), { options: { SUBSCRIBE: "b" } });
    expect(await there.receive(2)).toEqual([
      ["b", "x"],
      ["b", "x"],
    ]);
    expect((await here.ended).code).toBe(0);

    const pub = await bound("XPUB");
    const wanted = start([
      "sub",
      "-c",
      pub.endpoint,
      "-s",
      "b",
      "-s",
      "c",
      "--count",
      "3",
      "--separator",
      " = ",
    ]);
    expect((await pub.receive(2)).sort()).toEqual([["\x01b"], ["\x01c"]]);
    await pub.send(["a", "1"], ["b", "2"], ["c", "3"], ["d", "4"], ["bb"]);
    expect(await wanted.ended).toEqual({ ...OK, out: "b = 2\nc = 3\nbb\n" });
    const all = start(["sub", "-b", "tcp://127.0.0.1:*", "--count", "1"]);
    const xpub = await connected("XPUB", await all.endpoint());
    expect(await xpub.receive(1)).toEqual([["\x01"]]);
    await xpub.send(["anything"]);
    expect(await all.ended).toMatchObject({ code: 0, out: "anything\n" });
    for (const one of [sub, there, pub, xpub]) await one.close();
  });

  it("req asks one after the other, and ends with 3 if there is no answer", async () => {
    const rep = await bound("REP");
    const asking = start(["req", "-c", rep.endpoint, "--timeout", "20000"], "one\ntwo\n");
    for (const question of ["one", "two"]) {
      expect(await rep.receive(1)).toEqual([[question]]);
      await rep.send([`re: ${question}`, "x"]);
    }
    expect(await asking.ended).toEqual({ ...OK, out: "re: one\tx\nre: two\tx\n" });
    expect(await run(["req", "-c", rep.endpoint, "--timeout", "100", "three"])).toEqual({
      code: 3,
      out: "",
      err: "zwire req: no answer came within 100 ms\n",
    });
    await rep.close();
  });

  it("rep answers with the question, a text, a command's output, or lines", async () => {
    const answers: [
      args: string[],
      input: string | undefined,
      question: string[],
      answer: string[],
      out: string,
    ][] = [
      [["--echo"], undefined, ["a", "b"], ["a", "b"], "a\tb\n"],
      [["--reply", "x", "--reply", "y", "--quiet"], undefined, ["q"], ["x", "y"], ""],
      [["--exec", "tr a-z A-Z; echo end"], undefined, ["q\n", "r"], ["Q\n\tRend"], "q\\n\tr\n"],
      [["--exec", "cat; exit 3", "--format", "json"], undefined, ["q", "r"], ["q", "r"], '["q","r"]\n'],
      [[], "line 1\nline 2\n", ["q"], ["line 1"], "q\n"],
    ];
    const commands = answers.map(([args, input]) =>
      start(["rep", "-b", "tcp://127.0.0.1:*", "--count", "1", ...args], input),
    );
    for (const [at, [args, , question, answer, out]] of answers.entries()) {
      const req = await connected("REQ", await commands[at].endpoint());
      await req.send(question);
      expect(await req.receive(1), args.join(" ")).toEqual([answer]);
      const ended = await commands[at].ended;
      expect(ended, args.join(" ")).toMatchObject({ code: 0, out });
      if (args.includes("cat; exit 3")) expect(ended.err).toContain("zwire rep: the command ended with 3\n");
      await req.close();
    }
  });

  it("a router prints and takes names, and echoes to both REQ and DEALER", async () => {
    const router = start(["router", "-b", "tcp://127.0.0.1:*", "--count", "3"]);
    const endpoint = await router.endpoint();
    const dealer = await connected("DEALER", endpoint, { options: { IDENTITY: "ann" } });
    const req = await connected("REQ", endpoint);
    await dealer.send(["hello", "you"]);
    await router.says(/^ann\thello\tyou\n/, "out");
    await req.send(["question"]);
    const [, name] = await router.says(/^(0x00[0-9a-f]{8})\t\tquestion\n/m, "out");
    router.child.stdin?.write(`ann\tfine\n${name}\t\tanswer\n`);
    expect(await dealer.receive(1)).toEqual([["fine"]]);
    expect(await req.receive(1)).toEqual([["answer"]]);
    await dealer.send(["end"]);
    expect(await router.ended).toMatchObject({
      code: 0,
      out: `ann\thello\tyou\n${name}\t\tquestion\nann\tend\n`,
    });

    const echo = start(["router", "-b", "tcp://127.0.0.1:*", "--echo", "--quiet", "--count", "2"]);
    const [one, other] = [
      await connected("DEALER", await echo.endpoint()),
      await connected("REQ", await echo.endpoint()),
    ];
    for (const socket of [one, other]) {
      await socket.send(["again", "", "x"]);
      expect(await socket.receive(1)).toEqual([["again", "", "x"]]);
    }
    expect(await echo.ended).toMatchObject({ code: 0, out: "" });
    for (const socket of [dealer, req, one, other]) await socket.close();
  });

  it("dealer and pair send and receive at once", async () => {
    const router = await bound("ROUTER");
    const dealer = start(["dealer", "-c", router.endpoint, "-o", "routingId=ann", "--count", "2"], "1\n2\n");
    expect(await router.receive(2)).toEqual([
      ["ann", "1"],
      ["ann", "2"],
    ]);
    await router.send(["ann", "x", "y"], ["ann", ""]);
    expect(await dealer.ended).toEqual({ ...OK, out: "x\ty\n\n" });
    expect(await run(["dealer", "-c", router.endpoint, "--count", "0", "bye"])).toEqual({ ...OK, out: "" });
    expect((await router.receive(1))[0][1]).toBe("bye");

    const pair = start(["pair", "-b", "tcp://127.0.0.1:*", "--count", "1", "hello"]);
    const other = await connected("PAIR", await pair.endpoint());
    expect(await other.receive(1)).toEqual([["hello"]]);
    await other.send(["you"]);
    expect(await pair.ended).toMatchObject({ code: 0, out: "you\n" });
    for (const socket of [router, other]) await socket.close();
  });

  it("CURVE by files of keys, and PLAIN, as server and as client", async () => {
    const [server, client, stranger] = [curveKeyPair(), curveKeyPair(), curveKeyPair()];
    const folder = temporaryDirectory();
    const file = (name: string) => join(folder, name);
    await writeCertificate(file("server"), server);
    await writeCertificate(file("client"), client);
    writeFileSync(file("password"), "secret\n");

    const theirs = await bound("PULL", {
      curve: { server: 1, secretkey: server.secretKey, publickey: server.publicKey },
    });
    const secret = ["--curve-secret-file", file("client_secret")];
    const [withFile, withKey] = [
      ["--curve-server-key", file("server")],
      ["--curve-server-key", server.publicKey],
    ];
    expect(await run(["push", "-c", theirs.endpoint, ...secret, ...withFile, "by file"])).toEqual({
      ...OK,
      out: "",
    });
    expect(await run(["push", "-c", theirs.endpoint, ...withKey, "by key"])).toEqual({ ...OK, out: "" });
    expect((await theirs.receive(2)).sort()).toEqual([["by file"], ["by key"]]);

    const ours = start([
      ...["pull", "-b", "tcp://127.0.0.1:*", "--count", "1", "--curve-secret-file", file("server_secret")],
      ...["--curve-client-key", file("client")],
    ]);
    const keys = ({ secretKey, publicKey }: typeof client) => ({
      curve: { serverkey: server.publicKey, secretkey: secretKey, publickey: publicKey },
    });
    const endpoint = await ours.endpoint();
    const refused = await connected("PUSH", endpoint, keys(stranger));
    await ours.says(/handshake:error:auth/);
    const known = await connected("PUSH", endpoint, keys(client));
    await known.send(["sealed"]);
    expect(await ours.ended).toMatchObject({ code: 0, out: "sealed\n" });

    const plain = ["--plain-username", "ann", "--plain-password-file", file("password")];
    const plainServer = start([
      "pull",
      "-b",
      "tcp://127.0.0.1:*",
      "--count",
      "1",
      "--plain-server",
      ...plain,
    ]);
    const wrong = await connected("PUSH", await plainServer.endpoint(), {
      plain: { username: "ann", password: "x" },
    });
    await plainServer.says(/handshake:error:auth/);
    const right = await connected("PUSH", await plainServer.endpoint(), {
      plain: { username: "ann", password: "secret" },
    });
    await right.send(["let in"]);
    expect(await plainServer.ended).toMatchObject({ code: 0, out: "let in\n" });
    for (const socket of [theirs, known, right]) await socket.close();
    void refused;
    void wrong;
  });
});
