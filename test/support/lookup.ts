/** Names that are looked up by the test and not by the system. */

import dns from "node:dns/promises";
import { syncBuiltinESMExports } from "node:module";
import { afterAll } from "vitest";

type Lookup = (host: string) => Promise<{ address: string; family: number }[]>;

/** For the tests of this file, replaces the look-up of names of this thread. What it gets from `real` is the system's. */
export function replaceLookup(make: (real: typeof dns.lookup) => Lookup): void {
  const real = dns.lookup;
  dns.lookup = make(real) as unknown as typeof dns.lookup;
  syncBuiltinESMExports();
  afterAll(() => {
    dns.lookup = real;
    syncBuiltinESMExports();
  });
}
