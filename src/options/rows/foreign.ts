/** Rows of libzmq's options that mean nothing here. */

import { asFlag, asInt, asLong, type NumberedAs } from "../number-forms.js";
import { option } from "../row.js";
import { refused } from "../rules.js";

const NO_THREADS = "zwire has no I/O threads to choose from";
const NO_PGM = "pgm and norm are not supported";
const NO_VMCI = "vmci is not supported";

function foreign<Value>(initial: Value, reason: string, number: NumberedAs): Value {
  return option(refused<Value>(initial, reason), { initial, numbers: [number] });
}

/** They read as libzmq's defaults; anything else throws ENOTSUP. */
export class ForeignRows {
  /** zwire has no I/O threads. Default 0. */
  affinity? = foreign<number>(0, NO_THREADS, asLong(4, "AFFINITY"));
  /** pgm and norm are not supported. Default 100. */
  rate? = foreign<number>(100, NO_PGM, asInt(8, "RATE"));
  /** pgm and norm are not supported. Default 10000. */
  recoveryInterval? = foreign<number>(10000, NO_PGM, asInt(9, "RECOVERY_IVL"));
  /** pgm and norm are not supported. Default 1500. */
  multicastMaxTransportDataUnit? = foreign<number>(1500, NO_PGM, asInt(84, "MULTICAST_MAXTPDU"));
  /** vmci is not supported. Default 0. */
  vmciBufferSize? = foreign<number>(0, NO_VMCI, asLong(85, "VMCI_BUFFER_SIZE"));
  /** vmci is not supported. Default 0. */
  vmciBufferMinSize? = foreign<number>(0, NO_VMCI, asLong(86, "VMCI_BUFFER_MIN_SIZE"));
  /** vmci is not supported. Default 0. */
  vmciBufferMaxSize? = foreign<number>(0, NO_VMCI, asLong(87, "VMCI_BUFFER_MAX_SIZE"));
  /** vmci is not supported. Default -1. */
  vmciConnectTimeout? = foreign<number>(-1, NO_VMCI, asInt(88, "VMCI_CONNECT_TIMEOUT"));
  /** An option of Windows. Default false. */
  loopbackFastPath? = foreign<boolean>(
    false,
    "it is an option of Windows that zwire does not use",
    asFlag(94, "LOOPBACK_FASTPATH"),
  );
}
