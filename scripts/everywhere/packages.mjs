/** Package managers, and what linters of packages say of the tarball. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { checkSmoke, folder, home, install, putPrograms, run, tool } from "./tools.mjs";

/** Package managers: name, and a function that installs into a folder and says how a program runs there. */
const MANAGERS = [
  ["npm", npmWith()],
  ["npm --ignore-scripts", npmWith("--ignore-scripts")],
  ["npm --omit=optional", npmWith("--omit=optional")],
  ["pnpm 10", pnpm("pnpm10", "pnpm.cjs")],
  ["pnpm 12", pnpm("pnpm12", "pnpm.mjs")],
  ["yarn 1", yarn1],
  ["yarn 4, Plug'n'Play", yarn4],
];

function npmWith(...options) {
  return async (path, tarball) => {
    await install(path, [tarball], ...options);
    return [process.execPath];
  };
}

/** The tarball brings its addon: what is built all the same finds no compiler, and fails. */
const NO_COMPILER = Object.fromEntries(
  ["CC", "CXX", "npm_config_python"].map((name) => [name, join(home, "no-compiler")]),
);

function pnpm(name, script) {
  return async (path, tarball) => {
    const program = join(await tool(name), "node_modules/pnpm/bin", script);
    const args = ["add", "--store-dir", join(path, "store"), tarball];
    await run([process.execPath, program, ...args], { cwd: path, env: NO_COMPILER });
    return [process.execPath];
  };
}

async function yarn1(path, tarball) {
  const program = join(await tool("yarn1"), "node_modules/yarn/bin/yarn.js");
  const args = ["add", "--no-progress", "--cache-folder", join(path, "cache"), tarball];
  await run([process.execPath, program, ...args], { cwd: path, env: NO_COMPILER });
  return [process.execPath];
}

async function yarn4(path, tarball) {
  const program = join(await tool("yarn4"), "node_modules/@yarnpkg/cli-dist/bin/yarn.js");
  const env = {
    ...NO_COMPILER,
    YARN_ENABLE_TELEMETRY: "0",
    YARN_GLOBAL_FOLDER: join(path, "global"),
    CI: "",
  };
  writeFileSync(join(path, "yarn.lock"), ""); // a project of its own, whatever lies above
  await run([process.execPath, program, "add", `zwire@file:${tarball}`], { cwd: path, env });
  return [process.execPath, program, "node"];
}

export function managerCells(tarball) {
  return MANAGERS.map(([name, prepare]) => ({
    name,
    run: async () => {
      const path = folder(`manager-${name}`);
      const node = await prepare(path, tarball);
      putPrograms(path);
      for (const program of ["main.mjs", "main.cjs"])
        checkSmoke(await run([...node, program], { cwd: path, seconds: 90 }), { engine: "native" });
      return "import and require(), native";
    },
  }));
}

export function packageCells(tarball) {
  const attw = "@arethetypeswrong/cli/dist/index.js";
  // A page has no require().
  const pages = ["web", "web/rpc"];
  const lint = (name, script, ...args) => ({
    name,
    run: async () => {
      const program = join(await tool("packages"), "node_modules", script);
      await run([process.execPath, program, tarball, ...args], { cwd: await tool("packages") });
      return "nothing found";
    },
  });
  return [
    lint("attw", attw, "--exclude-entrypoints", ...pages),
    lint("attw, entries for pages", attw, "--entrypoints", ...pages, "--profile", "esm-only"),
    lint("publint", "publint/src/cli.js", "--strict"),
  ];
}
