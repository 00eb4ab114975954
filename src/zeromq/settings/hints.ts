/**
 * Options that tell libzmq how to do its work: its threads, and transports that zwire does not have. They change nothing
 * that a peer or a program could see, so they are kept as they were set, and read back. `NODE_DEBUG=zwire` tells of each.
 */
import { debuglog } from "../../base/platform.js";

const debug = debuglog("zwire");

const NO_THREADS = "zwire has no I/O threads";
const NO_MULTICAST = "zwire has no multicast";

/** One of them. */
export interface Hint {
  readonly name: string;
  readonly why: string;
  /** Value before it is set; undefined for one that cannot be read before. */
  readonly initial: number | undefined;
  /** Whether libzmq takes the value. */
  readonly accepts: (value: number) => boolean;
  /** Kept as yes or no. */
  readonly flag?: boolean;
}

const natural = (value: number): boolean => value >= 0;
const positive = (value: number): boolean => value > 0;
const any = (): boolean => true;

function hint(
  name: string,
  initial: number | undefined,
  accepts: Hint["accepts"],
  why: string,
  flag = false,
): Hint {
  return { name, why, initial, accepts, flag };
}

/** Those of sockets, by libzmq's number. */
export const SOCKET_HINTS: ReadonlyMap<number, Hint> = new Map([
  [4, hint("affinity", 0, any, NO_THREADS)],
  [8, hint("rate", 100, positive, NO_MULTICAST)],
  [9, hint("recoveryInterval", 10000, natural, NO_MULTICAST)],
  [25, hint("multicastHops", 1, positive, NO_MULTICAST)],
  [84, hint("multicastMaxTransportDataUnit", 1500, positive, NO_MULTICAST)],
  [94, hint("loopbackFastPath", 0, any, "it is an option of Windows", true)],
]);

/** Those of contexts. 3 reads as something else. */
export const CONTEXT_HINTS: ReadonlyMap<number, Hint> = new Map([
  [1, hint("ioThreads", 1, natural, NO_THREADS)],
  [3, hint("threadPriority", undefined, natural, NO_THREADS)],
  [4, hint("threadSchedulingPolicy", undefined, natural, NO_THREADS)],
  [7, hint("the processors of the threads", undefined, natural, NO_THREADS)],
  [9, hint("the name of the threads", 0, natural, NO_THREADS)],
  [10, hint("receiving without a copy", 1, natural, "zwire decides by size", true)],
]);

/** What is kept of a hint that is set to a value; undefined where libzmq refuses it. */
export function keptHint({ name, why, accepts, flag }: Hint, value: number): number | undefined {
  if (!accepts(value)) return undefined;
  debug("%s = %d is kept and changes nothing: %s", name, value, why);
  return flag ? Number(value !== 0) : value;
}
