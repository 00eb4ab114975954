/**
 * udp endpoints (N13, N14): `host:port`, `*`, `[v6]:port`, names of interfaces, and `interface;group:port` for multicast. To bind a
 * multicast group joins it. Names are resolved here; node:dgram gets numeric addresses.
 */
import { lookup } from "node:dns/promises";
import { isIP, isIPv4, isIPv6 } from "node:net";
import { networkInterfaces } from "node:os";
import { addressBytes } from "../base/accept-filter.js";
import {
  checkFamily,
  type HostPort,
  invalid,
  localAddress,
  noDevice,
  numericLocal,
  parseHostPort,
} from "./addresses.js";
import type {
  Datagram,
  DatagramAddress,
  DatagramHandler,
  DatagramOptions,
  DatagramPort,
  DatagramTransport,
} from "./contract/datagrams.js";
import { formatHostPort, requireDefaults } from "./contract/stream-engine.js";
import { NodePort, type PortSettings } from "./node/datagrams.js";

/** The parts of an address. */
interface UdpAddress extends HostPort {
  /** The interface for multicast, as it is written; null for none. */
  readonly device: string | null;
  readonly multicast: boolean;
}

const endpointOf = (address: string): string => `udp://${address}`;

/** Whether an address is that of a multicast group: 224.0.0.0/4, or ff00::/8. */
function isGroup(host: string): boolean {
  const first = addressBytes(host)?.[0] ?? 0;
  return isIPv4(host) ? first >= 224 && first <= 239 : first === 255;
}

function parse(address: string): UdpAddress {
  const endpoint = endpointOf(address);
  const semicolon = address.indexOf(";");
  const { host, port } = parseHostPort(address.slice(semicolon + 1), endpoint);
  const multicast = isGroup(host);
  if (semicolon < 0) return { host, port, device: null, multicast };
  const device = address.slice(0, semicolon).replace(/^\[(.*)\]$/, "$1");
  if (!multicast) throw invalid(endpoint, "an interface is for a multicast group: interface;group:port");
  if (device === "" || isGroup(device)) throw invalid(endpoint, `"${device}" is not an interface`);
  return { host, port, device: device === "*" ? null : device, multicast };
}

/** The numeric address by which the system knows an interface of a group's family. @throws ZmqError ENODEV, EINVAL */
function interfaceOf({ device, host }: UdpAddress, endpoint: string): string | null {
  if (device === null) return null;
  const six = isIPv6(host);
  if (isIP(device) !== 0 && isIPv6(device) !== six)
    throw invalid(endpoint, "the interface and the group must be of one family");
  const found = Object.entries(networkInterfaces()).find(
    ([name, all]) => name === device || all?.some((one) => one.address === device),
  );
  const ours = found?.[1]?.find((one) => (one.family === "IPv6") === six);
  if (found === undefined || ours === undefined)
    throw noDevice(endpoint, `"${device}" is neither an interface of this host nor an address of one`);
  if (!six) return isIP(device) !== 0 ? device : ours.address;
  // Windows knows interfaces by number here.
  return process.platform === "win32" ? `::%${ours.scopeid}` : `::%${found[0]}`;
}

/** Options of tcp by which a program restricts or directs connections: here they would have no effect. */
const UNFIT = ["interface", "tcpAcceptFilter", "useFd", "socksProxy"] as const;

function checkOptions(options: DatagramOptions): void {
  requireDefaults(options, UNFIT, "a connection, which udp does not have");
}

/** What a port is opened with, as far as the options say it. */
function settingsOf(options: DatagramOptions): Omit<PortSettings, "host" | "port"> {
  const { multicastHops, multicastLoopback, receiveBufferSize, sendBufferSize } = options;
  const buffers = { receiveBufferSize, sendBufferSize };
  return { ...buffers, multicastHops, multicastLoopback, shared: false, group: null, interface: null };
}

/** A port under the name of its endpoint. */
function named(port: NodePort, address: string, target: DatagramAddress | null): DatagramPort {
  return {
    address,
    send: (datagram: Datagram) => port.send(datagram, datagram.to ?? (target as DatagramAddress)),
    close: () => port.close(),
    ref: () => port.ref(),
    unref: () => port.unref(),
  };
}

export class UdpTransport implements DatagramTransport {
  checkBind(address: string, options: DatagramOptions): void {
    checkOptions(options);
    checkFamily(parse(address).host, options.ipv6, endpointOf(address));
  }

  checkConnect(address: string, options: DatagramOptions): void {
    checkOptions(options);
    const endpoint = endpointOf(address);
    const parsed = parse(address);
    if (parsed.host === "*" || parsed.port === 0)
      throw invalid(endpoint, "cannot connect to a wildcard: name a host and a port");
    checkFamily(parsed.host, options.ipv6, endpoint);
    interfaceOf(parsed, endpoint);
  }

  isWildcard(address: string): boolean {
    return /:(?:\*|0+)$/.test(address);
  }

  async bind(
    address: string,
    options: DatagramOptions,
    handler: DatagramHandler,
    sends: boolean,
  ): Promise<DatagramPort> {
    const parsed = parse(address);
    const local = parsed.multicast
      ? parsed.host
      : await localAddress(parsed.host, options.ipv6, endpointOf(address));
    return this.#bind(address, parsed, local, options, handler, sends);
  }

  bindSync(
    address: string,
    options: DatagramOptions,
    handler: DatagramHandler,
    sends: boolean,
  ): DatagramPort {
    const parsed = parse(address);
    const { host, multicast } = parsed;
    const endpoint = endpointOf(address);
    const known = multicast ? host : numericLocal(host, options.ipv6, endpoint);
    const local = known ?? (host === "localhost" ? "127.0.0.1" : undefined);
    if (local === undefined) throw noDevice(endpoint, `bindSync() cannot look up "${host}": use bind()`);
    return this.#bind(address, parsed, local, options, handler, sends);
  }

  #bind(
    address: string,
    parsed: UdpAddress,
    local: string,
    options: DatagramOptions,
    handler: DatagramHandler,
    sends: boolean,
  ): DatagramPort {
    const { multicast, port } = parsed;
    const endpoint = endpointOf(address);
    // Bound to the group, it hears nothing of other groups with the same port. But nothing can be sent from there, and Windows
    // cannot do it.
    const any = isIPv6(local) ? "::" : "0.0.0.0";
    const host = multicast && (sends || process.platform === "win32") ? any : local;
    const settings: PortSettings = {
      ...settingsOf(options),
      host,
      port,
      shared: multicast,
      group: multicast ? local : null,
      interface: interfaceOf(parsed, endpoint),
    };
    const opened = new NodePort(settings, handler);
    const device = multicast ? address.slice(0, address.indexOf(";") + 1) : "";
    return named(opened, endpointOf(device + formatHostPort(local, opened.port)), null);
  }

  async connect(address: string, options: DatagramOptions, handler: DatagramHandler): Promise<DatagramPort> {
    const endpoint = endpointOf(address);
    const parsed = parse(address);
    const host =
      isIP(parsed.host) !== 0
        ? checkFamily(parsed.host, options.ipv6, endpoint)
        : (await lookup(parsed.host, { family: options.ipv6 ? 0 : 4 })).address;
    const settings: PortSettings = {
      ...settingsOf(options),
      host: isIPv6(host) ? "::" : "0.0.0.0",
      port: 0,
      interface: interfaceOf(parsed, endpoint),
    };
    return named(new NodePort(settings, handler), endpoint, { host, port: parsed.port });
  }
}
