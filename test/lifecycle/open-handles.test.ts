/** Tools that look for handles left open, such as Jest's --detectOpenHandles, see ours exactly while a socket is open. */
import { expect, it } from "vitest";
import { startChild } from "../support/child.js";

it("nothing of zwire counts as an open handle once all sockets are closed", async () => {
  const child = startChild("open-handles.mjs");
  expect(await child.ended).toMatchObject({ code: 0, stderr: "" });
  const native = process.env.ZWIRE_ENGINE === "native"; // the portable engine has only node:net's handles
  expect(child.lines).toEqual([{ open: native ? [true] : [], closed: native ? [false] : [] }]);
});
