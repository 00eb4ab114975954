/** ZWIRE_KILLS says how many peers are killed, a quarter of them in each test. */
import { memoryLives } from "../support/suites/memory-lives.js";

memoryLives(Number(process.env.ZWIRE_KILLS ?? 1000) / 4);
