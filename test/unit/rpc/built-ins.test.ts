/**
 * What a server says of itself: made once, however often it is asked, because ten clients may ask without end.
 */
import { expect, it } from "vitest";
import { BuiltIns } from "../../../src/rpc/service/service.js";

function made() {
  let read = 0;
  const parameters = () => {
    read++;
    return [{ name: "a" }, { name: "b", default: 2 }, { name: "...rest" }];
  };
  const method = { invoke: () => null, doc: "Adds.", parameters };
  const builtIns = new BuiltIns(
    new Map([
      ["add", method],
      ["math.add", method],
    ]),
    "test",
    (value) => ({ value }),
  );
  const answer = (name: string, args: unknown[] = []) => builtIns.find(name)?.(args);
  const value = (name: string, args: unknown[] = []) => answer(name, args)?.value;
  return { builtIns, answer, value, reads: () => read };
}

it("inspect, list and args are made once and repeated", () => {
  const { answer, value, reads } = made();
  const args = [{ name: "a" }, { name: "b", default: 2 }, { name: "...rest" }];
  const methods = { add: { args, doc: "Adds." }, "math.add": { args, doc: "Adds." } };
  for (let i = 0; i < 3; i++) expect(value("_zerorpc_inspect")).toEqual({ name: "test", methods });
  expect(reads()).toBe(2);
  for (let i = 0; i < 3; i++)
    expect(value("_zerorpc_args", ["add"])).toEqual([["a", "b"], "rest", null, [2]]);
  expect(reads()).toBe(3);
  expect(answer("_zerorpc_inspect")).toBe(answer("_zerorpc_inspect"));
  expect(value("_zerorpc_list")).toEqual(["add", "math.add"]);
  expect(value("_zerorpc_help", ["math.add"])).toEqual("Adds.");
});

it("a method that is none, whatever it is, is a NameError, and nothing is kept of it", () => {
  const { answer, builtIns } = made();
  for (const method of [
    "nope",
    "__proto__",
    1,
    null,
    undefined,
    { toString: 1 },
    ["add"],
    Buffer.from("add"),
  ]) {
    expect(() => answer("_zerorpc_args", [method])).toThrow(expect.objectContaining({ name: "NameError" }));
  }
  for (const name of ["__proto__", "toString", "_zerorpc_", ""]) expect(builtIns.find(name)).toBe(null);
});
