/**
 * What whoever asks for zeromq gets, by `import` and by `require`: the same classes, and those of the drafts; libzmq is
 * not in it. Run in a folder where zwire-zeromq stands in zeromq's place: see scripts/dependents.mjs.
 */
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import whole, { Pair, Router } from "zeromq";
import { Server } from "zeromq/draft";
import * as draft from "zeromq/draft.js";

const require = createRequire(import.meta.url);
process.removeAllListeners("warning"); // of the drafts, on purpose
assert.equal(require("zeromq/package.json").name, "zwire-zeromq");
assert.equal(require("zeromq").Router, Router);
assert.equal(whole.Router, Router);
assert.equal(require("zeromq/draft").Server, Server);
assert.equal(require("zeromq/draft.js").Server, Server);
assert.equal(draft.Server, Server);

const pairs = [new Pair(), new Pair()];
await pairs[0].bind("inproc://drop-in");
pairs[1].connect("inproc://drop-in");
await pairs[1].send(["hello", "there"]);
assert.deepEqual((await pairs[0].receive()).map(String), ["hello", "there"]);
for (const pair of pairs) pair.close();
