/**
 * Asks a server for its methods (§6, built-in methods).
 */

/** One parameter of a method. */
export interface ParameterDescription {
  readonly name: string;
  /** Its default, if it has one and the server tells it. */
  readonly default?: unknown;
}

/** One method. */
export interface MethodDescription {
  /** Null if the server cannot tell. */
  readonly args: readonly ParameterDescription[] | null;
  readonly doc: string | null;
}

/** A server's methods. */
export interface ServiceDescription {
  readonly name: string;
  readonly methods: Readonly<Record<string, MethodDescription>>;
}

type Ask = (name: string, args: unknown[]) => Promise<unknown>;

/** Asks for everything. A server on Python 3.11 or later fails to inspect, but can list its methods and explain each. */
export async function introspect(ask: Ask): Promise<ServiceDescription> {
  try {
    return readInspection(await ask("_zerorpc_inspect", []));
  } catch (error) {
    const names = await ask("_zerorpc_list", []).catch(() => {
      throw error;
    });
    return byNames(ask, names);
  }
}

async function byNames(ask: Ask, names: unknown): Promise<ServiceDescription> {
  const methods: Record<string, MethodDescription> = {};
  const list = Array.isArray(names) ? names.map(String) : [];
  await Promise.all(
    list.map(async (method) => {
      const doc = await ask("_zerorpc_help", [method]);
      methods[method] = { args: null, doc: typeof doc === "string" ? doc : null };
    }),
  );
  return { name: String(await ask("_zerorpc_name", [])), methods };
}

function readInspection(answer: unknown): ServiceDescription {
  const { name, methods } = (answer ?? {}) as { name?: unknown; methods?: Record<string, unknown> };
  const described: Record<string, MethodDescription> = {};
  for (const [method, value] of Object.entries(methods ?? {})) {
    const { args, doc } = (value ?? {}) as { args?: unknown; doc?: unknown };
    described[method] = {
      // Python lists the object itself as the first parameter of a bound method.
      args: Array.isArray(args) ? args.filter((one, i) => i > 0 || one?.name !== "self") : null,
      doc: typeof doc === "string" ? doc : null,
    };
  }
  return { name: typeof name === "string" ? name : "", methods: described };
}
