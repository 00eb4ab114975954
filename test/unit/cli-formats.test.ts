/** Formats of messages on the command line, and how files are cut into messages, wherever the chunks end. */
import { describe, expect, it } from "vitest";
import { FORMATS, type FormatName, formatOf, type Parts } from "../../src/cli/messages/formats.js";
import {
  byFrame,
  byLine,
  framesOf,
  MAX_RECORD,
  partsOf,
  type Splitter,
} from "../../src/cli/messages/splitters.js";

const LOOK = { separator: undefined, named: false, addressed: false };
const bytes = (...values: number[]) => Buffer.from(values);

function cut(splitter: Splitter, whole: Buffer, size: number): Buffer[] {
  const records: Buffer[] = [];
  for (let at = 0; at < whole.length; at += size)
    records.push(...splitter.push(whole.subarray(at, at + size)));
  return records.concat(splitter.end());
}

describe("splitters", () => {
  const MESSAGES: Parts[] = [
    [Buffer.from("one")],
    [Buffer.from(""), Buffer.alloc(300, "x"), bytes(0, 10, 0x80)],
    [Buffer.alloc(0)],
    [Buffer.from("end"), Buffer.alloc(0)],
  ];

  it.each([1, 2, 3, 4, 5, 7, 64, 1000])("frames come out as they went in, in chunks of %d", (size) => {
    const whole = Buffer.concat(MESSAGES.map(framesOf));
    expect(cut(byFrame(), whole, size).map(partsOf)).toEqual(MESSAGES);
  });

  it("a file that ends in a message is refused, and a length that no message may have", () => {
    const whole = framesOf([Buffer.from("one")]);
    for (let end = 1; end < whole.length; end++) {
      const splitter = byFrame();
      splitter.push(whole.subarray(0, end));
      expect(() => splitter.end(), `${end}`).toThrow("in the middle of a message");
    }
    expect(() => byFrame().push(bytes(0x7f, 0xff, 0xff, 0xff))).toThrow(`${MAX_RECORD} bytes`);
  });

  it.each([1, 2, 3, 100])("lines in chunks of %d, the last without an end", (size) => {
    expect(cut(byLine(), Buffer.from("a\n\nbcd\r\nlast"), size).map(String)).toEqual([
      "a",
      "",
      "bcd\r",
      "last",
    ]);
    expect(cut(byLine(), Buffer.from("a\n"), size).map(String)).toEqual(["a"]);
    expect(cut(byLine(), Buffer.alloc(0), size)).toEqual([]);
  });
});

describe("formats", () => {
  const parts = [Buffer.from("topic"), bytes(0xff, 0x00, 0x1b), Buffer.alloc(0), Buffer.from("12 °C")];

  it.each(["json", "hex", "frames"] as const)("%s reads what it writes, whatever the bytes", async (name) => {
    const format = await formatOf(name, LOOK);
    const splitter = format.splitter();
    const records = splitter.push(Buffer.from(format.write(parts) as string)).concat(splitter.end());
    expect(records.map((record) => format.read(record))).toEqual([parts]);
  });

  it("msgpack reads what it writes: text, and a value behind it", async () => {
    const format = await formatOf("msgpack", LOOK);
    const message = format.read(Buffer.from('["topic", {"a": [1, "x", null, {"$base64": "/w=="}]}]'));
    expect(format.write(message)).toBe('["topic",{"a":[1,"x",null,{"$base64":"/w=="}]}]\n');
    expect(format.read(Buffer.from('"a"'))).toEqual(format.readArguments(['"a"']));
  });

  it("text shows what a terminal would obey, and leaves the rest", async () => {
    const { write } = await formatOf("text", LOOK);
    expect(write([Buffer.from("Grüße\t✓ \\n")])).toBe("Grüße\t✓ \\n\n");
    expect(write([Buffer.from("\x1b]0;title\x07\u009b2J\r\n\0")])).toBe(
      "\\x1b]0;title\\x07\\x9b2J\\r\\n\\x00\n",
    );
    expect(write([bytes(0x41, 0xc3, 0x0a)])).toBe("A\\xc3\\n\n");
  });

  it("names of peers are shown so that they can be given back", async () => {
    const format = await formatOf("text", { separator: undefined, named: true, addressed: true });
    for (const name of ["ann", "0x41", "two words", "\0\x12\n", "\t", "ä"]) {
      const message = [Buffer.from(name, "latin1"), Buffer.from("hello")];
      const line = String(format.write(message)).slice(0, -1);
      expect(format.read(Buffer.from(line)), line).toEqual(message);
    }
  });

  it.each([
    ["json", "{", "not JSON: {"],
    ["json", "[]", "must have a part"],
    ["msgpack", "nothing", "not JSON: nothing"],
    ["hex", "0", "hexadecimal"],
    ["hex", "", "hexadecimal"],
    ["hex", "zz", "hexadecimal"],
  ] as [FormatName, string, string][])("%s refuses %j", async (name, line, message) => {
    const format = await formatOf(name, LOOK);
    expect(() => format.read(Buffer.from(line))).toThrow(message);
  });

  it("each takes arguments as parts", async () => {
    const given: Record<FormatName, string[]> = {
      text: ["a", "b\nc"],
      json: ['"a"', '"b\\nc"'],
      hex: ["61", "620a63"],
      raw: ["a", "b\nc"],
      frames: ["a", "b\nc"],
      msgpack: ["a", '"b\\nc"'],
    };
    for (const name of FORMATS) {
      const read = (await formatOf(name, LOOK)).readArguments(given[name]).map(String);
      expect(read, name).toEqual(["a", name === "msgpack" ? "\ufffdb\nc" : "b\nc"]);
    }
  });
});

it.each(["json", "msgpack"] as const)("%s lets nothing through that a terminal obeys", async (name) => {
  const text = "a\x7f\x80\x9b\x9f\u2028\u2029\u202a\u202e\u2066\u2069\u00a0é";
  const format = await formatOf(name, LOOK);
  const line = String(
    format.write(name === "json" ? [Buffer.from(text)] : format.read(Buffer.from(JSON.stringify([text])))),
  );
  const shown = '["a\\u007f\\u0080\\u009b\\u009f\\u2028\\u2029\\u202a\\u202e\\u2066\\u2069\u00a0é"]\n';
  expect(line).toBe(shown);
  expect(JSON.parse(line)).toEqual([text]);
});
