// What a program in TypeScript takes from zeromq.js's declarations. Compiled against both packages; never run.
import whole, * as zmq from "zeromq";
import {
  type Event,
  type EventOfType,
  type EventSubscriber,
  type EventType,
  type Message,
  type MessageLike,
  type Readable,
  Request,
  type RouterConnectOptions,
  type Socket,
  type SocketOptions,
  type StreamConnectOptions,
  type Writable,
} from "zeromq";
import { Client, Dish, Radio, Scatter, Server } from "zeromq/draft";

const options: SocketOptions<zmq.Dealer> = {
  routingId: "me",
  linger: 0,
  context: new zmq.Context({ ioThreads: 1 }),
};

/** Takes any socket that can send, as libraries do. */
async function sendAll(socket: Writable, messages: MessageLike[]): Promise<void> {
  for (const message of messages) await socket.send(message);
}

async function first(socket: Readable): Promise<Message | undefined> {
  for await (const [part] of socket) return part;
  return undefined;
}

function describe(event: Event): string {
  switch (event.type) {
    case "accept":
    case "handshake":
      return event.address;
    case "connect:retry":
      return `${event.address} ${event.interval}`;
    case "bind:error":
      return `${event.error.code} ${event.error.errno}`;
    case "handshake:error:protocol":
      return event.error.code;
    case "handshake:error:auth":
      return String(event.error.status);
    case "end":
      return "end";
    default:
      return event.type;
  }
}

function count(events: EventSubscriber, type: EventType): void {
  events.on(type, () => undefined).off(type, () => undefined);
}

class Tuned extends zmq.Router {
  get backlogLimit(): number {
    return this.getInt32Option(19);
  }
  set backlogLimit(value: number) {
    this.setInt32Option(19, value);
  }
}

export async function main(): Promise<void> {
  const dealer = new zmq.Dealer(options);
  await sendAll(dealer, ["text", 1, null, Buffer.from("x"), new ArrayBuffer(1)]);
  const part: Buffer | undefined = await first(dealer);
  const parts: Message[] = await dealer.receive();
  parts.push(part ?? Buffer.alloc(0));
  await dealer.send(["a", Buffer.alloc(1), 1, null]);

  const router = new Tuned({ mandatory: true, handover: true, probeRouter: false });
  const named: RouterConnectOptions = { routingId: "x" };
  router.connect("tcp://127.0.0.1:5000", named);
  const id: string | null = router.routingId;
  const type: number = router.type;
  const mechanism: null | "plain" | "curve" | "gssapi" = router.securityMechanism;
  router.tcpAcceptFilter = null;

  const publisher = new zmq.XPublisher({ verbosity: "allSubs", manual: true, welcomeMessage: "hello" });
  publisher.verbosity = null;
  new zmq.Subscriber({ conflate: true }).subscribe("a", Buffer.from("b"));

  const stream = new zmq.Stream({ notify: false });
  const raw: StreamConnectOptions = {};
  stream.connect("tcp://127.0.0.1:80", raw);
  const [peer, octets]: [Message, Message] = await stream.receive();
  await stream.send([peer, octets]);

  for await (const event of dealer.events) describe(event);
  const event: Event = await dealer.events.receive();
  dealer.events.on("connect:retry", (retry: EventOfType<"connect:retry">) => retry.interval);
  count(dealer.events, "accept");

  const proxy = new zmq.Proxy(new zmq.Router(), new zmq.Dealer());
  const front: zmq.Router = proxy.frontEnd;
  const running: Promise<void> = proxy.run();
  proxy.terminate();

  const server = new Server();
  const [request, { routingId }] = await server.receive();
  await server.send(request, { routingId });
  const dish = new Dish();
  dish.join("a", Buffer.from("b"));
  const [message, { group }] = await dish.receive();
  await new Radio().send(message, { group });
  await new Client({ sendTimeout: 1 }).send("one part");
  await new Scatter({ conflate: true }).send("one part");

  const sockets: Socket[] = [
    dealer,
    router,
    publisher,
    front,
    new Request({ relaxed: true, correlate: true }),
  ];
  for (const socket of sockets) {
    const endpoint: string | null = socket.lastEndpoint;
    if (endpoint !== null && !socket.closed) await socket.unbind(endpoint);
    socket.close();
  }
  const keys: { publicKey: string; secretKey: string } = zmq.curveKeyPair();
  const able: boolean | undefined = zmq.capability.curve;
  const limit: number = zmq.context.maxSocketsLimit;
  const text: string = whole.version;
  new whole.Push({ linger: 0 }).close();
  await running;
  console.log(id, type, mechanism, event, keys, able, limit, text);

  // @ts-expect-error a Pull does not send
  new zmq.Pull().send("x");
  // @ts-expect-error a Push does not receive
  new zmq.Push().receive();
  // @ts-expect-error a Push has no such option
  new zmq.Push({ receiveTimeout: 1 });
  // @ts-expect-error not an option
  new zmq.Push({ lingr: 1 });
  // @ts-expect-error the type cannot be set
  dealer.type = 5;
  // @ts-expect-error options by number are for subclasses
  dealer.getInt32Option(5);
  // @ts-expect-error there is no such event
  dealer.events.on("nothing", () => undefined);
  // @ts-expect-error Socket itself has no constructor to call
  new zmq.Socket(5);
  // @ts-expect-error a Client sends one part
  new Client().send(["a", "b"]);
  // @ts-expect-error a Server needs to know to whom
  server.send("x");
}
