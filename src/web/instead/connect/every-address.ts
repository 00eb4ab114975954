/** Stands for connect/every-address.ts: a browser looks names up by itself, and tells no page what it finds. */
import { ZmqError } from "../../../base/errors.js";

/** Options of one connect(): none in a page. */
export interface ConnectOptions {
  readonly all?: false;
}

/** What `all` asks for: nothing can, in a page. */
export type EveryAddressOptions = never;

/** @throws ZmqError ENOTSUP for `all` */
export function checkConnectOptions(options: ConnectOptions | undefined): undefined {
  if ((options as { all?: unknown } | undefined)?.all)
    throw new ZmqError("ENOTSUP", { detail: "a page cannot look names up: all is for Node" });
}

export class EveryAddress {}
