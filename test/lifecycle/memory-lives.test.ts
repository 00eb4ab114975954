import { memoryLives } from "../support/suites/memory-lives.js";

memoryLives(0);
