/**
 * What an editor shows of options, asked of the compiler's language server on the built declarations.
 */
import { afterAll, expect, it } from "vitest";
import { LanguageServer } from "../../support/language-server.js";

const server = new LanguageServer();
afterAll(() => server.close());

const PROGRAM = `import { Publisher, Push, Router } from "../dist/index.js";
const push = new Push({ sendHighWaterMark: 1 });
push.sendHighWaterMark;
new Push({  });
new Router({ onFull: null });
new Publisher().onFull;
`;

it("completing and pointing at options shows what they mean, in constructors and on sockets", async () => {
  const uri = await server.open("program-in-an-editor.ts", PROGRAM);
  const meaning = "Messages queued for each peer at most; 0 for no limit. Default 1000.";
  expect(await server.hover(uri, 1, 28)).toContain(meaning);
  expect(await server.hover(uri, 2, 8)).toContain(meaning);
  expect(await server.hover(uri, 2, 8)).toContain("sendHighWaterMark: number");
  expect(await server.suggestion(uri, 3, 11, "sendHighWaterMark")).toBe(meaning);
  expect(await server.suggestion(uri, 2, 5, "sendHighWaterMark")).toBe(meaning);
  expect(await server.suggestion(uri, 3, 11, "receiveHighWaterMark")).toBeUndefined();
  expect(await server.hover(uri, 4, 15)).toContain('null: "wait" with `mandatory`');
  expect(await server.hover(uri, 5, 18)).toContain('Default "dropNewest".');
});
