/** Limits of this machine that a program with many connections or much traffic meets. */
import { accessSync, constants, readFileSync } from "node:fs";
import { networkInterfaces, totalmem } from "node:os";
import { type Finding, failure, ok, skipped, warning } from "./finding.js";

/** A connection takes one descriptor. Below this, a server of ordinary size meets the limit. */
const FEW_DESCRIPTORS = 4096;
/** The option `backlog` by default: connections that wait to be accepted. The system cuts it to its own limit. */
const BACKLOG = 100;
/** What zwire requests as the buffer of an ipc connection. */
const IPC_BUFFER = 1024 * 1024;
/** Bytes of a path in a Unix socket's address, without the zero behind it. */
const PATH_BYTES = process.platform === "darwin" ? 103 : 107;
/** What `ipc://*` adds to it: a folder's name of ten characters, and that of the socket. */
const OWN_PATH_BYTES = 1 + 10 + "/socket".length;
const MIB = 1024 * 1024;

/** The text of a file of the system; undefined if there is none. */
function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return undefined; // another system, or not readable in this container: the finding says so
  }
}

function descriptors(): Finding {
  const name = "open files";
  const line = read("/proc/self/limits")
    ?.split("\n")
    .find((one) => one.startsWith("Max open files"));
  if (line === undefined) return skipped(name, "this system does not tell");
  const [soft, hard] = line.match(/\d+|unlimited/g) ?? [];
  const found = `${soft} at most (hard limit ${hard})`;
  if (soft === "unlimited" || Number(soft) >= FEW_DESCRIPTORS) return ok(name, found);
  return warning(
    name,
    found,
    "Each connection takes one. Raise it: `ulimit -n 65536`, LimitNOFILE of systemd, or --ulimit of Docker.",
  );
}

/** A number of the kernel that should be at least as large. */
function kernelNumber(name: string, path: string, least: number, advice: string): Finding {
  const text = read(path);
  if (text === undefined) return skipped(name, `there is no ${path}`);
  return Number(text) >= least ? ok(name, text) : warning(name, text, advice);
}

function temporaryFolder(): Finding {
  const name = "folder for ipc://*";
  const { TMPDIR, TEMPDIR, TMP } = process.env;
  const folder = TMPDIR ?? TEMPDIR ?? TMP ?? process.cwd();
  const bytes = Buffer.byteLength(folder);
  if (process.platform === "win32") return skipped(name, "ipc uses named pipes here");
  try {
    accessSync(folder, constants.W_OK);
  } catch (error) {
    return failure(name, (error as Error).message, "Set TMPDIR to a folder that this user may write to.");
  }
  if (bytes + OWN_PATH_BYTES <= PATH_BYTES) return ok(name, folder);
  return failure(
    name,
    `${folder} has ${bytes} bytes`,
    `The address of a Unix socket has ${PATH_BYTES}: set TMPDIR to a shorter path.`,
  );
}

function ipv6(): Finding {
  const has = Object.values(networkInterfaces()).some((list) =>
    list?.some(({ family }) => family === "IPv6"),
  );
  return has ? ok("IPv6", "an interface has an address") : skipped("IPv6", "no interface has an address");
}

function memory(): Finding {
  const limit = read("/sys/fs/cgroup/memory.max");
  const total = `${Math.round(totalmem() / MIB)} MiB`;
  if (limit === undefined || limit === "max") return ok("memory", total);
  const mib = Math.round(Number(limit) / MIB);
  const found = `${mib} MiB of ${total} (limit of the control group)`;
  // maxQueuedBytes: 256 MiB for each direction of each socket.
  if (mib >= 512) return ok("memory", found);
  return warning(
    "memory",
    found,
    "A socket may queue 256 MiB in each direction: lower maxQueuedBytes (docs/options.md).",
  );
}

/** Looks at the machine. */
export function machine(): Finding[] {
  return [
    descriptors(),
    kernelNumber(
      "connections that wait to be accepted",
      "/proc/sys/net/core/somaxconn",
      BACKLOG,
      `Many clients that come at once are refused or wait: sysctl -w net.core.somaxconn=4096, and the option backlog.`,
    ),
    kernelNumber(
      "largest send buffer",
      "/proc/sys/net/core/wmem_max",
      IPC_BUFFER,
      `zwire requests 1 MiB for ipc and gets this: sysctl -w net.core.wmem_max=${IPC_BUFFER} makes large messages faster where there is no shared memory.`,
    ),
    memory(),
    temporaryFolder(),
    ipv6(),
  ];
}
