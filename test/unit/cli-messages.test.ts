/** The command lines of messages: what is refused, before anything is bound, and the options that a socket type has. */
import { describe, expect, it } from "vitest";
import { main } from "../../src/cli/main.js";

async function run(args: readonly string[]) {
  const result = { code: -1, out: "", err: "" };
  result.code = await main(args, {
    out: (text) => void (result.out += text),
    error: (text) => void (result.err += text),
    drained: async () => {},
  });
  return result;
}

describe("exit code", () => {
  it.each([
    [["push", "x"], "Give --bind or --connect"],
    [["push", "-c", "tcp://x", "y"], "host:port"],
    [["push", "-c", "frob://x", "y"], "frob"],
    [["push", "-c", "tcp://127.0.0.1:1", "-o", "linger=x", "y"], "linger must be a number"],
    [["push", "-c", "tcp://127.0.0.1:1", "-o", "linger=-2", "y"], "linger must be an integer from -1"],
    [["push", "-c", "tcp://127.0.0.1:1", "-o", "subscriptions=1", "y"], 'PUSH has no option "subscriptions"'],
    [["push", "-c", "tcp://127.0.0.1:1", "-o", "linger", "y"], "name=value"],
    [["push", "-c", "tcp://127.0.0.1:1", "--format", "hex", "xyz"], "hexadecimal"],
    [["push", "-c", "tcp://127.0.0.1:1", "--file", "a", "y"], "not both"],
    [["rep", "-b", "tcp://127.0.0.1:*", "--echo", "--reply", "x"], "one of --echo"],
    [["pull", "-b", "tcp://127.0.0.1:*", "x"], "takes no arguments"],
    [["pull", "-b", "tcp://127.0.0.1:*", "--curve-client-key", "x"], "--curve-client-key needs"],
    [["pull", "-c", "tcp://127.0.0.1:1", "--curve-server-key", "x"], "there is no file x"],
    [["pull", "-c", "tcp://127.0.0.1:1", "--plain-username", "x"], "--plain-password-file"],
    [["dish", "-c", "tcp://127.0.0.1:1"], "Give --join"],
    [["pull", "-b", "inproc://x"], "inproc connects sockets within a process"],
    [["push", "-c", "inproc://x", "y"], "inproc connects sockets within a process"],
    [
      [
        "pull",
        "-b",
        "tcp://127.0.0.1:*",
        "--plain-server",
        "--plain-username",
        "a",
        "--plain-password-file",
        "/dev/null",
      ],
      "--plain-server needs a password: the first line of /dev/null is empty",
    ],
  ])("2 for a wrong command line: %j", async (args, message) => {
    const { code, out, err } = await run(args);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toContain(`zwire ${args[0]}: `);
    expect(err).toContain(message);
  });

  it("leaves no listener for signals behind", () => {
    for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) expect(process.listenerCount(name), name).toBe(0);
  });
});
