/** The internet sockets of a process, read from /proc (Linux). */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

export interface ProcessSocket {
  readonly protocol: 'tcp' | 'tcp6' | 'udp' | 'udp6';
  /** Address and port in hexadecimal as the kernel prints them: 127.0.0.1 is `0100007F`. */
  readonly local: string;
  readonly remote: string;
}

/** All of 127.0.0.0/8, as the kernel prints it. */
export const LOOPBACK = /^[0-9A-F]{6}7F:/;
/** What an unconnected socket has as its remote end. */
export const UNCONNECTED = /^0+:/;

export function socketsOf(pid: number): readonly ProcessSocket[] {
  const inodes = socketInodes(pid);
  return (['tcp', 'tcp6', 'udp', 'udp6'] as const).flatMap((protocol) =>
    readFileSync(`/proc/${pid}/net/${protocol}`, 'utf8')
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      .filter((fields) => inodes.has(fields[9] ?? ''))
      .map((fields) => ({ protocol, local: fields[1] ?? '', remote: fields[2] ?? '' })),
  );
}

function socketInodes(pid: number): ReadonlySet<string> {
  const inodes = new Set<string>();
  for (const descriptor of readdirSync(`/proc/${pid}/fd`)) {
    try {
      const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${descriptor}`))?.[1];
      if (inode !== undefined) inodes.add(inode);
    } catch {
      // Closed since the listing.
    }
  }
  return inodes;
}
