/** Stands for connect/gate.ts, which decides whom a listener accepts. */
export class Gate {}
