import type { CaptionError } from '../protocol/index.js';

/** Some of the names in `known`, from `one,another` as it was given for `option`. Throws what `refusal` makes of the reason. */
export function parseNameList<Name extends string>(
  text: string,
  names: {
    readonly known: readonly Name[];
    readonly option: string;
    readonly refusal: (message: string) => CaptionError;
  },
): Name[] {
  const { known, option, refusal } = names;
  return text.split(',').map((given) => {
    const name = known.find((one) => one === given.trim());
    if (name !== undefined) return name;
    throw refusal(`${option} takes ${known.join(', ')}, separated by commas, not "${given}".`);
  });
}
