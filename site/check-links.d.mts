export function githubAnchor(heading: string): string;
export function checkLinks(folder: string): { files: number; links: number; broken: string[] };
