/** The request with which a peer asked for its WebSocket, as an authenticator sees it. Knows no HTTP itself. */
export interface HttpRequest {
  /** Path and query, as the client wrote them. */
  readonly url: string;
  /** Headers by their names in lower case. Those that came several times are joined by commas, cookies by semicolons. */
  readonly headers: Readonly<Record<string, string>>;
  /** The cookies in its headers by name, decoded; the first of a name counts. */
  readonly cookies: Readonly<Record<string, string>>;
}
