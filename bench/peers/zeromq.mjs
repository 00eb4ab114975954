/** A side of a trial over zeromq.js. */
import * as zeromq from "zeromq";
import { work } from "./workload.mjs";

await work(zeromq);
