/**
 * Who decides about peers that want in, as sessions see it; the contract lies with the options that choose one.
 */
export type { AuthenticationRequest, Authenticator } from "../security/authenticator.js";
