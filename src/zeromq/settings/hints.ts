/**
 * Options about libzmq's internals: its threads, and transports that zwire, or the type of the socket, does not have. They have no
 * effect that a peer or a program could see. So zwire stores their values and returns them. `NODE_DEBUG=zwire` logs each one that is set.
 */
import { debuglog } from "../../base/platform.js";

const debug = debuglog("zwire");

const NO_THREADS = "zwire has no I/O threads";
const NO_PGM = "zwire has neither pgm nor norm";
const NO_UDP = "only Radio and Datagram, over udp, have multicast";

/** One such option. */
export interface Hint {
  readonly name: string;
  readonly why: string;
  /** Value before it is set; undefined if it cannot be read before. */
  readonly initial: number | undefined;
  /** Whether libzmq accepts the value. */
  readonly accepts: (value: number) => boolean;
  /** Stored as 0 or 1. */
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

/** Hints of sockets, by libzmq's number. */
export const SOCKET_HINTS: ReadonlyMap<number, Hint> = new Map([
  [4, hint("affinity", 0, any, NO_THREADS)],
  [8, hint("rate", 100, positive, NO_PGM)],
  [9, hint("recoveryInterval", 10000, natural, NO_PGM)],
  [25, hint("multicastHops", 1, positive, NO_UDP)],
  [84, hint("multicastMaxTransportDataUnit", 1500, positive, NO_PGM)],
  [94, hint("loopbackFastPath", 0, any, "it is an option of Windows", true)],
]);

/** Hints of contexts, by number. Number 3 means another option when it is read. */
export const CONTEXT_HINTS: ReadonlyMap<number, Hint> = new Map([
  [1, hint("ioThreads", 1, natural, NO_THREADS)],
  [3, hint("threadPriority", undefined, natural, NO_THREADS)],
  [4, hint("threadSchedulingPolicy", undefined, natural, NO_THREADS)],
  [7, hint("the processors of the threads", undefined, natural, NO_THREADS)],
  [9, hint("the name of the threads", 0, natural, NO_THREADS)],
  [10, hint("receiving without a copy", 1, natural, "zwire decides by size", true)],
]);

/**
 * The value to store for a hint; undefined if libzmq refuses it.
 * @param acts whether this socket does use it
 */
export function keptHint(
  { name, why, accepts, flag }: Hint,
  value: number,
  acts = false,
): number | undefined {
  if (!accepts(value)) return undefined;
  if (!acts) debug("%s = %d is kept and changes nothing: %s", name, value, why);
  return flag ? Number(value !== 0) : value;
}
