/** What is used of a browser's WebSocket. The global has these members in pages, workers, Deno, Bun and Node 22. */

export interface WebSocketLike {
  binaryType: string;
  readonly protocol: string;
  readonly readyState: number;
  readonly bufferedAmount: number;
  onopen: (() => void) | null;
  onmessage: ((event: { readonly data: unknown }) => void) | null;
  onclose: ((event: CloseReason) => void) | null;
  onerror: (() => void) | null;
  send(data: Uint8Array): void;
  close(code?: number, reason?: string): void;
}

export interface CloseReason {
  readonly code: number;
  readonly reason: string;
  readonly wasClean: boolean;
}

type Constructor = new (url: string, protocols: string[]) => WebSocketLike;

/** Opens a WebSocket. @throws Error where this runtime has none, and what the browser throws for a URL that it refuses */
export function newWebSocket(url: string, protocols: string[]): WebSocketLike {
  const { WebSocket } = globalThis as { WebSocket?: Constructor };
  if (WebSocket === undefined) throw new Error("this runtime has no WebSocket");
  const socket = new WebSocket(url, protocols);
  socket.binaryType = "arraybuffer";
  return socket;
}
