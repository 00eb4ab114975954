/** Sockets of pyzmq in one child process, for tests that need many of them. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll } from "vitest";

const PROGRAM = fileURLToPath(new URL("pyzmq-sockets.py", import.meta.url));

/** How a socket is made. */
export interface PySettings {
  readonly bind?: string;
  readonly connect?: string;
  /** By pyzmq's names of constants. */
  readonly options?: Readonly<Record<string, number | string>>;
  readonly curve?: Readonly<Record<string, number | string>>;
  readonly plain?: Readonly<Record<string, number | string>>;
}

/** A socket of pyzmq. Parts are text here. */
export interface PySocket {
  readonly endpoint: string;
  send(...messages: (string | Buffer)[][]): Promise<void>;
  receive(count: number): Promise<string[][]>;
  close(): Promise<void>;
}

interface Answer {
  readonly error?: string;
  readonly endpoint?: string;
  readonly messages?: string[][];
}

/** Sockets of pyzmq for all tests of a describe block: their process begins and ends with these. @param command see pyzmqSockets() */
export function pyzmqForAll(command: string | null): Pick<ReturnType<typeof pyzmqSockets>, "open"> {
  let peers: ReturnType<typeof pyzmqSockets> | undefined;
  beforeAll(() => {
    peers = pyzmqSockets(command as string);
  });
  afterAll(() => peers?.end());
  return { open: (type, settings) => peers!.open(type, settings) };
}

/** @param command a Python that has pyzmq: see findPython() */
export function pyzmqSockets(command: string) {
  const child = spawn(command, [PROGRAM], { stdio: ["pipe", "pipe", "inherit"] });
  const waiting: ((line: string) => void)[] = [];
  createInterface(child.stdout).on("line", (line) => waiting.shift()?.(line));
  const gone = new Promise<never>((_, reject) => {
    child.once("close", () => reject(new Error("the Python process has ended")));
  });
  gone.catch(() => {});
  const call = async (what: object): Promise<Answer> => {
    const line = new Promise<string>((resolve) => void waiting.push(resolve));
    child.stdin.write(`${JSON.stringify(what)}\n`);
    const answer = JSON.parse(await Promise.race([line, gone])) as Answer;
    if (answer.error !== undefined) throw new Error(answer.error);
    return answer;
  };
  let count = 0;
  return {
    async open(type: string, settings: PySettings): Promise<PySocket> {
      const name = `socket ${count++}`;
      const { endpoint } = await call({ do: "open", name, type, ...settings });
      return {
        endpoint: endpoint as string,
        async send(...messages) {
          const hex = messages.map((parts) =>
            parts.map((part) => Buffer.from(part as string).toString("hex")),
          );
          await call({ do: "send", name, messages: hex });
        },
        async receive(wanted) {
          const { messages } = await call({ do: "receive", name, count: wanted });
          return (messages as string[][]).map((parts) =>
            parts.map((part) => Buffer.from(part, "hex").toString()),
          );
        },
        close: async () => void (await call({ do: "close", name })),
      };
    },
    end: () => void child.kill("SIGKILL"),
  };
}
