/**
 * A base class whose constructor returns the object that it is given: private fields of a derived class are then fields of that
 * object. Any object can have them, and nobody else can see them. A WeakMap would do, but its entries are dear: for each
 * young one the collector looks through the whole table, and a stream of small messages went at a ninth of its speed.
 */
export class Given {
  constructor(object: object) {
    // biome-ignore lint/correctness/noConstructorReturn: this is how an object gets a private field
    return object;
  }
}
