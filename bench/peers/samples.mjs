/** Round-trip times in microseconds, without taking memory while they are measured. */
export class Samples {
  #times;
  /** How many there are. */
  count = 0;

  constructor(capacity) {
    this.#times = new Float64Array(capacity);
  }

  add(milliseconds) {
    this.#times[this.count++] = milliseconds * 1000;
  }

  /** Percentiles. */
  summary() {
    const sorted = this.#times.subarray(0, this.count).sort();
    const at = (part) => sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))];
    return { p50: at(0.5), p99: at(0.99), p999: at(0.999) };
  }
}
