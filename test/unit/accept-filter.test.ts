/**
 * Address ranges by themselves (R12): what is read, what is refused, what matches.
 */
import { describe, expect, it } from "vitest";
import { addressBytes, addressMatches, parseAcceptFilter } from "../../src/base/accept-filter.js";

describe("addressBytes", () => {
  it.each([
    ["0.0.0.0", "00000000"],
    ["255.1.2.3", "ff010203"],
    ["::", "0".repeat(32)],
    ["::1", `${"0".repeat(31)}1`],
    ["1::", `0001${"0".repeat(28)}`],
    ["2001:db8::a1", `20010db8${"0".repeat(20)}00a1`],
    ["1:2:3:4:5:6:7:8", "00010002000300040005000600070008"],
    ["1:2:3:4:5:6:7::", "00010002000300040005000600070000"],
    ["::ffff:10.1.2.3", `${"0".repeat(20)}ffff0a010203`],
    ["64:ff9b::192.0.2.33", `0064ff9b${"0".repeat(16)}c0000221`],
    ["1:2:3:4:5:6:1.2.3.4", "00010002000300040005000601020304"],
    ["FE80::ABCD", `fe80${"0".repeat(24)}abcd`],
  ])("reads %s", (text, hex) => {
    expect(Buffer.from(addressBytes(text) ?? []).toString("hex")).toBe(hex);
  });

  it.each([
    "",
    "localhost",
    "1.2.3",
    "1.2.3.4.5",
    "256.0.0.1",
    "01.2.3.4",
    ":::",
    "1::2::3",
    "fe80::1%lo",
    "[::1]",
  ])("answers undefined for %o", (text) => expect(addressBytes(text)).toBeUndefined());
});

describe("parseAcceptFilter", () => {
  it.each([
    ["192.168.0.0/16", 4, 16],
    ["10.1.2.3", 4, 32],
    ["0.0.0.0/0", 4, 0],
    ["::1/128", 16, 128],
    ["::1", 16, 128],
    ["::/0", 16, 0],
    ["fe80::/10", 16, 10],
    ["::ffff:10.0.0.0/104", 4, 8],
    ["::ffff:0:0/96", 4, 0],
    ["::ffff:0:0/95", 16, 95],
  ])("reads %s (R12)", (text, octets, prefix) => {
    const range = parseAcceptFilter(text);
    expect([range.network.length, range.prefix]).toEqual([octets, prefix]);
  });

  it.each([
    "",
    "/8",
    "10.0.0.0/",
    "10.0.0.0/33",
    "10.0.0.0/-1",
    "10.0.0.0/8.0",
    "10.0.0.0/ 8",
    "10.0.0.0/1e1",
    "10.0.0.0/8/8",
    "10.0.0/8",
    " 10.0.0.0/8",
    "300.0.0.0/8",
    "::1/129",
    "::1/1000",
    "[::1]/128",
    "fe80::1%eth0/64",
    "localhost",
    "*",
    "10.0.0.0-10.0.0.9",
  ])("throws RangeError for %o (R12)", (text) => {
    expect(() => parseAcceptFilter(text)).toThrow(RangeError);
    expect(() => parseAcceptFilter(text, "tcpAcceptFilter")).toThrow(/^tcpAcceptFilter: "/);
  });
});

describe("addressMatches", () => {
  const yes: [string, string][] = [
    ["192.168.0.0/16", "192.168.255.1"],
    ["192.168.77.5/16", "192.168.0.1"], // what is behind the prefix does not count
    ["10.1.2.3", "10.1.2.3"],
    ["10.1.2.128/25", "10.1.2.200"],
    ["0.0.0.0/0", "203.0.113.9"],
    ["128.0.0.0/1", "255.255.255.255"],
    ["192.168.0.0/16", "::ffff:192.168.3.4"],
    ["::ffff:192.168.0.0/112", "192.168.3.4"],
    ["::1/128", "::1"],
    ["::1/128", "0:0:0:0:0:0:0:1"],
    ["fe80::/10", "febf::1"],
    ["fe80::/10", "fe80::1%eth0"],
    ["::/0", "2001:db8::1"],
  ];
  it.each(yes)("%s lets %s in (R12)", (range, address) => {
    expect(addressMatches([parseAcceptFilter(range)], address)).toBe(true);
  });

  const no: [string, string][] = [
    ["192.168.0.0/16", "192.169.0.1"],
    ["10.1.2.3", "10.1.2.2"],
    ["10.1.2.128/25", "10.1.2.127"],
    ["128.0.0.0/1", "127.255.255.255"],
    ["::1/128", "::2"],
    ["fe80::/10", "fec0::1"],
    ["::/0", "10.0.0.1"],
    ["0.0.0.0/0", "::1"],
    ["::/0", "::ffff:10.0.0.1"],
    ["0.0.0.0/0", ""],
    ["0.0.0.0/0", "nobody"],
  ];
  it.each(no)("%s keeps %o out (R12)", (range, address) => {
    expect(addressMatches([parseAcceptFilter(range)], address)).toBe(false);
  });

  it("one range of several is enough (R12)", () => {
    const ranges = ["10.0.0.0/8", "::1", "192.0.2.1"].map((text) => parseAcceptFilter(text));
    expect(addressMatches(ranges, "192.0.2.1")).toBe(true);
    expect(addressMatches(ranges, "192.0.2.2")).toBe(false);
    expect(addressMatches([], "10.0.0.1")).toBe(false);
  });
});
