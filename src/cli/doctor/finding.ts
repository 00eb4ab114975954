/** What `zwire doctor` finds, and how it is printed. */
import type { Output } from "../command.js";

/** "skipped": it does not exist here, or cannot be looked at. */
export type Status = "ok" | "warning" | "failure" | "skipped";

export interface Finding {
  /** What was looked at. */
  readonly name: string;
  readonly status: Status;
  /** What was found. */
  readonly found: string;
  /** What to do about it. */
  readonly advice?: string;
}

/** Findings that belong together. */
export interface Section {
  readonly title: string;
  readonly findings: readonly Finding[];
}

export function ok(name: string, found: string): Finding {
  return { name, status: "ok", found };
}

export function warning(name: string, found: string, advice: string): Finding {
  return { name, status: "warning", found, advice };
}

export function failure(name: string, found: string, advice: string): Finding {
  return { name, status: "failure", found, advice };
}

export function skipped(name: string, found: string): Finding {
  return { name, status: "skipped", found };
}

/** Whether nothing failed. */
export function healthy(sections: readonly Section[]): boolean {
  return sections.every(({ findings }) => findings.every(({ status }) => status !== "failure"));
}

const WIDTH = Math.max(..."ok warning failure skipped".split(" ").map((word) => word.length));

export function printSections(sections: readonly Section[], output: Output): void {
  for (const { title, findings } of sections) {
    output.out(`${title}\n`);
    for (const { name, status, found, advice } of findings) {
      output.out(`  ${status.padEnd(WIDTH)}  ${name}: ${found}\n`);
      if (advice !== undefined) output.out(`  ${" ".repeat(WIDTH)}  → ${advice}\n`);
    }
  }
}
