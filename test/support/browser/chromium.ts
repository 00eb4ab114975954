/** Where the Chromium for the tests is. */
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

const NAMES = ["chromium", "chromium-browser", "google-chrome"];

/** A Chromium to drive, that of the variable CHROMIUM first; undefined where there is none. */
export const CHROMIUM: string | undefined =
  process.env.CHROMIUM ??
  (process.env.PATH ?? "")
    .split(delimiter)
    .flatMap((folder) => NAMES.map((name) => join(folder, name)))
    .find((path) => existsSync(path));

/** What a skipped suite says. */
export const NO_CHROMIUM = "no Chromium: apt-get install chromium, or CHROMIUM=its path";
