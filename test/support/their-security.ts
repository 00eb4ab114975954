/** PLAIN and CURVE on libzmq's side, with the users and keys of scripted/secured.ts. */
import { type Cell, label } from "./cells.js";
import type { PeerOptions } from "./peer-process.js";
import { CLIENT, SERVER, type Secured, USER } from "./scripted/secured.js";
import { z85 } from "./scripted/z85.js";

export const clientKeys = { curvePublicKey: z85(CLIENT.publicKey), curveSecretKey: z85(CLIENT.secretKey) };

/** Both roles of libzmq's side. */
export const THEIRS = {
  PLAIN: {
    server: { plainServer: true },
    client: { plainUsername: USER.username, plainPassword: USER.password },
  },
  CURVE: {
    server: { curveServer: true, curveSecretKey: z85(SERVER.secretKey) },
    client: { curveServerKey: z85(SERVER.publicKey), ...clientKeys },
  },
} as const satisfies Record<string, { server: PeerOptions; client: PeerOptions }>;

/** Types of libzmq that lose their first message when they had to ask ZAP about the peer: with libzmq on both sides too. */
export const LOSES_FIRST = ["REQ", "DISH"];

/** Whom libzmq's ZAP handler lets in. */
export const RULES = { users: { [USER.username]: USER.password }, keys: [z85(CLIENT.publicKey)] };

/** Both roles under a mechanism, on our side and on libzmq's. */
export function rolesOf({ name, server, client }: Secured) {
  const theirs = THEIRS[name as "PLAIN" | "CURVE"];
  return {
    server: { ours: server, theirs: theirs.client },
    client: { ours: client, theirs: theirs.server },
  };
}

/** Each cell in each role, binding and dialling, and how a title says it. */
export function* inEachRole(cells: readonly Cell[]) {
  for (const role of ["server", "client"] as const) {
    for (const verb of ["bind", "connect"] as const) {
      for (const cell of cells) {
        if (role === "client" && LOSES_FIRST.includes(cell.theirs.type)) continue;
        const title = `${label(cell)}: ${verb === "bind" ? "binds" : "dials"} as ${role}`;
        yield { role, verb, cell, title };
      }
    }
  }
}
