import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ARMS, parseArms, VERSIONS } from './peers-bench.js';

const PEERS = ['sherpa', 'sherpa-websocket', 'livekit-agents'];

describe('the systems that the gateway is compared with', () => {
  it('are pinned, every package of them, to the versions that results name', () => {
    const pinned = new Map<string, string>();
    for (const peer of PEERS) {
      const requirements = readFileSync(new URL(`peers/${peer}/requirements.txt`, import.meta.url), 'utf8');
      for (const line of requirements.trim().split('\n')) {
        const [, name, version] = /^([A-Za-z0-9._-]+)==([A-Za-z0-9.]+)$/.exec(line) ?? [];
        expect(version, `${peer}: ${line}`).toBeDefined();
        const key = (name ?? '').replace('_', '-');
        expect([undefined, version]).toContain(pinned.get(key));
        pinned.set(key, version ?? '');
      }
    }
    for (const [name, version] of Object.entries(VERSIONS)) expect(pinned.get(name)).toBe(version);
  });

  it('are chosen by name, and a wrong name is told the right ones', () => {
    expect(parseArms(ARMS.join(','))).toEqual(ARMS);
    expect(parseArms('gateway-livekit, livekit-agents')).toEqual(['gateway-livekit', 'livekit-agents']);
    expect(() => parseArms('vosk')).toThrow('sherpa-direct');
  });
});
