/**
 * The compiler's language server: what an editor shows at a place of a program.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const ROOT = resolve(fileURLToPath(import.meta.url), "../../..");
const END = "\r\n\r\n";

interface Item {
  readonly label: string;
  readonly documentation?: { readonly value: string };
}

/** Speaks LSP with one process, which close() ends. */
export class LanguageServer {
  readonly #child: ChildProcess;
  readonly #answers = new Map<number, (result: unknown) => void>();
  #buffered = Buffer.alloc(0);
  #asked = 0;

  constructor() {
    const tsc = join(ROOT, "node_modules/typescript/bin/tsc");
    this.#child = spawn(process.execPath, [tsc, "--lsp", "--stdio"], { stdio: ["pipe", "pipe", "ignore"] });
    this.#child.stdout?.on("data", (chunk: Buffer) => this.#read(chunk));
  }

  /** Opens a program that is not on disk, as if it were in the project's folder of tests. */
  async open(name: string, text: string): Promise<string> {
    await this.#ask("initialize", {
      processId: process.pid,
      rootUri: pathToFileURL(ROOT).href,
      capabilities: {
        textDocument: {
          hover: { contentFormat: ["markdown"] },
          completion: {
            completionItem: {
              documentationFormat: ["markdown"],
              resolveSupport: { properties: ["documentation"] },
            },
          },
        },
      },
    });
    this.#write({ method: "initialized", params: {} });
    const uri = pathToFileURL(join(ROOT, "test", name)).href;
    const textDocument = { uri, languageId: "typescript", version: 1, text };
    this.#write({ method: "textDocument/didOpen", params: { textDocument } });
    return uri;
  }

  /** What is shown where the pointer rests. */
  async hover(uri: string, line: number, character: number): Promise<string> {
    const place = { textDocument: { uri }, position: { line, character } };
    const found = (await this.#ask("textDocument/hover", place)) as { contents: { value: string } } | null;
    return found?.contents.value ?? "";
  }

  /** What is shown beside a suggestion; undefined where it is not suggested. */
  async suggestion(uri: string, line: number, character: number, name: string): Promise<string | undefined> {
    const place = { textDocument: { uri }, position: { line, character } };
    const list = (await this.#ask("textDocument/completion", place)) as { items: Item[] } | null;
    const item = list?.items.find(({ label }) => label.replace("?", "") === name);
    if (item === undefined) return undefined;
    const full = (await this.#ask("completionItem/resolve", item)) as Item;
    return full.documentation?.value ?? "";
  }

  close(): void {
    this.#child.kill();
  }

  #ask(method: string, params: unknown): Promise<unknown> {
    const id = ++this.#asked;
    return new Promise((resolve) => {
      this.#answers.set(id, resolve);
      this.#write({ id, method, params });
    });
  }

  #write(message: object): void {
    const text = JSON.stringify({ jsonrpc: "2.0", ...message });
    this.#child.stdin?.write(`Content-Length: ${Buffer.byteLength(text)}${END}${text}`);
  }

  #read(chunk: Buffer): void {
    this.#buffered = Buffer.concat([this.#buffered, chunk]);
    for (;;) {
      const head = this.#buffered.indexOf(END);
      if (head < 0) return;
      const size = Number(/Content-Length: (\d+)/i.exec(this.#buffered.toString("latin1", 0, head))?.[1]);
      const start = head + END.length;
      if (this.#buffered.length < start + size) return;
      this.#take(JSON.parse(this.#buffered.toString("utf8", start, start + size)));
      this.#buffered = this.#buffered.subarray(start + size);
    }
  }

  #take({ id, method, result }: { id?: number; method?: string; result?: unknown }): void {
    if (id === undefined) return;
    if (method === undefined) this.#answers.get(id)?.(result);
    else this.#write({ id, result: method === "workspace/configuration" ? [{}] : null });
  }
}
