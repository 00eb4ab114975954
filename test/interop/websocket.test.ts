import { interopWebSocket } from "../support/suites/websocket.js";

interopWebSocket(100, false);
