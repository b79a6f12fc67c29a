import { createHash } from 'node:crypto';

/**
 * What stands for a room in logs and reports, whose readers need not know what people meet about: the same one everywhere, and
 * found from the name by whoever has it (`room-` and the first 8 digits of its SHA-256).
 */
export const roomLabel = (room: string): string =>
  `room-${createHash('sha256').update(room).digest('hex').slice(0, 8)}`;
