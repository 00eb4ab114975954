/** A WebSocket as a page has it, of which a test sees and decides everything. */
import type { CloseReason, WebSocketLike } from "../../../src/web/web-socket.js";

export class FakeWebSocket implements WebSocketLike {
  binaryType = "arraybuffer";
  protocol = "";
  readyState = 1;
  bufferedAmount = 0;
  onopen: (() => void) | null = null;
  onmessage: ((event: { readonly data: unknown }) => void) | null = null;
  onclose: ((event: CloseReason) => void) | null = null;
  onerror: (() => void) | null = null;
  /** What was sent. */
  readonly sent: Buffer[] = [];
  /** The code of close(). */
  closed: number | undefined;

  send(data: Uint8Array): void {
    this.sent.push(Buffer.from(data));
  }

  close(code?: number): void {
    this.closed ??= code;
  }

  /** A message from the peer. */
  say(...bytes: (number | Uint8Array)[]): void {
    const all = Buffer.concat(bytes.map((one) => (typeof one === "number" ? Buffer.of(one) : one)));
    this.onmessage?.({ data: Uint8Array.from(all).buffer });
  }

  /** The peer, or the network, ends the connection. */
  end(code: number, reason = ""): void {
    this.readyState = 3;
    this.onclose?.({ code, reason, wasClean: code !== 1006 });
  }
}
