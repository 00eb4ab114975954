/**
 * Runs one program of test/zeromq/programs on one library and prints its lines. Arguments: `zeromq` or `zwire`, and the
 * program's name. Ends by itself when the program lets go of everything.
 */
import { load, moduleOf } from "./libraries.mjs";

const [, , library, name] = process.argv;
process.env.ZMQ_MODULE = moduleOf(library);
const { default: program } = await import(`../programs/${name}.mjs`);
const { zmq, draft } = await load(library, ["draft", "udp"].includes(name));
await program(zmq, (line) => console.log(line), draft);
