/**
 * Questions about a library with zeromq.js's surface: each is a function of its module that answers with plain data.
 * questions-child.mjs asks them of one library; surface.test.ts asks two libraries and compares the answers. The files
 * of questions/ add to one list, in this order.
 */
import "./questions/classes.mjs";
import "./questions/options.mjs";
import "./questions/calls.mjs";
import "./questions/states.mjs";
import "./questions/objects.mjs";

export { questions } from "./questions/asking.mjs";
