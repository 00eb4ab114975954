/** Types of roles.mjs, which is plain JavaScript because child processes run it unbuilt. */

/** What a role is told; see roles.mjs. */
export interface RoleJob {
  readonly count: number;
  readonly seed: number;
  /** Seed of what comes in, where it is not `seed` or `seed + 1` by the role. */
  readonly expected?: number;
  /** false leaves the 16 MiB parts out. Default true. */
  readonly big?: boolean;
  /** Messages of one part. Default false. */
  readonly single?: boolean;
  /** Parts before each message, as latin1 text: a ROUTER's peer, a DEALER's delimiter. */
  readonly envelope?: readonly string[];
  /** Number of such parts, to be copied from each message received. */
  readonly learn?: number;
  /** SERVER: peers have numbers. */
  readonly numbered?: boolean;
  /** RADIO and DISH. */
  readonly group?: string;
  /** Receives before it sends. */
  readonly waits?: boolean;
  /** Repeats SYNC until told that it was heard. */
  readonly sync?: boolean;
}

/** Between the two ends, beside the sockets. */
export interface Signals {
  /** The other end has heard SYNC. */
  gone(): boolean;
  /** This end hears SYNC. */
  heard(): void;
}

export interface RoleResult {
  readonly received: number;
  readonly mismatch: string | null;
}

export type RoleName =
  | "send"
  | "receive"
  | "request"
  | "reply"
  | "exchange"
  | "publish"
  | "subscribe"
  | "stream";

export const ROLES: Record<RoleName, (socket: object, job: RoleJob, signals: Signals) => Promise<RoleResult>>;
