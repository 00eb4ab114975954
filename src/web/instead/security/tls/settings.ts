/** Stands for security/tls/settings.ts in declarations: the TLS of a page is the browser's. */
export type TlsSettings = never;
