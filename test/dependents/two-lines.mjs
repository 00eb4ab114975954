/** What a package manager installed runs: a message goes through, by `import` and by `require`. */
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { Pull, Push } from "zwire";

assert.equal(createRequire(import.meta.url)("zwire").Push, Push);
const [push, pull] = [new Push(), new Pull()];
await pull.bind("tcp://127.0.0.1:*");
push.connect(pull.lastEndpoint);
await push.send("hello");
assert.equal(String((await pull.receive())[0]), "hello");
push.close();
pull.close();
