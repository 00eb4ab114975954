/** How the demo writes numbers and tables. Knows nothing of what they mean. */

/** 1234567 → "1 234 567", whatever the locale. */
export function number(value) {
  return String(value).replace(/\B(?=(\d{3})+$)/g, " ");
}

/** Rows of cells in columns; the first one to the left, the others to the right. */
export function table(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const line = (row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column])))
      .join("  ");
  return rows.map(line).join("\n");
}
