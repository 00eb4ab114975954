/** The smoke program over the compiled sources. Prints one JSON line. The argument is the URL of zwire's dist folder. */
import smoke from "./smoke.cjs";

const dist = process.argv[2];
console.log(
  JSON.stringify(
    await smoke({ zwire: await import(`${dist}/index.js`), rpc: await import(`${dist}/rpc.js`) }),
  ),
);
