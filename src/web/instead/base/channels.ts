/** Stands for base/channels.ts: a page has no node:diagnostics_channel, so nobody subscribes. */
const nobody = { hasSubscribers: false };

export { nobody as RECEIVES, nobody as SENDS };

/** Is never called. */
export function publishMessage(): void {}
