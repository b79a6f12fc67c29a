import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import type { LiveKitServerAddress } from './livekit-server-config.js';

/** Below what systems hand out by themselves (Linux: 32768 and up): nobody takes the ports while a server restarts. */
const FIRST_PORT = 20_000;
const PORTS = 10_000;
const ATTEMPTS = 50;

/** Two ports that were free on 127.0.0.1 a moment ago. */
export async function freePorts(): Promise<LiveKitServerAddress> {
  const port = await freePort();
  const udpPort = await firstFree(isUdpFree);
  return { port, udpPort };
}

/** A port on which nobody on 127.0.0.1 listened a moment ago. */
export const freePort = (): Promise<number> => firstFree(isTcpFree);

async function firstFree(isFree: (port: number) => Promise<boolean>): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const port = FIRST_PORT + Math.floor(Math.random() * PORTS);
    if (await isFree(port)) return port;
  }
  throw new Error(`${ATTEMPTS} ports of 127.0.0.1 were all taken`);
}

const isTcpFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });

const isUdpFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = createSocket('udp4');
    socket.once('error', () => socket.close(() => resolve(false)));
    socket.bind(port, '127.0.0.1', () => socket.close(() => resolve(true)));
  });
