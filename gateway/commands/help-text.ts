import { type Setting, SETTINGS } from '../config/settings.js';

const EXIT_CODES = `
Exit codes:
  0 good   1 failed   2 wrong usage or configuration   3 model missing or unusable   4 a server could not be reached`;

/** What follows the list of commands in \`--help\`: settings and exit codes. */
export function helpText(): string {
  const settings = Object.entries<Setting>(SETTINGS).map(([name, setting]) => {
    const value =
      setting.default === ''
        ? ''
        : ` [${setting.default}${setting.kind === 'number' ? ` ${setting.unit}` : ''}]`;
    return `  ${name}${value}\n      ${setting.doc}`;
  });
  return `
With --json a command prints exactly one JSON document on standard output; everything else goes to standard error.

Settings, from the environment or a JSON file:
${settings.join('\n')}
${EXIT_CODES}
`;
}
