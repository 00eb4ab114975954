/**
 * Checks a descriptor for the portable engine, because node:net itself listens on any descriptor. Reads /proc (Linux),
 * which lists the sockets of this process's network namespace.
 */
import { fstatSync, readFileSync } from "node:fs";
import { descriptorError } from "../contract/stream-engine.js";

/** TCP_LISTEN in /proc/net/tcp. */
const LISTEN = "0A";
/** __SO_ACCEPTCON in /proc/net/unix. */
const ACCEPTING = 0x10000;
/** SOCK_STREAM in /proc/net/unix. */
const STREAM = "0001";

/** The line with this inode in a table of /proc/self/net, and its fields. */
function lineOf(
  table: string,
  inodeField: number,
  inode: string,
): { line: string; fields: string[] } | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/self/net/${table}`, "latin1");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined; // tcp6 is absent without IPv6
    throw error;
  }
  for (const line of text.split("\n")) {
    const fields = line.trim().split(/\s+/);
    if (fields[inodeField] === inode) return { line, fields };
  }
  return undefined;
}

function inodeOf(descriptor: number): string | undefined {
  try {
    const stat = fstatSync(descriptor, { bigint: true });
    return stat.isSocket() ? String(stat.ino) : undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EBADF") return undefined;
    throw error;
  }
}

/**
 * The path, or `@name`, of a listening ipc descriptor. "" for tcp, where the server itself has the address.
 * @throws ZmqError EINVAL if it is not a listening stream socket of the scheme
 */
export function listeningAddress(descriptor: number, scheme: "tcp" | "ipc"): string {
  const inode = inodeOf(descriptor);
  if (inode === undefined) throw descriptorError(descriptor, scheme);
  if (scheme === "tcp") {
    const found = lineOf("tcp", 9, inode) ?? lineOf("tcp6", 9, inode);
    if (found?.fields[3] !== LISTEN) throw descriptorError(descriptor, scheme);
    return "";
  }
  const found = lineOf("unix", 6, inode);
  if (found === undefined) throw descriptorError(descriptor, scheme);
  const [, , , flags, type] = found.fields;
  if (type !== STREAM || (Number.parseInt(flags, 16) & ACCEPTING) === 0) {
    throw descriptorError(descriptor, scheme);
  }
  // Not from `fields`: a path may contain spaces.
  return found.line.slice(found.line.indexOf(` ${inode} `) + inode.length + 2);
}
