/**
 * One side of an exchange between two sockets. The same function runs in a page, with zwire/web, and in Node, with zwire or
 * zeromq.js: so it uses nothing from outside.
 */

/** What all of them have. */
export interface AnySocket {
  connect(endpoint: string): void;
  bind(endpoint: string): Promise<unknown>;
  readonly lastEndpoint: string | null;
  send(message: unknown): Promise<void>;
  receive(): Promise<Uint8Array[]>;
  close(): unknown;
  subscribe(topic: string): void;
  waitForSubscribers?(count: number): Promise<void>;
}

/** A package's socket classes. */
export type Library = Record<string, new (options?: object) => AnySocket>;

export type Role = "sends" | "receives" | "asks" | "answers";

export interface Task {
  readonly role: Role;
  readonly type: string;
  /** To connect to; absent where `socket` is given. */
  readonly endpoint?: string;
  readonly socket?: AnySocket;
  readonly count: number;
  /** Bytes of the body in every tenth message. */
  readonly large: number;
  /** An empty part before each question, for a Reply behind a Dealer. */
  readonly envelope?: boolean;
}

/** @returns how many messages came whole and in order */
export async function exchange(task: Task): Promise<number> {
  const { role, type, count, large, envelope } = task;
  const socket: AnySocket = task.socket ?? new (globalThis as unknown as { zwire: Library }).zwire[type]();
  const decoder = new TextDecoder();
  if (type === "Subscriber") socket.subscribe("n");
  if (type === "XSubscriber") await socket.send("\x01n");
  if (task.endpoint !== undefined) socket.connect(task.endpoint);
  const message = (i: number) => [
    ...(envelope ? [""] : []),
    `n${i}`,
    i % 10 === 0 ? new Uint8Array(large).fill(i) : `small ${i}`,
  ];
  const check = (parts: Uint8Array[], i: number) => {
    const [head, body] = envelope ? parts.slice(1) : parts;
    const same =
      i % 10 === 0
        ? body.length === large && body.every((byte) => byte === i % 256)
        : decoder.decode(body) === `small ${i}`;
    if (decoder.decode(head) !== `n${i}` || !same)
      throw new Error(`message ${i} came as ${decoder.decode(head)}, ${body.length} bytes`);
  };
  const receive = async (): Promise<Uint8Array[]> => {
    const parts = await socket.receive();
    if (decoder.decode(parts[0]) !== "nsync") return parts;
    Object.assign(globalThis, { synchronised: true });
    return receive();
  };
  if (role === "sends") {
    if (type === "Publisher") await socket.waitForSubscribers?.(1);
    if (type === "XPublisher") await socket.receive();
    for (let i = 0; i < count; i++) await socket.send(message(i));
  } else if (role === "receives") {
    for (let i = 0; i < count; i++) check(await receive(), i);
  } else if (role === "answers") {
    for (let i = 0; i < count; i++) await socket.send(await socket.receive());
  } else if (type === "Request") {
    for (let i = 0; i < count; i++) {
      await socket.send(message(i));
      check(await socket.receive(), i);
    }
  } else {
    const sending = (async () => {
      for (let i = 0; i < count; i++) await socket.send(message(i));
    })();
    for (let i = 0; i < count; i++) check(await socket.receive(), i);
    await sending;
  }
  if (task.socket === undefined) await socket.close();
  return count;
}
