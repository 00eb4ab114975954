/** A certificate for trials over TLS, made by the command openssl: Node cannot make any. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

let made;

/** The options of a socket or server of node:tls, and of its client: the certificate is its own authority. */
export function certificateFor(folder) {
  if (made !== undefined) return made;
  const files = ["-keyout", join(folder, "key.pem"), "-out", join(folder, "cert.pem")];
  const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
  const names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"];
  execFileSync("openssl", ["req", "-x509", ...kind, ...names, ...files], { stdio: "pipe" });
  const cert = readFileSync(join(folder, "cert.pem"), "utf8");
  made = { cert, key: readFileSync(join(folder, "key.pem"), "utf8"), ca: cert };
  return made;
}
