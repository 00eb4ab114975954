import type { Group, SocketType } from "../src/options/row.js";

/** Doc comments of rows: class name, then option name. */
export type Comments = Readonly<Record<string, Readonly<Record<string, string>>>>;

export const PAGE: string;
export function commentsIn(source: string): Comments;
export function allComments(): Comments;
export function page(groups: readonly Group[], comments: Comments, all: readonly SocketType[]): string;
