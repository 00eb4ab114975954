/**
 * The words of the sources: "bytes", as Node.js says. RFCs say octets, and a line may, if it cites one.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const ROOT = join(import.meta.dirname, "../..");
/** `octets` of a ProtocolError is public and documented: renaming it would break programs. */
const PUBLIC_NAME = /\b(this\.octets = |readonly octets: number;)/;

function offences(text: string): string[] {
  return text
    .split("\n")
    .filter((line) => /octet/i.test(line) && !/RFC \d/.test(line) && !PUBLIC_NAME.test(line));
}

describe("words", () => {
  it.each(["src", "native"])("%s says bytes, and octets only where it cites an RFC", (room) => {
    const files = readdirSync(join(ROOT, room), { recursive: true, encoding: "utf8" });
    const sources = files.filter((file) => /\.(ts|h|cc)$/.test(file));
    expect(sources.length).toBeGreaterThan(10);
    const found = sources.flatMap((file) =>
      offences(readFileSync(join(ROOT, room, file), "utf8")).map((line) => `${room}/${file}: ${line.trim()}`),
    );
    expect(found).toEqual([]);
  });

  it("an octet in a comment, a name or an error text is found", () => {
    expect(
      offences('throw new RangeError("at most 255 octets");\nconst OCTETS = 1;\n// two octets\n'),
    ).toHaveLength(3);
    expect(offences("// RFC 37 has a size of eight octets here\n")).toEqual([]);
  });
});
