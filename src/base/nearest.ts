/** What a misspelt name was meant to be. */

/** How many letters are wrong, missing, too many or swapped with the next. */
function distance(one: string, other: string): number {
  let before: number[] = [];
  let row = Array.from({ length: other.length + 1 }, (_, i) => i);
  for (let i = 1; i <= one.length; i++) {
    const next = [i];
    for (let j = 1; j <= other.length; j++) {
      const same = one[i - 1] === other[j - 1] ? 0 : 1;
      next[j] = Math.min(next[j - 1] + 1, row[j] + 1, row[j - 1] + same);
      if (i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1])
        next[j] = Math.min(next[j], before[j - 2] + 1);
    }
    before = row;
    row = next;
  }
  return row[other.length];
}

const LONGEST = 64;

/** `; did you mean "signal"?`, or nothing if no known name is near. */
export function meant(name: string, known: Iterable<string>): string {
  let [best, least] = ["", Math.min(3, Math.ceil(name.length / 3) + 1)];
  if (name.length > LONGEST) return "";
  for (const one of known) {
    const wrong = distance(name.toLowerCase(), one.toLowerCase());
    if (wrong < least) [best, least] = [one, wrong];
  }
  return best === "" ? "" : `; did you mean "${best}"?`;
}
