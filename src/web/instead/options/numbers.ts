/** Stands for options/numbers.ts. */
import type { NumberedOption } from "../../../options/numbers.js";

export type { NumberedOption };

const NONE: ReadonlyMap<number, NumberedOption> = new Map();

export const SOCKET_OPTION_NUMBERS = NONE;
export const CONTEXT_OPTION_NUMBERS = NONE;
