/**
 * zwire/web: in runtimes that have a WebSocket, as Vite builds and serves it, in Chromium, and its declarations in old and new
 * TypeScript, for programs that know the DOM and no Node.js.
 */
import { existsSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { pathToFileURL } from "node:url";
import { RUNTIMES } from "./runtimes.mjs";
import { folder, install, once, run, Skipped, VERSIONS } from "./tools.mjs";

/** What a page, or what stands for one, does with a server; `done` tells what came of it. */
const CLIENT = `import { curveKeyPair, Dealer, json, loadCurve, Request, text } from "zwire/web";
export async function tryWeb({ plain, sealed, serverKey }) {
  const request = new Request();
  request.connect(plain);
  const [answer] = await request.request(JSON.stringify({ question: 7 }), { timeout: 20000 });
  await loadCurve();
  const dealer = new Dealer({ curveServerKey: serverKey, curveSecretKey: curveKeyPair().secretKey });
  dealer.connect(sealed);
  await dealer.send(new Uint8Array(200000).fill(9));
  const [length] = await dealer.receive({ timeout: 20000 });
  await Promise.all([request.close(), dealer.close()]);
  return \`\${json(answer).question} \${text(length)}\`;
}
`;
const SERVER = `import { curveKeyPair, Dealer, Reply } from "zwire";
export async function serve(bind = (path) => \`ws://127.0.0.1:*\${path}\`) {
  const { publicKey, secretKey } = curveKeyPair();
  const reply = new Reply();
  const dealer = new Dealer({ curveServer: true, curveSecretKey: secretKey, authenticate: () => true });
  reply.on("message", (parts) => reply.send(parts));
  dealer.on("message", ([body]) => dealer.send(String(body.length)));
  const ends = { plain: await reply.bind(bind("/plain")), sealed: await dealer.bind(bind("/sealed")) };
  return { ...ends, serverKey: publicKey, close: () => Promise.all([reply.close(), dealer.close()]) };
}
`;
const BOTH = `import { tryWeb } from "./client.mjs";
import { serve } from "./server.mjs";
const server = await serve();
console.log("said", await tryWeb(server));
await server.close();
`;
const SAID = "7 200000";

const shared = once(async (tarball) => {
  const path = folder("pages");
  await install(
    path,
    [tarball, VERSIONS.bundlers.find((one) => one.startsWith("vite@"))],
    "--ignore-scripts",
  );
  writeFileSync(join(path, "client.mjs"), CLIENT);
  writeFileSync(join(path, "server.mjs"), SERVER);
  writeFileSync(join(path, "both.mjs"), BOTH);
  writeFileSync(
    join(path, "main.mjs"),
    `import { tryWeb } from "./client.mjs";
const task = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
tryWeb(task).then((said) => { document.title = said; }, (error) => { document.title = String(error.stack); });
`,
  );
  writeFileSync(
    join(path, "index.html"),
    '<!doctype html><title>waits</title><link rel="icon" href="data:,"><script type="module" src="/main.mjs"></script>',
  );
  return path;
});

/** Opens a page, and says what its title became. */
async function inChromium(url) {
  const names = ["chromium", "chromium-browser", "google-chrome"];
  const paths = (process.env.PATH ?? "")
    .split(delimiter)
    .flatMap((path) => names.map((name) => join(path, name)));
  const executablePath = process.env.CHROMIUM ?? paths.find((path) => existsSync(path));
  if (executablePath === undefined) throw new Skipped("no Chromium: apt-get install chromium");
  const { chromium } = await import("playwright-core");
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
  try {
    const page = await browser.newPage();
    const errors = [];
    page.on("pageerror", (error) => errors.push(error.stack));
    await page.goto(url);
    await page
      .waitForFunction(() => document.title !== "waits", undefined, { timeout: 60_000 })
      .catch(() => {});
    const title = await page.title();
    if (errors.length > 0 || title !== SAID) throw new Error(`the page says: ${title} ${errors.join("\n")}`);
  } finally {
    await browser.close();
  }
}

/** Vite's own package, as it is installed there. */
function viteOf(path) {
  return import(pathToFileURL(join(path, "node_modules/vite/dist/node/index.js")));
}

/** A server of sockets for pages, and the address of a page that is told where it is. */
async function forPages(path) {
  const { serve } = await import(pathToFileURL(join(path, "server.mjs")));
  const { close, ...ends } = await serve();
  return { close, hash: `#${new URLSearchParams(ends)}` };
}

/** Opens the page of Vite's server, and ends the server. */
async function look(server, path) {
  const { close, hash } = await forPages(path);
  try {
    await inChromium(`http://127.0.0.1:${server.httpServer.address().port}/${hash}`);
  } finally {
    await close();
    await server.close();
  }
}

async function built(tarball) {
  const path = await shared(tarball);
  const { build } = await viteOf(path);
  await build({
    root: path,
    logLevel: "error",
    configFile: false,
    build: { outDir: "out-page", target: "es2022" },
  });
  const { preview } = await viteOf(path);
  const server = await preview({
    root: path,
    configFile: false,
    build: { outDir: "out-page" },
    preview: { port: 0, host: "127.0.0.1" },
  });
  await look(server, path);
}

async function served(tarball) {
  const path = await shared(tarball);
  const { createServer: createVite } = await viteOf(path);
  const server = await createVite({
    root: path,
    configFile: false,
    logLevel: "error",
    server: { port: 0, host: "127.0.0.1" },
  });
  await server.listen();
  await look(server, path);
}

/** TypeScript, how modules are resolved, and the libraries that a page has. */
const TYPES = [
  ["5.0.4", "esnext", "bundler"],
  ["5.4.5", "node16", "node16"],
  ["5.9.3", "esnext", "bundler"],
  ["6.0.3", "nodenext", "nodenext"],
  ["7.0.2", "esnext", "bundler"],
];
const PROGRAM = `import { curveKeyPair, type Event, json, loadCurve, type Message, Publisher, Pull, Push, Request, Subscriber, text, ZmqError } from "zwire/web";

export async function main(list: HTMLElement): Promise<string> {
  await loadCurve();
  const push = new Push({ sendHighWaterMark: 5, linger: 0, curveSecretKey: curveKeyPair().secretKey });
  push.sendTimeout = 10;
  const sent: Promise<void> = push.send(["a", new Uint8Array(1), 1, null], { timeout: 1 });
  const pull = new Pull();
  pull.on("message", (parts: Message) => text(parts[0]));
  pull.once("disconnect", (event) => event.peer.socketType.length + (event.error instanceof ZmqError ? 1 : 0));
  push.events.on?.("connect", (event: Event) => event);
  for await (const [first] of pull) list.textContent = text(first);
  const [answer]: Message = await new Request().request("x", { signal: AbortSignal.timeout(5) });
  const bytes: Uint8Array = answer;
  new Subscriber().subscribe("a", bytes);
  await new Publisher().waitForSubscribers(1);
  // @ts-expect-error a Pull does not send
  pull.send("x");
  // @ts-expect-error a page has no such option
  new Push({ tls: {} });
  // @ts-expect-error a page has no such option
  new Push({ tcpKeepalive: 1 });
  await sent;
  return json<{ name: string }>(answer).name;
}
`;

async function compiled(tarball, [typescript, module, resolution]) {
  const path = folder(`page-types-${typescript}`, { type: "module" });
  await install(path, [tarball, `typescript@${typescript}`], "--ignore-scripts");
  writeFileSync(join(path, "main.ts"), PROGRAM);
  writeFileSync(
    join(path, "tsconfig.json"),
    JSON.stringify({
      compilerOptions: {
        noEmit: true,
        strict: true,
        skipLibCheck: false,
        target: "es2022",
        lib: ["es2022", "dom", "dom.iterable"],
        types: [],
        module,
        moduleResolution: resolution,
      },
      files: ["main.ts"],
    }),
  );
  await run([process.execPath, join(path, "node_modules/typescript/bin/tsc"), "-p", path], { cwd: path });
}

export function pageCells(tarball) {
  const withWebSocket = RUNTIMES.filter(([name]) => !name.includes("at hand"));
  return [
    ...withWebSocket.map(([name, find]) => ({
      name: `${name}, zwire/web`,
      run: async () => {
        const said = await run([...(await find()), "both.mjs"], { cwd: await shared(tarball), seconds: 90 });
        if (!said.includes(`said ${SAID}`)) throw new Error(`it said: ${said}`);
      },
    })),
    { name: "Vite, a page as it is built", run: () => built(tarball) },
    { name: "Vite, a page as it is developed", run: () => served(tarball) },
    ...TYPES.map((corner) => ({
      name: `TypeScript ${corner[0]}, zwire/web, ${corner[2]}`,
      run: () => compiled(tarball, corner),
    })),
  ];
}
