/** How a test tells `misbehaving-child.ts` what to do: in the place of a model's path. */
import { builtModule } from '../built-module.js';
import type { RecogniserConfig } from '../child/messages.js';
import type { InstalledModel } from '../models/index.js';

/** A chunk that begins with this sample is poison. */
export const POISON = 666;

export type Misbehaviour = {
  /** In the first lives only; a byte is added to `file` for each life. Default: in every life. */
  readonly lives?: { readonly file: string; readonly count: number };
} & (
  | {
      readonly kind:
        | 'none'
        /** Takes the configuration and says nothing. */
        | 'never_ready'
        /** Runs in circles, without answering pings, once it was ready. */
        | 'hang'
        | 'flood_messages'
        | 'flood_stderr'
        | 'say_null'
        | 'say_number'
        | 'say_nonsense'
        | 'say_hello_again'
        /** Answers pings and decodes nothing. */
        | 'never_decode'
        | 'ignore_finish'
        | 'ignore_shutdown'
        /** Fails an utterance whose first sample is `POISON`. */
        | 'fail_poisoned'
        /** Ends by SIGKILL when it is to decode `POISON`. */
        | 'die_of_poison';
    }
  /** Blocks for so long before it is ready. */
  | { readonly kind: 'slow_ready'; readonly forMs: number }
  /** Blocks for so long for each chunk. */
  | { readonly kind: 'slow_decode'; readonly chunkMs: number }
  | { readonly kind: 'exit_before_ready' | 'exit_after_ready'; readonly code: number }
  /** Ends by SIGKILL in the call after so many chunks. In later lives it does as `then` says. Default: behaves. */
  | {
      readonly kind: 'die_while_decoding';
      readonly afterChunks: number;
      readonly then?:
        { readonly kind: 'never_ready' } | { readonly kind: 'exit_before_ready'; readonly code: number };
    }
);

const PREFIX = 'misbehave:';

export const misbehave = (misbehaviour: Misbehaviour): RecogniserConfig => ({
  engine: 'sherpa',
  encoder: PREFIX + JSON.stringify(misbehaviour),
  decoder: '',
  joiner: '',
  tokens: '',
  threads: 1,
  changedWordsAllowed: 0,
});

/** A model for `ChildEngine` with `MISBEHAVING_CHILD` as its `supervision.entry`. */
export function misbehavingModel(misbehaviour: Misbehaviour): InstalledModel {
  const { encoder, decoder, joiner, tokens } = misbehave(misbehaviour);
  return {
    kind: 'recogniser',
    id: 'misbehaving',
    dir: '',
    title: 'One word a chunk',
    languages: ['en'],
    casing: 'lower',
    punctuates: false,
    precision: 'fp32',
    files: { encoder, decoder, joiner, tokens },
  };
}

/** Of a child that was given a real model: none. */
export const misbehaviourOf = (recogniser: RecogniserConfig): Misbehaviour =>
  recogniser.encoder.startsWith(PREFIX)
    ? (JSON.parse(recogniser.encoder.slice(PREFIX.length)) as Misbehaviour)
    : { kind: 'none' };

/** A built file of `asr/`: children run nothing else. */
const built = (file: string): string => builtModule(`asr/${file}`);

export const REAL_CHILD = built('child/main.js');
export const MISBEHAVING_CHILD = built('testing/misbehaving-child.js');
/** Runs, and never says hello. */
export const SILENT_CHILD = built('testing/silent-child.js');
/** Says hello in another version. */
export const OUTDATED_CHILD = built('testing/outdated-child.js');
/** Starts a real child and tells its process id on standard output. */
export const DOOMED_PARENT = built('testing/doomed-parent.js');
