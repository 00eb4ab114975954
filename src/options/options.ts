/**
 * The TypeScript types of options, as they follow from the table in table.ts.
 */
import type { Buffer } from "../base/platform.js";
import type { SecurityValues } from "../security/settings.js";
import type { SocketType } from "./row.js";
import type { OnFull } from "./rows/patterns.js";
import type { AllFields, FieldsOf } from "./table.js";

export type { OnFull } from "./rows/patterns.js";
export type { OptionName } from "./table.js";

/** Limits and defaults that sockets get from their context; see Context. */
export interface SocketContext {
  /** Sockets that may be open at once. */
  maxSockets: number;
  /** Default of the sockets' `ipv6`. */
  ipv6: boolean;
  /** false: sockets do not linger unless told to (S11). */
  blocky: boolean;
  /** Largest part of sockets that set no maxMessageSize of their own. */
  maxMessageSize: number;
}

/** Fields that only a constructor accepts. */
export interface ContextField {
  /** The context, whose inproc names and limits the socket has. Constructor field only. Default: the process's own context. */
  context?: SocketContext;
}

/** Options of one socket type as constructor fields. Times are in milliseconds, sizes in bytes, unless said otherwise. */
export type OptionsOf<Type extends SocketType> = ContextField & FieldsOf<Type>;

/** Values that are stored in another form than the application gives them. */
interface Kept extends SecurityValues {
  conflate: boolean | "topic";
  onFull: OnFull | null;
  routingId: Buffer | null;
  welcomeMessage: Buffer | null;
  helloMessage: Buffer | null;
  disconnectMessage: Buffer | null;
  hiccupMessage: Buffer | null;
  tcpAcceptFilter: readonly string[];
  metadata: ReadonlyMap<string, Buffer>;
}

/** Every option with its value. */
export interface OptionValues extends Required<Omit<AllFields, keyof Kept>>, Kept {}

/**
 * The options of one socket type as properties: all but the ones that only a constructor takes. The first half is there
 * for its doc comments, which TypeScript 7 does not show through the mapped type of the second.
 */
export type PropertiesOf<Type extends SocketType> = FieldsOf<Type> & Required<FieldsOf<Type>>;
