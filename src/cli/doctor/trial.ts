/** Messages over each transport, from one socket of this process to another. */
import { curveKeyPair, engine, Pull, Push } from "../../index.js";
import { type Finding, failure, ok, skipped, warning } from "./finding.js";

const MESSAGES = 40;
/** Above the size at which ipc changes over to shared memory. */
const BYTES = 64 * 1024;
const PATIENCE = 5000;

interface Trial {
  readonly name: string;
  readonly endpoint: string;
  readonly curve?: boolean;
  readonly ipv6?: boolean;
  /** What to do if it fails. */
  readonly advice: string;
}

const TRIALS: readonly Trial[] = [
  { name: "inproc", endpoint: "inproc://zwire-doctor", advice: "Please report this." },
  {
    name: "tcp",
    endpoint: "tcp://127.0.0.1:*",
    advice: "Look for a firewall on the loopback interface, and for a sandbox without network.",
  },
  {
    name: "tcp, CURVE",
    endpoint: "tcp://127.0.0.1:*",
    curve: true,
    advice: "If tcp works without CURVE, libsodium does not work here: please report this.",
  },
  {
    name: "tcp over IPv6",
    endpoint: "tcp://[::1]:*",
    ipv6: true,
    advice: "Use IPv4 addresses, or give the loopback interface its address ::1.",
  },
  {
    name: "ws",
    endpoint: "ws://127.0.0.1:*",
    advice: "As for tcp; if that works, please report this.",
  },
  { name: "ipc", endpoint: "ipc://*", advice: "Look at the folder for ipc://* above, and at a sandbox." },
];

/** Sends and receives; resolves to how many connections shared memory. */
async function exchange({ endpoint, curve = false, ipv6 = false }: Trial): Promise<number> {
  const [server, client] = curve ? [curveKeyPair(), curveKeyPair()] : [];
  const pull = new Pull({
    receiveTimeout: PATIENCE,
    ipv6,
    ...(server && { curveServer: true, curveSecretKey: server.secretKey }),
  });
  const push = new Push({
    sendTimeout: PATIENCE,
    ipv6,
    linger: 0,
    ...(server &&
      client && {
        curveServerKey: server.publicKey,
        curvePublicKey: client.publicKey,
        curveSecretKey: client.secretKey,
      }),
  });
  try {
    push.connect(await pull.bind(endpoint));
    const body = Buffer.alloc(BYTES, 7);
    const sent = (async () => {
      for (let i = 0; i < MESSAGES; i++) await push.send([`${i}`, body]);
    })();
    const received = (async () => {
      for (let i = 0; i < MESSAGES; i++) {
        const [number, part] = await pull.receive();
        if (String(number) !== `${i}` || !part.equals(body))
          throw new Error(`message ${i} did not come as it was sent`);
      }
    })();
    await Promise.all([sent, received]);
    return pull.stats.sharedMemory;
  } finally {
    await Promise.all([push.close(), pull.close()]);
  }
}

function sharing(connections: number): Finding {
  const name = "shared memory of ipc";
  if (engine() === "portable") return skipped(name, "the portable engine has none");
  if (process.platform !== "linux") return skipped(name, "it exists on Linux only");
  if (connections > 0) return ok(name, "agreed");
  return warning(
    name,
    "not agreed",
    "Large messages go through the socket, more slowly. A sandbox may forbid memfd_create (docs/shared-memory.md).",
  );
}

/** Tries all transports, one after the other. */
export async function trials(): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const trial of TRIALS) {
    const { name, advice } = trial;
    if (name === "ipc" && process.platform === "win32") {
      findings.push(skipped(name, "not on Windows"));
      continue;
    }
    try {
      const connections = await exchange(trial);
      findings.push(ok(name, `${MESSAGES} messages of 64 KiB`));
      if (name === "ipc") findings.push(sharing(connections));
    } catch (error) {
      const found = (error as Error).message;
      findings.push(name === "tcp over IPv6" ? warning(name, found, advice) : failure(name, found, advice));
    }
  }
  return findings;
}
