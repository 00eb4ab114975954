/** Stands for security/callback.ts: no socket of a page has `authenticate`. */
export type { Authenticate, AuthenticationAnswer } from "../../../security/callback.js";

export class CallbackAuthenticator {}
