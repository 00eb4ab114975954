/**
 * `zwire bench` between two network namespaces, which are two machines for tcp: a pair of devices is all that joins them. Needs
 * root, and ip of iproute2.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { run } from "../support/command.js";
import { temporaryDirectory } from "../support/helpers.js";
import { buildTools, toolsReason } from "../support/libzmq-tools.js";

const PROGRAM = fileURLToPath(new URL("../../dist/cli/zwire.js", import.meta.url));
const [HERE, THERE] = [`zwa${process.pid}`, `zwb${process.pid}`];
const [NEAR, FAR] = ["10.78.0.1", "10.78.0.2"];

const ip = (line: string) => spawnSync("ip", line.split(" "), { encoding: "utf8" });

/** Why there are no two namespaces; null if there can be. */
function reasonOf(): string | null {
  const made = ip(`netns add ${HERE}`);
  if (made.status !== 0) return `no network namespaces: ${made.error?.message ?? made.stderr.trim()}`;
  const joined = ip(`link add name va${process.pid} netns ${HERE} type veth peer name vb${process.pid}`);
  ip(`netns del ${HERE}`);
  return joined.status === 0 ? null : `no veth devices: ${joined.stderr.trim()}`;
}

const reason = reasonOf();

/** A program in a namespace. */
function inside(namespace: string, ...command: string[]) {
  const child: ChildProcess = spawn("ip", ["netns", "exec", namespace, ...command], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const text = { out: "", err: "" };
  child.stdout!.on("data", (chunk) => (text.out += chunk));
  child.stderr!.on("data", (chunk) => (text.err += chunk));
  const ended = new Promise<{ code: number | null; out: string; err: string }>((resolve) =>
    child.once("close", (code) => resolve({ code, ...text })),
  );
  return { child, ended };
}

const zwire = (namespace: string, ...args: string[]) => inside(namespace, process.execPath, PROGRAM, ...args);

describe.skipIf(reason !== null)(
  `between two network namespaces${reason === null ? "" : ` (${reason})`}`,
  () => {
    beforeAll(() => {
      for (const line of [
        `netns add ${HERE}`,
        `netns add ${THERE}`,
        `link add name va netns ${HERE} type veth peer name vb netns ${THERE}`,
        `-n ${HERE} addr add ${NEAR}/24 dev va`,
        `-n ${THERE} addr add ${FAR}/24 dev vb`,
        `-n ${HERE} link set va up`,
        `-n ${THERE} link set vb up`,
      ]) {
        const { status, stderr } = ip(line);
        if (status !== 0) throw new Error(`ip ${line}: ${stderr}`);
      }
    });
    afterAll(() => {
      for (const namespace of [HERE, THERE]) ip(`netns del ${namespace}`);
    });

    it("two lines make a test of throughput, and one of latency", async () => {
      const serve = zwire(THERE, "bench", "serve", "--bind", "tcp://*:5555", "--json", "--count", "2");
      const common = ["--connect", `tcp://${FAR}:5555`, "--json", "--timeout", "30000"];
      const throughput = await zwire(
        HERE,
        "bench",
        "throughput",
        ...common,
        "--size",
        "1024",
        "--count",
        "1000000",
      ).ended;
      const latency = await zwire(HERE, "bench", "latency", ...common).ended;
      expect([throughput.code, throughput.err, latency.code, latency.err]).toEqual([0, "", 0, ""]);
      const [first, second] = [JSON.parse(throughput.out), JSON.parse(latency.out)];
      expect(first).toMatchObject({ test: "throughput", measured: "receiver", size: 1024, count: 1_000_000 });
      expect(second).toMatchObject({ test: "latency", measured: "asker", size: 64, count: 10_000 });
      const served = await serve.ended;
      expect(served).toMatchObject({ code: 0, err: "zwire bench: bound to tcp://0.0.0.0:5555\n" });
      const theirs = served.out
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line));
      expect(theirs.map(({ test }) => test)).toEqual(["throughput", "latency"]);
      expect(theirs[0].endpoint).toContain(`tcp://${NEAR}:`);
      expect(theirs[0].seconds).toBe(first.seconds);
    });

    it("the same with CURVE", async () => {
      const key = `${temporaryDirectory()}/server.key`;
      expect((await run(["keygen", key])).code).toBe(0);
      const serve = zwire(
        THERE,
        ...[
          "bench",
          "serve",
          "--bind",
          "tcp://*:5556",
          "--curve-secret-file",
          `${key}_secret`,
          "--count",
          "1",
        ],
      );
      const client = ["bench", "throughput", "--connect", `tcp://${FAR}:5556`, "--curve-server-key", key];
      const { code, out } = await zwire(HERE, ...client, "--count", "100000", "--timeout", "30000").ended;
      expect(code).toBe(0);
      expect(out).toContain("messages/s");
      expect((await serve.ended).code).toBe(0);
    });

    const noTools = toolsReason();
    it.skipIf(noTools !== null)(
      `with libzmq's local_thr and local_lat there${noTools === null ? "" : ` (${noTools})`}`,
      async () => {
        const tools = await buildTools();
        onTestFinished(() => tools.remove());
        for (const [tool, test, count] of [
          ["local_thr", "throughput", "500000"],
          ["local_lat", "latency", "5000"],
        ]) {
          const there = inside(THERE, tools.path, tool, "tcp://*:5557", "100", count);
          const ours = [
            "--libzmq",
            "--connect",
            `tcp://${FAR}:5557`,
            "--size",
            "100",
            "--count",
            count,
            "--timeout",
            "30000",
          ];
          expect((await zwire(HERE, "bench", test, ...ours).ended).code).toBe(0);
          expect((await there.ended).code).toBe(0);
        }
      },
    );
  },
);
