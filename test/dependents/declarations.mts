/** Compiled beside declarations.check.ts with several versions of @types/node: every entry of the package. */
import * as zwire from "zwire";
import * as draft from "zwire/draft";
import * as rpc from "zwire/rpc";
import * as zeromq from "zwire/zeromq";
import * as zeromqDraft from "zwire/zeromq/draft";

export const sockets: NodeJS.EventEmitter[] = [new zwire.Pull(), new draft.Dish()];
export const upstream: zeromq.Dealer = new zeromq.Dealer({ linger: 0 });
export const entries: object[] = [rpc, zeromqDraft];
