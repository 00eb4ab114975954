/**
 * PUB and SUB: each message to everyone who asked for its topic. Run: node examples/publish-subscribe.mjs
 */
import { Publisher, Subscriber } from "zwire";

const publisher = new Publisher();
const endpoint = await publisher.bind("tcp://127.0.0.1:*");

/** Prints what it gets until the topic "end" comes, to which it subscribes as well. */
async function listen(...topics) {
  const subscriber = new Subscriber();
  subscriber.subscribe(...topics, "end");
  subscriber.connect(endpoint);
  for await (const [topic, text] of subscriber) {
    if (topic.toString() === "end") break;
    console.log(`[${topics}] ${topic}: ${text}`);
  }
  subscriber.close();
}

const listening = [listen("news"), listen("weather"), listen("news", "weather")];

// Who subscribes late has missed what was published before.
await publisher.waitForSubscribers(3);
await publisher.send(["news", "a whale was seen in the harbour"]);
await publisher.send(["weather", "fog until noon"]);
await publisher.send(["sports", "nobody hears this"]);
await publisher.send(["end"]);
await Promise.all(listening);
publisher.close();
