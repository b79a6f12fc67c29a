import { UNANSWERED_STUN_SERVER } from '../ice-servers.js';

/**
 * How livekit-server is configured to stay on this machine. Left to itself it listens on all interfaces (TCP 7881),
 * asks public STUN servers for its address, and tells its clients to ask them too (livekit-server v1.13.5,
 * pkg/service/roommanager.go `iceServersForParticipant`).
 */

/** Sections of livekit-server's own configuration file, in its own words. */
export type LiveKitServerSections = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

export interface LiveKitServerAddress {
  /** TCP: signalling, API, agents. */
  readonly port: number;
  /** UDP: all media. */
  readonly udpPort: number;
}

export interface LiveKitServerKey {
  readonly apiKey: string;
  /** livekit-server refuses fewer than 32 characters. */
  readonly apiSecret: string;
}

/** What `caption-gateway livekit` runs with: known to everybody, and so for loopback only. */
export const DEVELOPMENT_KEY: LiveKitServerKey = {
  apiKey: 'devkey',
  apiSecret: 'development-secret-known-to-everybody',
};
/** LiveKit's usual ports. */
export const DEVELOPMENT_ADDRESS: LiveKitServerAddress = { port: 7880, udpPort: 7882 };

/** The configuration file, as JSON, which is YAML. A section in `extra` adds to the one of that name. */
export function loopbackConfig(
  address: LiveKitServerAddress,
  key: LiveKitServerKey,
  extra: LiveKitServerSections = {},
): string {
  const sections: LiveKitServerSections = {
    rtc: {
      use_external_ip: false,
      node_ip: '127.0.0.1',
      udp_port: address.udpPort,
      tcp_port: 0,
      // Our own UDP port will not do: it takes the question for the beginning of a connection and drops what follows from there.
      stun_servers: [UNANSWERED_STUN_SERVER],
      enable_loopback_candidate: true,
      interfaces: { includes: ['lo'] },
      ips: { includes: ['127.0.0.0/8'] },
    },
    room: { auto_create: true },
    logging: { level: 'info' },
  };
  const merged = Object.fromEntries(
    [...new Set([...Object.keys(sections), ...Object.keys(extra)])].map((name) => [
      name,
      { ...sections[name], ...extra[name] },
    ]),
  );
  return JSON.stringify({
    port: address.port,
    bind_addresses: ['127.0.0.1'],
    keys: { [key.apiKey]: key.apiSecret },
    ...merged,
  });
}
