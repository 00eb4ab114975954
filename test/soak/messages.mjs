/** Messages that show when bytes are lost, doubled or mixed: a number, and filling that follows from it. */

/** Small ones, some that go by reference, and now and then one that is larger than a small ring. */
const SIZES = [20, 200, 1000, 20, 9000, 40_000, 60, 100_000, 300, 20_000, 30];
const LARGE = 1_200_000;
const LARGE_EACH = 50;

/** @param most the largest size that is wanted */
export function sizeOf(number, most = LARGE) {
  const size = number % LARGE_EACH === LARGE_EACH - 1 ? LARGE : SIZES[number % SIZES.length];
  return Math.min(size, most);
}

/** Writes the message into memory of its size. */
export function fill(body, number) {
  body.fill(number & 255);
  body.writeUInt32LE(number);
  return body;
}

/** @param most the largest size that is wanted */
export function message(number, most = LARGE) {
  return fill(Buffer.allocUnsafe(sizeOf(number, most)), number);
}

/**
 * The number of a message.
 * @throws Error if it is not whole
 */
export function numberOf(body) {
  const number = body.readUInt32LE();
  const filling = number & 255;
  for (let at = 4; at < body.length; at += at < 64 ? 1 : 997) {
    if (body[at] !== filling) throw new Error(`message ${number} is torn at byte ${at} of ${body.length}`);
  }
  if (body.length > 4 && body[body.length - 1] !== filling)
    throw new Error(`message ${number} is torn at its end`);
  return number;
}

/** Checks that the numbers of a sender rise by one each time, or at all. */
export class Order {
  #next = new Map();
  #gaps;

  /** @param gaps whether messages may be missing */
  constructor(gaps = false) {
    this.#gaps = gaps;
  }

  saw(sender, number) {
    const expected = this.#next.get(sender) ?? 0;
    if (this.#gaps ? number < expected : number !== expected)
      throw new Error(`message ${number} of ${sender} came where ${expected} was expected`);
    this.#next.set(sender, number + 1);
  }

  /** The senders are gone. */
  clear() {
    this.#next.clear();
  }
}
