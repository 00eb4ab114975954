/** How vectors write bytes down: `octets("04 06", text("READY"), zeros(4))`. Knows nothing of ZMTP. */

/** Hexadecimal digits (spaces are for the eye) and buffers, one after the other. */
export function octets(...pieces: (string | Buffer)[]): Buffer {
  return Buffer.concat(
    pieces.map((piece) => {
      if (typeof piece !== "string") return piece;
      const digits = piece.replace(/\s/g, "");
      if (!/^([0-9a-fA-F]{2})*$/.test(digits)) throw new Error(`not hexadecimal: ${piece}`);
      return Buffer.from(digits, "hex");
    }),
  );
}

/** ASCII. */
export function text(characters: string): Buffer {
  return Buffer.from(characters, "latin1");
}

/** `count` zero bytes. */
export function zeros(count: number): Buffer {
  return Buffer.alloc(count);
}
