/** What node:net calls the endpoint `ipc://path` or `tcp://host:port`; a port of `*` is for it to choose. */
export function address(endpoint) {
  if (endpoint.startsWith("ipc://")) return { path: endpoint.slice("ipc://".length) };
  const [host, port] = endpoint.replace(/^(tls\+)?tcp:\/\//, "").split(":");
  return { host, port: port === "*" ? 0 : Number(port) };
}
