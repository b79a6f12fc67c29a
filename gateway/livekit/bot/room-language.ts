import { errorMessage } from '../../../protocol/index.js';
import type { Room } from '../../rooms/room.js';
import type { RoomSettings } from '../room-settings.js';
import type { CaptionerHost } from './captioner-host.js';

/** The language that a room is recognised in; one that cannot be is reported in the room's status. */
export function languageOf(
  { language }: Pick<RoomSettings, 'language'>,
  room: Pick<Room, 'setStatus'>,
  chooseLanguage: CaptionerHost['chooseLanguage'],
): string {
  try {
    return chooseLanguage(language);
  } catch (error) {
    room.setStatus('language', { state: 'degraded', reason: errorMessage(error) });
    return chooseLanguage();
  }
}
