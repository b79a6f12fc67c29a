import type { Room } from 'livekit-client';

/**
 * Whether something with this encryption (LiveKit's enum; none is 0) is not to be believed: in a room whose data are end-to-end
 * encrypted, LiveKit's server could have written what is not.
 */
export const isRefusedUnencrypted = (room: Room, encryptionType: number | undefined): boolean =>
  room.isE2EEEnabled && room.options.encryption !== undefined && (encryptionType ?? 0) === 0;
