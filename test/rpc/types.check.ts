/**
 * What a program in TypeScript sees of zwire/rpc; compiled and not run (test/rpc/types.test.ts).
 */
import { type CallContext, connect, method, type RpcStream, serve } from "../../dist/rpc.js";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<A, B>(_: Equal<A, B>): void {}

const service = {
  add: (a: number, b: number) => a + b,
  later: async (text: string) => text.length,
  list: () => [1, 2],
  text: () => "text",
  *count(n: number): Generator<number> {
    yield n;
  },
  async *names(): AsyncGenerator<string> {
    yield "a";
  },
  math: { half: (x: number) => x / 2 },
  who: method((call: CallContext, prefix: string) => `${prefix} ${call.method}`),
  items: method(async function* (_call, n: number) {
    yield { n };
  }),
};

export async function program(): Promise<void> {
  await using server = await serve("tcp://127.0.0.1:*", service);
  await using api = connect<typeof service>(server.endpoint);
  same<number, Awaited<ReturnType<typeof api.add>>>(true);
  same<number, Awaited<ReturnType<typeof api.later>>>(true);
  same<number[], Awaited<ReturnType<typeof api.list>>>(true);
  same<string, Awaited<ReturnType<typeof api.text>>>(true);
  same<number, Awaited<ReturnType<typeof api.math.half>>>(true);
  same<[prefix: string], Parameters<typeof api.who>>(true);
  same<string, Awaited<ReturnType<typeof api.who>>>(true);
  for await (const n of api.count(1)) same<number, typeof n>(true);
  for await (const name of api.names()) same<string, typeof name>(true);
  for await (const item of api.items(1)) same<{ n: number }, typeof item>(true);
  const stream = await api.count(1);
  same<RpcStream<number>, typeof stream>(true);
  api.add(1, 2).cancel();
  const quick = api.$with({ timeout: 100 });
  same<number, Awaited<ReturnType<typeof quick.math.half>>>(true);
  const called = await api.$call<string>("anything", [1]);
  same<string, typeof called>(true);
  for await (const item of api.$stream<number>("count", [1])) same<number, typeof item>(true);

  // @ts-expect-error an argument of another type
  api.add("1", 2);
  // @ts-expect-error no such method
  api.nope();
  // @ts-expect-error the context is the server's
  api.who({} as CallContext, "x");
  // @ts-expect-error not a stream
  for await (const _ of api.add(1, 2));
  // @ts-expect-error no such option
  connect(server.endpoint, { timeOut: 1 });

  const python = connect<{ add(a: number, b: number): number; count(n: number): AsyncIterable<number> }>(
    "tcp://x:1",
  );
  same<number, Awaited<ReturnType<typeof python.add>>>(true);
  for await (const n of python.count(1)) same<number, typeof n>(true);

  const loose = connect(server.endpoint);
  same<number, typeof loose.$client.stats.calls>(true);
  const result: number = await loose.anything.at.all(1, "x");
  for await (const item of loose.stream()) void (item as number);
  void result;
}
