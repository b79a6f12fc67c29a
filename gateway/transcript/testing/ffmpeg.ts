import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { it } from 'vitest';

/** Runs `tests` where there is an `ffprobe`. Without it they are skipped, and told so; in CI (`CI` is set) they fail. */
export function withFfmpeg(tests: (programs: { ffprobe: string }) => void): void {
  const ffprobe = (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((folder) => join(folder, 'ffprobe'))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
  if (ffprobe !== undefined) {
    tests({ ffprobe });
    return;
  }
  const reason = 'SKIPPED: no ffprobe in PATH (Debian package "ffmpeg")';
  it('needs ffmpeg', (context) => {
    if (process.env['CI'] !== undefined) throw new Error(reason);
    process.stderr.write(`${reason}\n`);
    context.skip(reason);
  });
}
