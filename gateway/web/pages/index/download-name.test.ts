import { describe, expect, it } from 'vitest';
import { attachment } from '../../../server/attachment.js';
import { downloadName } from './download-name.js';

describe('the name under which the page saves a transcript', () => {
  it.each(["Réunion d'équipe", '会议室', '100 % été (1)*'])('is that of the room: %s', (room) => {
    const header = attachment({ of: room, suffix: 'now', extension: 'txt' });
    expect(downloadName(header)).toBe(`${room.replace('*', '').trim()}-now.txt`);
  });

  it('is the one in ASCII where there is no other, or a broken one', () => {
    expect(downloadName('attachment; filename="council-now.txt"')).toBe('council-now.txt');
    expect(downloadName(`attachment; filename="a.txt"; filename*=UTF-8''%FF`)).toBe('a.txt');
    expect(downloadName(null)).toBeUndefined();
  });
});
