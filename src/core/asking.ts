/** The hidden socket by which the ZAP client asks its handler. It does not keep the process alive. */
import type { Message } from "../base/message.js";
import type { WaitingReceives } from "../engine/waiting-receives.js";
import type { OpenAsking } from "../security/zap/client.js";
import type { Listeners } from "./events.js";
import type { Sender } from "./sender.js";

/** A new DEALER. */
interface Dealer {
  readonly sender: Sender | null;
  readonly receives: WaitingReceives<unknown> | null;
  readonly endpoints: { connect(endpoint: string): void };
  unref(): void;
  close(linger: number): Promise<void>;
}

/** @param make makes a DEALER of the context that is asked about, whose events go to the listeners */
export function askingBy(make: (listeners: Listeners) => Dealer): OpenAsking {
  return (endpoint, reply, lost) => {
    const emit = (type: string, event: unknown): boolean => {
      const { error } = event as { error?: Error };
      if (type === "disconnect") lost("the ZAP handler has gone", error);
      else if (type.startsWith("handshake:error")) lost("the ZAP handler cannot be talked to", error);
      return true;
    };
    const dealer = make({ listenerCount: () => 1, emit });
    dealer.unref();
    dealer.receives?.listen((parts) => reply(parts as Message));
    dealer.endpoints.connect(endpoint);
    return {
      ask: (question) => dealer.sender?.queue.trySend(question) === true,
      close: () => void dealer.close(0),
    };
  };
}
