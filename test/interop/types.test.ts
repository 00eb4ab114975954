import { interopTypes } from "../support/suites/types.js";

interopTypes(150);
