import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { builtModule } from '../../asr/index.js';
import { exitCodeOf } from './exit-codes.js';

/** A program of one line, as the entry is made. */
function runProgram(work: string): { status: number | null; stderr: string } {
  const code = `
    import { exitCodeOnceSettled } from ${JSON.stringify(builtModule('gateway/commands/exit-codes.js'))};
    process.exitCode = await exitCodeOnceSettled(${work}, 'program');`;
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', code], {
    encoding: 'utf8',
  });
  return { status, stderr };
}

describe('the exit code', () => {
  it('is that of the error, by its name or its beginning', () => {
    const codes = ['config_invalid', 'model_missing', 'model_locked', 'download_failed', 'internal_error'];
    expect(codes.map(exitCodeOf)).toEqual([2, 3, 1, 4, 1]);
  });

  it('is that of the work, when it has settled', () => {
    expect(runProgram('new Promise((resolve) => setTimeout(resolve, 20, 0))')).toEqual({
      status: 0,
      stderr: '',
    });
    expect(runProgram('Promise.resolve(3)')).toEqual({ status: 3, stderr: '' });
  });

  it('is 1, with an error, where the program ends before its work has settled', () => {
    const { status, stderr } = runProgram('new Promise(() => undefined)');
    expect(status).toBe(1);
    expect(stderr).toContain('program: internal_error: The program stopped before it was done.');
  });
});
