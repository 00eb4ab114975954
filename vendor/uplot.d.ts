/** uPlot as a script for a page, which makes the global uPlot. */
export const script: string;
/** Its style sheet. */
export const style: string;
