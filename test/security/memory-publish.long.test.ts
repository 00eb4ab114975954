import { deafSubscribers } from "../support/suites/deaf-subscribers.js";

deafSubscribers([2_000, 100_000]);
