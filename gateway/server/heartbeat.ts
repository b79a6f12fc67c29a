import type { WebSocket } from 'ws';

const PING_INTERVAL_MS = 15_000;

/** Finds peers that are gone without a word: no pong within an interval ends the connection. Stops with it. */
export function keepAlive(socket: WebSocket, intervalMs = PING_INTERVAL_MS): void {
  let isAlive = true;
  socket.on('pong', () => (isAlive = true));
  const timer = setInterval(() => {
    if (!isAlive) {
      socket.terminate();
      return;
    }
    isAlive = false;
    socket.ping();
  }, intervalMs);
  timer.unref();
  socket.once('close', () => clearInterval(timer));
}
