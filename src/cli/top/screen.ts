/** The live table on a terminal: it has the alternate screen, follows its size, and is sorted by keys. */
import type { ReadStream, WriteStream } from "node:tty";
import type { MonitorSnapshot } from "../../index.js";
import { COLUMNS, type SocketRow } from "./rows.js";
import { heading, lines, titles, type View } from "./table.js";

const ENTER = "\x1b[?1049h\x1b[?25l";
const LEAVE = "\x1b[?25h\x1b[?1049l";
const HOME = "\x1b[H";
const TO_END_OF_LINE = "\x1b[K";
const TO_END_OF_SCREEN = "\x1b[J";
const REVERSED = (text: string) => `\x1b[7m${text}\x1b[0m`;
const HELP = "q quit  s sort  r reverse  p peers  space pause";

export class Screen {
  readonly #out: WriteStream;
  readonly #in: ReadStream;
  readonly #quit: () => void;
  #view: View;
  #shown: { snapshot: MonitorSnapshot; rows: readonly SocketRow[] } | null = null;
  #note: string;
  #paused = false;
  readonly #redraw = (): void => this.#draw();
  readonly #onKeys = (keys: Buffer): void => {
    for (const key of String(keys)) this.#key(key);
  };

  /** @param quit is called when the user wants to leave */
  constructor(out: WriteStream, input: ReadStream, view: View, note: string, quit: () => void) {
    this.#out = out;
    this.#in = input;
    this.#view = view;
    this.#note = note;
    this.#quit = quit;
    out.write(ENTER);
    out.on("resize", this.#redraw);
    if (input.isTTY) {
      input.setRawMode(true);
      input.on("data", this.#onKeys).resume();
    }
    this.#draw();
  }

  show(snapshot: MonitorSnapshot, rows: readonly SocketRow[]): void {
    this.#note = "";
    if (!this.#paused) this.#shown = { snapshot, rows };
    this.#draw();
  }

  /** What is wrong now, such as that nothing comes. */
  note(text: string): void {
    this.#note = text;
    this.#draw();
  }

  #key(key: string): void {
    if (key === "q" || key === "\x03") this.#quit();
    else if (key === "s") {
      const next = COLUMNS[(COLUMNS.indexOf(this.#view.sort) + 1) % COLUMNS.length];
      this.#view = { ...this.#view, sort: next };
    } else if (key === "r") this.#view = { ...this.#view, reverse: !this.#view.reverse };
    else if (key === "p") this.#view = { ...this.#view, peers: !this.#view.peers };
    else if (key === " ") this.#paused = !this.#paused;
    else return;
    this.#draw();
  }

  #draw(): void {
    const { columns = 80, rows: height = 24 } = this.#out;
    const { sort, reverse } = this.#view;
    const state = `sorted by ${sort}${reverse ? ", reversed" : ""}${this.#paused ? ", PAUSED" : ""}`;
    const found = this.#shown;
    const body = found === null ? [] : lines(found.rows, this.#view, columns);
    const room = Math.max(0, height - 4);
    const more = body.length > room ? `, ${body.length - room} more rows below` : "";
    const text = [
      (found === null ? "zwire top" : heading(found.snapshot)).slice(0, columns),
      (this.#note || `${state}${more}`).slice(0, columns),
      REVERSED(titles(this.#view, columns).padEnd(columns)),
      ...body.slice(0, room),
    ];
    const padded = [
      ...text,
      ...Array<string>(Math.max(0, height - 1 - text.length)).fill(""),
      HELP.slice(0, columns),
    ];
    this.#out.write(
      HOME + padded.slice(0, height).join(`${TO_END_OF_LINE}\r\n`) + TO_END_OF_LINE + TO_END_OF_SCREEN,
    );
  }

  close(): void {
    this.#out.off("resize", this.#redraw);
    if (this.#in.isTTY) {
      this.#in.off("data", this.#onKeys).pause();
      this.#in.setRawMode(false);
    }
    this.#out.write(LEAVE);
  }
}
