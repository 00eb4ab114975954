/** The command zwire-rpc, run as a child from dist/ against a Python and a Node server. Knows it by what it prints. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type PythonPool, type Server, serve, spawnPython } from "../../src/rpc.js";
import { freePort } from "../support/helpers.js";
import { python, withPython } from "../support/python-rpc.js";

const command = fileURLToPath(new URL("../../dist/cli/rpc.js", import.meta.url));
const worker = fileURLToPath(new URL("python/worker.py", import.meta.url));

function run(...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [command, ...args], { stdio: ["ignore", "pipe", "pipe"] });
    const text = { out: "", err: "" };
    child.stdout.setEncoding("utf8").on("data", (chunk) => (text.out += chunk));
    child.stderr.setEncoding("utf8").on("data", (chunk) => (text.err += chunk));
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, ...text }));
  });
}

describe("zwire-rpc", () => {
  let server: Server;
  let endpoint: string;

  beforeAll(async () => {
    const service = {
      /** Shown by nothing: JavaScript keeps no comments. */
      add: (a: number, b = 1) => a + b,
      echo: (value: unknown) => value,
      echoAll: (...values: unknown[]) => values,
      fail: (text: string) => {
        throw new RangeError(text);
      },
      never: () => new Promise(() => {}),
      *count(n: number) {
        for (let i = 0; i < n; i++) yield { i };
      },
    };
    server = await serve("tcp://127.0.0.1:*", service, { name: "shop" });
    [endpoint] = server.endpoints;
  });
  afterAll(() => server?.close({ grace: 0 }));

  it("list prints the names", async () => {
    const { code, out } = await run("list", endpoint);
    expect(out.trim().split("\n").sort()).toEqual(["add", "count", "echo", "echoAll", "fail", "never"]);
    expect(code).toBe(0);
  });

  it("inspect prints names with parameters, of one method too", async () => {
    const { out, code } = await run("inspect", endpoint);
    expect(out).toMatch(/^shop\n/);
    expect(out).toMatch(/^add\(a, b/m);
    expect(code).toBe(0);
    expect((await run("inspect", endpoint, "echo")).out).toBe("echo(value)\n");
    expect(await run("inspect", endpoint, "nothing")).toMatchObject({
      code: 1,
      err: "zwire-rpc: no such method: nothing\n",
    });
  });

  it("call takes JSON and prints JSON", async () => {
    expect(await run("call", endpoint, "add", "1", "-2")).toMatchObject({ code: 0, out: "-1\n", err: "" });
    const value = '{"a":[1,null,true,"ä"],"b":{"$base64":"AP8="}}';
    expect((await run("call", endpoint, "echo", value)).out).toBe(`${value}\n`);
    expect((await run("call", "--strings", endpoint, "echoAll", "1", "x y")).out).toBe('["1","x y"]\n');
    expect((await run("call", "-p", endpoint, "echo", "[1]")).out).toBe("[\n  1\n]\n");
  });

  it("stream prints one value per line, and leaves after --limit", async () => {
    expect((await run("stream", endpoint, "count", "3")).out).toBe('{"i":0}\n{"i":1}\n{"i":2}\n');
    const { out, code } = await run("stream", "-n", "2", endpoint, "count", "100000000");
    expect(out).toBe('{"i":0}\n{"i":1}\n');
    expect(code).toBe(0);
  });

  it("errors are printed in words, and the exit code says which kind", async () => {
    expect(await run("call", endpoint, "fail", '"oh no"')).toMatchObject({
      code: 1,
      err: "RangeError: oh no\n",
    });
    expect((await run("call", "-v", endpoint, "fail", '"oh no"')).err).toContain("command.test.ts");
    expect(await run("call", endpoint, "nothing")).toMatchObject({
      code: 1,
      err: "zwire-rpc: no such method: nothing\n",
    });
    const late = await run("call", "-t", "200", endpoint, "never");
    expect(late.code).toBe(3);
    expect(late.err).toMatch(/^zwire-rpc: no answer to never within 200 ms\n$/);
    const absent = await run("list", "-t", "200", await freePort());
    expect(absent.code).toBe(3);
    expect(absent.err).toMatch(/no server was there/);
  });

  it("a wrong command line prints what is wrong, with exit code 2", async () => {
    const wrong: [string[], RegExp][] = [
      [[], /say what to do/],
      [["sing", "x"], /sing: there is no such command/],
      [["call", "tcp://127.0.0.1:1"], /name of a method is missing/],
      [["call", "tcp://127.0.0.1:1", "add", "hello"], /hello: not JSON .*--strings/],
      [["list"], /an endpoint is missing/],
      [["list", "nonsense"], /nonsense/],
      [["list", "--colour", "tcp://127.0.0.1:1"], /--colour/],
      [["list", "-t", "soon", "tcp://127.0.0.1:1"], /--timeout must be/],
      [["stream", "-n", "-1", "tcp://127.0.0.1:1", "x"], /--limit must be/],
    ];
    const ends = await Promise.all(wrong.map(([args]) => run(...args)));
    for (const [i, [args, text]] of wrong.entries()) {
      expect(ends[i].err).toMatch(text);
      expect(ends[i], args.join(" ")).toMatchObject({ code: 2, out: "" });
    }
  });

  it("--help prints the usage", async () => {
    const { code, out } = await run("--help");
    expect(out).toMatch(/zwire-rpc stream/);
    expect(code).toBe(0);
  });
});

describe.skipIf(python.command === null)(`zwire-rpc ${withPython}`, () => {
  let pool: PythonPool;
  beforeAll(async () => {
    pool = await spawnPython(worker, { python: python.command!, pythonArgs: ["-B"], onOutput: () => {} });
  });
  afterAll(() => pool?.close());

  it("asks a Python server", async () => {
    const [{ endpoint }] = pool.workers;
    expect((await run("call", endpoint, "add", "1", "2")).out).toBe("3\n");
    expect((await run("call", endpoint, "large")).out).toBe(
      '{"big":9223372036854775808,"bytes":{"$base64":"AQ=="},"list":[1.5,null,"ä"]}\n',
    );
    expect((await run("stream", endpoint, "acount", "2")).out).toBe('{"i":0}\n{"i":1}\n');
    expect((await run("inspect", endpoint, "add")).out).toBe("add(a, b = 0)\n    Adds two numbers.\n");
    const failed = await run("call", "-v", endpoint, "fail", '"oh no"');
    expect(failed).toMatchObject({
      code: 1,
      err: expect.stringMatching(/^ValueError: oh no\nTraceback[\s\S]*worker.py/),
    });
    expect(await run("call", endpoint, "die", "1")).toMatchObject({ code: 4 });
  });
});
