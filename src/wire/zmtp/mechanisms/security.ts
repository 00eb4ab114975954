/**
 * How the connections of a socket are secured: one value that settings make and check, and that the handshake reads.
 */

/** Our role in the mechanism. `ask` means that an authenticator decides who is let in. */
export type Security =
  | { readonly mechanism: "NULL"; readonly ask: boolean }
  | { readonly mechanism: "PLAIN"; readonly server: true }
  | {
      readonly mechanism: "PLAIN";
      readonly server: false;
      readonly username: string;
      readonly password: string;
    }
  | {
      readonly mechanism: "CURVE";
      readonly server: true;
      /** Whether an authenticator is asked; otherwise everybody who knows the server's key is let in (P18). */
      readonly ask: boolean;
      readonly publicKey: Uint8Array;
      readonly secretKey: Uint8Array;
    }
  | {
      readonly mechanism: "CURVE";
      readonly server: false;
      readonly publicKey: Uint8Array;
      readonly secretKey: Uint8Array;
      readonly serverKey: Uint8Array;
    };
