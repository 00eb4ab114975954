/** A side of a trial over zwire under zeromq.js's surface. */
import * as zwire from "zwire/zeromq";
import { work } from "./workload.mjs";

await work(zwire);
