/** Lists the regular files below a folder. Links are not followed. Knows nothing of what is done with them. */
import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";

/** What tells whether a file is still the one that it was. */
export async function fingerprint(path) {
  try {
    const { size, mtimeMs, ino } = await lstat(path);
    return `${size} ${mtimeMs} ${ino}`;
  } catch (error) {
    return error.code;
  }
}

/** @returns files as { path, fingerprint }, paths relative to the folder, and folders that could not be read */
export async function walk(root) {
  const files = [];
  const closed = [];
  const folders = [""];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    let entries;
    try {
      entries = await readdir(join(root, folder), { withFileTypes: true });
    } catch (error) {
      if (folder === "") throw error;
      closed.push(`${folder} (${error.code})`);
      continue;
    }
    for (const entry of entries) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) folders.push(path);
      else if (entry.isFile()) files.push({ path, fingerprint: await fingerprint(join(root, path)) });
    }
  }
  return { files, closed };
}
