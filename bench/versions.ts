/** What was measured, by version: as the package file pins it. */
import { readFileSync } from 'node:fs';
import { LIVEKIT_SERVER_VERSION } from '../gateway/livekit/server/find-livekit-server.js';

/** What recognises, and what carries audio. */
const MEASURED = ['onnxruntime-node', 'sherpa-onnx-node', '@livekit/rtc-node', 'ws'];

/** By name, of this package and of what its figures depend on. */
export function versions(): Readonly<Record<string, string>> {
  const folder = import.meta.url.endsWith('.ts') ? '../' : '../../';
  const file = readFileSync(new URL(`${folder}package.json`, import.meta.url), 'utf8');
  const { version, dependencies } = JSON.parse(file) as {
    readonly version: string;
    readonly dependencies: Readonly<Record<string, string>>;
  };
  return {
    'caption-gateway': version,
    ...Object.fromEntries(MEASURED.map((name) => [name, dependencies[name] ?? 'not a dependency'])),
    'livekit-server': LIVEKIT_SERVER_VERSION,
  };
}
