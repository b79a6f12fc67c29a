import type { Token } from '../token.js';
import type { DecodedPiece, FromChild, SavedUtterance } from './messages.js';

/**
 * Checks what came over the channel from a child: another process, with native code in it. Undefined when it is no
 * message of the contract in `messages.ts`.
 */
export function parseFromChild(received: unknown): FromChild | undefined {
  return isFromChild(received) ? received : undefined;
}

function isFromChild(value: unknown): value is FromChild {
  if (!isRecord(value)) return false;
  switch (value['kind']) {
    case 'hello':
      return isFiniteNumber(value['version']);
    case 'ready':
      return (
        isFiniteNumber(value['loadMs']) &&
        (value['engine'] === 'zipformer' || value['engine'] === 'sherpa') &&
        isAbsentOr('string', value['refusal']) &&
        typeof value['savesStreams'] === 'boolean'
      );
    case 'pong':
      return isFiniteNumber(value['id']);
    case 'saved':
      return isFiniteNumber(value['utterance']) && (value['saved'] === undefined || isSaved(value['saved']));
    case 'utteranceFailed':
      return (
        isFiniteNumber(value['utterance']) &&
        typeof value['code'] === 'string' &&
        typeof value['message'] === 'string'
      );
    case 'decoded':
      return (
        isFiniteNumber(value['callMs']) &&
        isFiniteNumber(value['batchSize']) &&
        isListOf(value['pieces'], isPiece)
      );
    default:
      return false;
  }
}

const isSaved = (value: unknown): value is SavedUtterance =>
  isRecord(value) &&
  value['state'] instanceof Uint8Array &&
  isFiniteNumber(value['reportedTokens']) &&
  isFiniteNumber(value['acceptedThroughSample']) &&
  isFiniteNumber(value['decodedThroughSample']);

function isPiece(value: unknown): value is DecodedPiece {
  return (
    isRecord(value) &&
    isFiniteNumber(value['utterance']) &&
    isListOf(value['appended'], isToken) &&
    isListOf(value['provisional'], isToken) &&
    isFiniteNumber(value['decodedThroughSample']) &&
    isAbsentOr('number', value['heardThroughSample']) &&
    typeof value['isFinal'] === 'boolean' &&
    isAbsentOr('string', value['punctuatedText'])
  );
}

function isToken(value: unknown): value is Token {
  return (
    isRecord(value) &&
    typeof value['text'] === 'string' &&
    isFiniteNumber(value['atSample']) &&
    isAbsentOr('number', value['logProbability'])
  );
}

const isListOf = <Item>(value: unknown, isItem: (item: unknown) => item is Item): value is Item[] =>
  Array.isArray(value) && value.every(isItem);

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;

const isFiniteNumber = (value: unknown): value is number =>
  typeof value === 'number' && Number.isFinite(value);

const isAbsentOr = (type: 'string' | 'number', value: unknown): boolean =>
  value === undefined || typeof value === type;
