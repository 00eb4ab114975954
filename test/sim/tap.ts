/**
 * Listens to one direction of one connection: which messages have passed whole. It takes the bytes apart by itself, so
 * that a fault of zwire's codec cannot hide behind itself. For connections without a cipher.
 */

const GREETING_BYTES = 64;
const MORE = 1;
const LONG = 2;
const COMMAND = 4;
/** The mark of a message is near the beginning of one of its parts. */
const MARK_WITHIN = 40;

/** How messages are marked: the sender's number, and the message's. */
export const MARK = /#(\d+):(\d+)#/;

export class Tap {
  /** Marks of the messages that have passed whole, in order. */
  readonly whole: string[] = [];
  #greeting = GREETING_BYTES;
  #head: number[] = [];
  #need = 2;
  #left = 0;
  #body: number[] = [];
  #mark = "";

  /** Bytes have passed. */
  push(chunk: Uint8Array): void {
    let at = Math.min(this.#greeting, chunk.length);
    this.#greeting -= at;
    while (at < chunk.length) {
      if (this.#head.length < this.#need) {
        this.#head.push(chunk[at++]);
        if (this.#head.length === 1) this.#need = (this.#head[0] & LONG) !== 0 ? 9 : 2;
        if (this.#head.length < this.#need) continue;
        this.#left = this.#head.slice(1).reduce((size, byte) => size * 256 + byte, 0);
        this.#body = [];
        if (this.#left > 0) continue;
      } else {
        const take = Math.min(this.#left, chunk.length - at);
        for (let i = 0; i < take && this.#body.length < MARK_WITHIN; i++) this.#body.push(chunk[at + i]);
        this.#left -= take;
        at += take;
        if (this.#left > 0) continue;
      }
      this.#frame(this.#head[0]);
      this.#head = [];
      this.#need = 2;
    }
  }

  #frame(flags: number): void {
    if ((flags & COMMAND) !== 0) return;
    if (this.#mark === "") {
      const found = MARK.exec(String.fromCharCode(...this.#body));
      if (found !== null) this.#mark = `${found[1]}:${found[2]}`;
    }
    if ((flags & MORE) !== 0) return;
    if (this.#mark !== "") this.whole.push(this.#mark);
    this.#mark = "";
  }
}
