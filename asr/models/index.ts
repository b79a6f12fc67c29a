/** Models on disk: which there are, where they are, and how they get there. */
export {
  findModel,
  findPunctuationModel,
  findInstalled,
  listInstalled,
  modelDirectories,
  modelStores,
} from './locate.js';
export type { FindOptions, ListedModel, ModelPlaces } from './locate.js';
export type { InstalledModel, InstalledPunctuation } from './inspect.js';
export { ensureModel, pullModel } from './pull.js';
export type { EnsureOptions, PullOptions } from './pull.js';
export { importModel } from './import.js';
export type { ImportOptions } from './import.js';
export { verifyModel } from './verify.js';
export type { VerifiedModel, VerifyOptions } from './verify.js';
export type { InstallPhase, InstallProgress, OnInstallProgress } from './progress.js';
export { parseTokens } from './tokens.js';
export { DEFAULT_MODEL_ID, MODEL_REGISTRY, PUNCTUATION_MODEL_ID, registeredModel } from './registry.js';
export type {
  Casing,
  ModelArchive,
  Precision,
  PrecisionPreference,
  RegisteredModel,
  RegisteredPunctuation,
  RegisteredRecogniser,
} from './registry.js';
