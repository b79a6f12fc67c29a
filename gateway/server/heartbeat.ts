import type { WebSocket } from 'ws';

/**
 * Finds peers that are gone without a word: nothing at all within an interval, after being asked, ends the connection. Whatever
 * comes is a sign of life: a peer may be too busy sending to answer. While nothing is read, nothing can be told. Stops with it.
 */
export function keepAlive(
  socket: WebSocket,
  { intervalMs, ask = () => socket.ping() }: { intervalMs: number; ask?: () => void },
): void {
  let isAlive = true;
  for (const sign of ['message', 'ping', 'pong'] as const) socket.on(sign, () => (isAlive = true));
  const timer = setInterval(() => {
    if (!isAlive && !socket.isPaused) {
      socket.terminate();
      return;
    }
    isAlive = false;
    ask();
  }, intervalMs);
  timer.unref();
  socket.once('close', () => clearInterval(timer));
}
