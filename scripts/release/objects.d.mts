/** Types of objects.mjs, for its test. */
export interface DynamicSymbol {
  name: string;
  version: string;
  undefined: boolean;
  weak: boolean;
}
export const GLIBC: string;
export function parseGyp(text: string): {
  name: string;
  sources: string[];
  defines: string[];
  flags: string[];
  macos: string;
};
export function parseDynamicSymbols(text: string): DynamicSymbol[];
export function parseNeeded(text: string): string[];
export function isAbove(a: string, b: string): boolean;
export function faultsOfElf(what: {
  symbols: DynamicSymbol[];
  needed: string[];
  libc: "glibc" | "musl";
}): string[];
export function parseUndefined(text: string): string[];
export function faultsOfMachO(what: { missing: string[] }): string[];
