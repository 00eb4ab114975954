import { backPressure } from "../support/suites/back-pressure.js";

backPressure(2048);
