/** A side of a trial over zwire. */
import * as zwire from "zwire";
import { work } from "./workload.mjs";

await work(zwire);
