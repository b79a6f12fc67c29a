/** A gateway in a process of its own, to be killed. Captions the rooms it is given; a line on standard output when it is in all of them. */
import { setTimeout as delay } from 'node:timers/promises';
import { roomName } from '../../../../protocol/index.js';
import { HealingGateway } from './healing-gateway.js';

export interface GatewayChildArguments {
  readonly url: string;
  readonly apiKey: string;
  readonly apiSecret: string;
  readonly agentName: string;
  readonly redisUrl: string;
  readonly rooms: readonly string[];
}

const { rooms, agentName, redisUrl, ...server } = JSON.parse(process.argv[2] ?? '') as GatewayChildArguments;
const gateway = new HealingGateway({ server, agentName, redisUrl, watchIntervalMs: 0 });
// Whoever started it is gone.
process.stdin.on('close', () => process.exit(0)).resume();
for (const room of rooms) {
  if (!(await gateway.healing.mayCaption(roomName(room)))) throw new Error(`${room} is captioned`);
  await gateway.caption(roomName(room));
}
while (!rooms.every((room) => gateway.isCaptioning(roomName(room)))) await delay(20);
process.stdout.write('captioning\n');
