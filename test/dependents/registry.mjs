/**
 * A registry of packages on this machine for one run: it serves the tarballs given as arguments, and passes every other
 * question on to npm's registry. So what is not published yet is installed as a user will install it, by name and range.
 * Prints its address, and ends when its standard input does.
 *
 *   node test/dependents/registry.mjs REGISTRY TARBALL…
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { basename } from "node:path";

const [upstream, ...tarballs] = process.argv.slice(2);

/** Our packages by their path. */
const ours = new Map();
/** Tarballs by their path. */
const bodies = new Map();

function add(file, address) {
  const { status, stdout } = spawnSync("tar", ["xzOf", file, "package/package.json"], { encoding: "utf8" });
  if (status !== 0) throw new Error(`${file} has no package.json`);
  const manifest = JSON.parse(stdout);
  const { name, version } = manifest;
  const body = readFileSync(file);
  bodies.set(`/-/${basename(file)}`, body);
  const hash = (kind, form) => createHash(kind).update(body).digest(form);
  const dist = {
    tarball: `${address}/-/${basename(file)}`,
    integrity: `sha512-${hash("sha512", "base64")}`,
    shasum: hash("sha1", "hex"),
  };
  const published = new Date(0).toISOString(); // package managers may wait some days with what is new
  ours.set(`/${name}`, {
    name,
    "dist-tags": { latest: version },
    versions: { [version]: { ...manifest, _id: `${name}@${version}`, dist } },
    time: { created: published, modified: published, [version]: published },
  });
}

async function answer({ url, headers }, response) {
  const { pathname } = new URL(url, "http://registry");
  if (bodies.has(pathname)) return response.end(bodies.get(pathname));
  if (ours.has(pathname)) {
    response.setHeader("content-type", "application/json");
    return response.end(JSON.stringify(ours.get(pathname)));
  }
  const accept = headers.accept ?? "*/*";
  const answered = await fetch(new URL(url.slice(1), upstream), { headers: { accept } });
  response.writeHead(answered.status, {
    "content-type": answered.headers.get("content-type") ?? "application/octet-stream",
  });
  response.end(Buffer.from(await answered.arrayBuffer()));
}

const server = createServer((request, response) => {
  answer(request, response).catch((error) => {
    response.statusCode = 502;
    response.end(error.message);
  });
});
server.listen(0, "127.0.0.1", () => {
  const address = `http://127.0.0.1:${server.address().port}`;
  for (const file of tarballs) add(file, address);
  console.log(address);
});
process.stdin.resume().once("end", () => process.exit());
