import { interopMatrix } from "../support/suites/matrix.js";

interopMatrix(300);
