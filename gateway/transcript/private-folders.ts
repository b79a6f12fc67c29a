import fs from 'node:fs';

type Done = (error: NodeJS.ErrnoException | null) => void;

/** For proper-lockfile, whose locks are folders: for this user alone. */
export const PRIVATE_FOLDERS: object = {
  ...fs,
  mkdir: (path: fs.PathLike, done: Done): void => fs.mkdir(path, { mode: 0o700 }, (error) => done(error)),
};
