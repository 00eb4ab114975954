/** Z85 (RFC 32) for keys of scripted peers, straight from the RFC's text. Knows nothing of zwire. */

const DIGITS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";

/** Encodes bytes; as many as four divides. */
export function z85(octets: Uint8Array): string {
  if (octets.length % 4 !== 0) throw new Error(`${octets.length} octets`);
  let text = "";
  for (let at = 0; at < octets.length; at += 4) {
    let value = 0;
    for (let i = 0; i < 4; i++) value = value * 256 + octets[at + i];
    let group = "";
    for (let i = 0; i < 5; i++) {
      group = DIGITS[value % 85] + group;
      value = Math.floor(value / 85);
    }
    text += group;
  }
  return text;
}
