import { interopWebSocket } from "../support/suites/websocket.js";

interopWebSocket(40, false);
