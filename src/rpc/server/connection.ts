/**
 * One connection of a server: what is divided among connections, not among the clients behind them.
 */
import { Line } from "./limiter.js";

/** A connection's share of the server. Behind a broker, many clients share one connection. */
export class Connection {
  /** Its routing id, as text. */
  readonly name: string;
  /** Known clients behind it. */
  clients = 0;
  /** Open channels. */
  open = 0;
  /** Calls that wait for a place. */
  readonly line = new Line();
  /** Limits that it has exceeded and that were reported. */
  readonly told = new Set<string>();

  constructor(name: string) {
    this.name = name;
  }
}
