/** Types of questions.mjs, which the child processes run as it is. */
export const questions: Record<string, (library: { zmq: object; draft: object }) => unknown>;
