/** Stands for session/raw-session.ts: a page has no Stream sockets. */
export class RawSession {}
