/** Whether nothing in src/ has changed since it was last compiled. */
export function isCompiled(): boolean;
