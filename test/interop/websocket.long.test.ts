import { interopWebSocket } from "../support/suites/websocket.js";

interopWebSocket(3000, true);
