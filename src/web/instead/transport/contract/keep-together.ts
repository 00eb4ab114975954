/** Stands for transport/contract/keep-together.ts: a browser cannot forbid to transfer memory. */
export function keepTogether(): void {}
