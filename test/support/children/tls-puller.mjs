/** A PULL that prints the number of each message that it gets. Argument: the endpoint to bind. */
import { Pull, say } from "./zwire.mjs";

const pull = new Pull();
say({ endpoint: await pull.bind(process.argv[2]) });
for await (const [number, body] of pull) {
  if (!body.equals(Buffer.alloc(20_000, Number(number)))) say({ wrong: Number(number) });
  say({ number: Number(number) });
}
