/** One run of the simulation. */
import { PROGRAMS } from "./programs.js";
import { Scene } from "./scene.js";

const NAMES = Object.keys(PROGRAMS) as (keyof typeof PROGRAMS)[];

/** What a run was. */
export interface Run {
  readonly program: string;
  readonly steps: number;
  readonly received: number;
}

/**
 * Plays a seed.
 * @param logLines how much of what happened last an error tells
 * @throws Error that tells how to play it again
 */
export async function simulate(seed: number, logLines = 0): Promise<Run> {
  const scene = new Scene(seed);
  if (logLines > 0) scene.world.logLimit = logLines;
  const program = scene.dice.pick(NAMES);
  try {
    await scene.play(PROGRAMS[program]);
  } catch (error) {
    const log = logLines > 0 ? `\n${scene.world.log.slice(-logLines).join("\n")}` : "";
    const again = `play it again: npm run sim -- --seed ${seed}`;
    throw new Error(`seed ${seed} (${program}): ${(error as Error).message}\n${again}${log}`, {
      cause: error,
    });
  }
  return { program, steps: scene.world.steps, received: scene.ledger.received };
}
