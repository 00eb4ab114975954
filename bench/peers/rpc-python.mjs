/** A side of a trial over zwire/rpc whose server is a Python process: echo.py, whose own CPU time counts. */
import { fileURLToPath } from "node:url";
import { spawnPython } from "zwire/rpc";
import { roles } from "./rpc.mjs";
import { done, job, parentSays, tellParent } from "./side.mjs";

async function serve() {
  const script = fileURLToPath(new URL("echo.py", import.meta.url));
  const pool = await spawnPython(script, { pythonArgs: ["-B"], args: [String(job.warmup)] });
  tellParent({ event: "ready", endpoint: pool.workers[0].endpoint });
  await parentSays("finish");
  const [seconds, cpuSeconds] = await pool.api.figures();
  await pool.close();
  done({ seconds, cpuSeconds });
}

await { ...roles, serve }[job.role]();
