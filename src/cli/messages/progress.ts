/**
 * How many messages and bytes have passed, in one line on standard error: on a terminal only, and not if messages are
 * printed there, too.
 */
const EVERY_MS = 500;
const UNITS = ["bytes", "KiB", "MiB", "GiB", "TiB"];

function size(bytes: number): string {
  let at = 0;
  let value = bytes;
  while (value >= 1024 && at < UNITS.length - 1) {
    value /= 1024;
    at++;
  }
  return `${at === 0 ? value : value.toFixed(1)} ${UNITS[at]}`;
}

export class Progress {
  readonly #began = performance.now();
  readonly #timer: NodeJS.Timeout | undefined;
  #messages = 0;
  #bytes = 0;

  /** @param wanted whether the command's messages go elsewhere than to the terminal, and it is not to be quiet */
  constructor(wanted: boolean) {
    if (wanted && process.stderr.isTTY) this.#timer = setInterval(() => this.#show("\r"), EVERY_MS).unref();
  }

  /** Counts messages that have passed. */
  count(messages: readonly (readonly Uint8Array[])[]): void {
    if (this.#timer === undefined) return;
    this.#messages += messages.length;
    for (const parts of messages) for (const part of parts) this.#bytes += part.length;
  }

  #show(end: string): void {
    const seconds = (performance.now() - this.#began) / 1000;
    const rate = Math.round(this.#messages / seconds);
    process.stderr.write(`\r\x1b[K${this.#messages} messages, ${size(this.#bytes)}, ${rate}/s${end}`);
  }

  /** The last line stays. */
  end(): void {
    if (this.#timer === undefined) return;
    clearInterval(this.#timer);
    this.#show("\n");
  }
}
