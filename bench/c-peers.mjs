/**
 * The peers written in C: compiles them with the system's compiler where that and libzmq's headers are found, and says
 * why where they are not. Knows nothing of what they measure.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";

const sources = fileURLToPath(new URL("peers/c/", import.meta.url));
const folder = fileURLToPath(new URL("../build/bench/", import.meta.url));

/** What each is linked with, where it is compiled at all. */
const PROGRAMS = {
  libzmq: { libraries: ["-lzmq"] },
  kernel: { libraries: [], linuxOnly: true },
  ring: { libraries: [], linuxOnly: true },
  loan: { libraries: [], linuxOnly: true },
};

/** Whether a contender's script, such as `c/ring`, is of those that this system can run once they are compiled. */
export function canRun(script) {
  return process.platform === "linux" || !PROGRAMS[nameOf(script)].linuxOnly;
}

const nameOf = (script) => script.slice("c/".length);

/** The path of the program of a contender's script, such as `c/libzmq`. */
export function programOf(script) {
  return `${folder}${nameOf(script)}`;
}

function upToDate(program, source) {
  if (!existsSync(program)) return false;
  const built = statSync(program).mtimeMs;
  const headers = readdirSync(sources).filter((file) => file.endsWith(".h"));
  return [source, ...headers.map((file) => sources + file)].every((file) => statSync(file).mtimeMs < built);
}

function hasHeader() {
  const options = { input: "#include <zmq.h>\n", encoding: "utf8" };
  return spawnSync("cc", ["-E", "-x", "c", "-"], options).status === 0;
}

/** Best effort, on Debian and as root only. */
function install() {
  if (process.getuid?.() !== 0 || spawnSync("apt-get", ["--version"]).status !== 0) return;
  console.error("installing libzmq3-dev and a C compiler…");
  const options = {
    stdio: ["ignore", "ignore", 2],
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
  };
  spawnSync("apt-get", ["-qq", "update"], options);
  spawnSync(
    "apt-get",
    ["-qq", "install", "-y", "--no-install-recommends", "gcc", "libc6-dev", "libzmq3-dev"],
    options,
  );
}

/**
 * Compiles what is not up to date.
 * @returns why there are none, or undefined when all are there
 */
export function prepareCPeers() {
  if (!hasHeader()) install();
  if (!hasHeader()) return "no C compiler, or no zmq.h (Debian: gcc, libzmq3-dev)";
  mkdirSync(folder, { recursive: true });
  for (const [name, { libraries }] of Object.entries(PROGRAMS)) {
    if (!canRun(`c/${name}`)) continue;
    const source = `${sources}${name}.c`;
    const program = `${folder}${name}`;
    if (upToDate(program, source)) continue;
    const words = ["-O2", "-Wall", "-Wextra", "-o", program, source, ...libraries, "-lpthread"];
    const { status, stderr } = spawnSync("cc", words, { encoding: "utf8" });
    if (status !== 0) return `${name}.c does not compile: ${stderr}`;
  }
  return undefined;
}

/** The version of libzmq that the C programs are linked with, as its headers say. */
export function cLibraryVersion() {
  const program = "#include <zmq.h>\nZMQ_VERSION_MAJOR.ZMQ_VERSION_MINOR.ZMQ_VERSION_PATCH\n";
  const { stdout, status } = spawnSync("cc", ["-E", "-P", "-x", "c", "-"], {
    input: program,
    encoding: "utf8",
  });
  return status === 0 ? stdout.trim().split("\n").at(-1).replaceAll(" ", "") : undefined;
}
