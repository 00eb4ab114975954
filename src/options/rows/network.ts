/** Rows about tcp, ipc and what the operating system does for them. */

import { deflate, device, fileMode, hostPort, ids, NONE, networks, origins } from "../network-rules.js";
import {
  asBinary,
  asFilter,
  asFlag,
  asInt,
  asOpposite,
  asSignedId,
  asUnsignedId,
  setAsBinary,
  setAsInt,
} from "../number-forms.js";
import { option } from "../row.js";
import { boolean, bufferSize, count, countOrNone, secondsOrNone, text, time, whole } from "../rules.js";

/** Of every socket type. */
export class NetworkRows {
  /** SO_SNDBUF; -1 leaves the system's on tcp and requests 1 MiB on ipc. Native engine only, except for udp. Default -1. */
  sendBufferSize? = option(bufferSize, { initial: -1, numbers: [asInt(11, "SNDBUF")] });
  /** SO_RCVBUF; -1 leaves the system's. Native engine only, except for udp. Default -1. */
  receiveBufferSize? = option(bufferSize, { initial: -1, numbers: [asInt(12, "RCVBUF")] });
  /** SO_KEEPALIVE: -1 leaves the system's, 0 is off, 1 is on. Default -1. */
  tcpKeepalive? = option(whole(-1, 1), { initial: -1, numbers: [asInt(34, "TCP_KEEPALIVE")] });
  /** Keepalive probes without an answer before a connection is dead; -1 leaves the system's. Native engine only. Default -1. */
  tcpKeepaliveCount? = option(countOrNone, { initial: -1, numbers: [asInt(35, "TCP_KEEPALIVE_CNT")] });
  /** Seconds of silence before the first probe; -1 leaves the system's. Default -1. */
  tcpKeepaliveIdle? = option(secondsOrNone, { initial: -1, numbers: [asInt(36, "TCP_KEEPALIVE_IDLE")] });
  /** Seconds between probes; -1 leaves the system's. Native engine only. Default -1. */
  tcpKeepaliveInterval? = option(secondsOrNone, {
    initial: -1,
    numbers: [asInt(37, "TCP_KEEPALIVE_INTVL")],
  });
  /**
   * How long sent data may stay unacknowledged before tcp gives up (TCP_USER_TIMEOUT); 0 leaves it to the system. Native
   * engine on Linux only. Default 0.
   */
  tcpMaxRetransmitTimeout? = option(time, { initial: 0, numbers: [asInt(80, "TCP_MAXRT")] });
  /**
   * IP_TOS and IPV6_TCLASS of tcp connections; 0 leaves the system's. Linux keeps the two lowest bits (ECN) for itself.
   * Native engine only. Default 0.
   */
  typeOfService? = option(whole(0, 255), { initial: 0, numbers: [asInt(57, "TOS")] });
  /**
   * Network device that tcp sockets are bound to (SO_BINDTODEVICE). bind and connect throw ENODEV for one that does not
   * exist. Native engine on Linux only. Default null.
   */
  interface? = option(device, { initial: null, numbers: [asBinary(92, "BINDTODEVICE")] });
  /**
   * SO_PRIORITY of tcp connections; 0 leaves the system's. Above 6, bind and connect throw EPERM without CAP_NET_ADMIN.
   * Native engine on Linux only. Default 0.
   */
  priority? = option(count, { initial: 0, numbers: [asInt(112, "PRIORITY")] });
  /**
   * SO_BUSY_POLL of tcp connections, in microseconds; 0 leaves the system's. bind and connect throw EPERM where raising
   * it needs CAP_NET_ADMIN. Native engine on Linux only. Default 0.
   */
  busyPoll? = option(whole(0, 2 ** 31 - 1, "microseconds"), {
    initial: 0,
    numbers: [setAsInt(113, "BUSY_POLL")],
  });
  /** Connections that may wait to be accepted. Default 100. */
  backlog? = option(count, { initial: 100, numbers: [asInt(19, "BACKLOG")] });
  /** Use IPv6; a wildcard bind then takes both IPv4 and IPv6. Default: the context's, which is false. */
  ipv6? = option(boolean, {
    initial: false,
    shown: "the context's, which is `false`",
    numbers: [asFlag(42, "IPV6"), asOpposite(31, "IPV4ONLY")],
  });
  /**
   * `host:port` of a SOCKS5 proxy that tcp connections are made through (R24). It gets host names as they are;
   * connectTimeout and handshakeInterval limit the wait for its answers. Default null.
   */
  socksProxy? = option(hostPort, { initial: null, numbers: [asBinary(68, "SOCKS_PROXY")] });
  /** User name for the proxy; null offers the proxy no authentication. Default null. */
  socksUsername? = option(text(255, "a user name"), {
    initial: null,
    numbers: [asBinary(99, "SOCKS_USERNAME")],
  });
  /** Password for the proxy. Needs socksUsername. Default null. */
  socksPassword? = option(text(255, "a password"), {
    initial: null,
    numbers: [setAsBinary(100, "SOCKS_PASSWORD")],
  });
  /**
   * Networks whose tcp connections a bound endpoint accepts, as `192.168.0.0/16`, `10.1.2.3` or `::1/128` (R12); others
   * are closed at once, with the event "accept:error". Empty accepts everybody. IPv6 networks are for IPv6 peers, except
   * those below ::ffff:0:0/96. Default [].
   */
  tcpAcceptFilter? = option(networks, { initial: NONE, numbers: [asFilter(38, "TCP_ACCEPT_FILTER")] });
  /**
   * Web sites whose pages may connect to a bound ws endpoint, as `https://example.com`; those of other sites get the answer
   * 403, with the event "accept:error". Programs that are not browsers name no site, and are not concerned. null lets all in.
   * Default null.
   */
  allowedOrigins? = option(origins, { initial: null });
  /**
   * Compresses messages over ws and wss where the other side does so, too (permessage-deflate, RFC 7692): true, or `{ threshold }`
   * for parts from that size on (1024 bytes unless given). Each message by itself, and not under CURVE, because encrypted
   * bytes do not get smaller. A part may unpack to `maxMessageSize`, or to 16 MiB where that is -1. Default false.
   */
  perMessageDeflate? = option(deflate, { initial: false });
  /**
   * User ids whose ipc connections a bound endpoint accepts (R19). Where one of the three ipcFilter lists is not empty, a
   * peer that is in none of them is closed at once, with the event "accept:error". Native engine on Linux only. Default [].
   */
  ipcFilterUserIds? = option(ids(0), { initial: NONE, numbers: [asUnsignedId(59, "IPC_FILTER_UID")] });
  /** Group ids, compared with the primary group of the peer's process; see ipcFilterUserIds. Default []. */
  ipcFilterGroupIds? = option(ids(0), { initial: NONE, numbers: [asUnsignedId(60, "IPC_FILTER_GID")] });
  /** Process ids; see ipcFilterUserIds. Default []. */
  ipcFilterProcessIds? = option(ids(1), { initial: NONE, numbers: [asSignedId(58, "IPC_FILTER_PID")] });
  /**
   * Send through memory that both processes share, as soon as much is sent, to ipc peers that are zwire, too, and allow it.
   * Others notice nothing. Native engine on Linux; elsewhere, and for Stream, everything goes through the socket. Default true.
   */
  sharedMemory? = option(boolean, { initial: true });
  /**
   * Memory for what is sent to one peer, used for the first time when 32 KiB are sent at once: 65536 to 67108864, rounded
   * up to a power of two. The peer makes its own. See sharedMemory. Default 1048576.
   */
  sharedMemorySize? = option(whole(65536, 67_108_864, "bytes"), { initial: 1_048_576 });
  /**
   * How long to look for the next message in shared memory before the thread sleeps: a round trip need not wait until the
   * system wakes a processor, and a thread that waits burns one. With it, memory is shared from the first message on. See
   * sharedMemory. Up to 10000. Default 0, which sleeps at once.
   */
  spinMicroseconds? = option(whole(0, 10_000, "microseconds"), { initial: 0 });
  /**
   * Permissions of the socket file that bind makes for an ipc path, such as 0o600; nobody can connect before it has them.
   * null leaves them to the process's umask. Not for abstract names and useFd (EINVAL). Default null.
   */
  ipcFileMode? = option(fileMode, { initial: null });
  /**
   * Listening descriptor that bind takes over instead of making one, for tcp and ipc; -1 makes one (R25). The address is
   * the descriptor's, and an ipc path is never unlinked. unbind and close close the descriptor; it serves one bind (EINVAL
   * for a second one, and for what is not a listening socket of the scheme). Native engine, or Linux. Default -1.
   */
  useFd? = option(countOrNone, { initial: -1, numbers: [asInt(89, "USE_FD")] });
}
