import eslint from '@eslint/js';
import tseslint from 'typescript-eslint';

/** Forbids imports of `folders` (the arrows go protocol <- asr <- gateway <- bench) with a reason. */
const wall = (folders, reason) => ({
  group: folders.flatMap((folder) => [`**/${folder}/**`, `../${folder}`, `../../${folder}`]),
  message: reason,
});

const addons = {
  sherpa: {
    name: 'sherpa-onnx-node',
    message: 'The addon can end its process: it is loaded in asr/child/sherpa/ only, inside a child.',
  },
  onnxRuntime: {
    name: 'onnxruntime-node',
    message: 'It phones home unless told not to: import it from asr/onnx-runtime.ts.',
  },
  rtcNode: {
    name: '@livekit/rtc-node',
    message: 'LiveKit types stay inside gateway/livekit/.',
  },
};

const environmentOnce = {
  object: 'process',
  property: 'env',
  message: 'Only gateway/config/environment.ts reads the environment.',
};
const oneClock = [
  { object: 'Date', property: 'now' },
  { object: 'performance', property: 'timeOrigin' },
].map((place) => ({ ...place, message: 'Epoch times come from gateway/clock.ts.' }));

const restrictedImports = (patterns, paths = Object.values(addons)) => ({
  'no-restricted-imports': ['error', { paths, patterns }],
});

export default tseslint.config(
  { ignores: ['dist/**', 'node_modules/**', 'coverage/**', '**/.venv/**'] },
  eslint.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: {
      parserOptions: { project: './tsconfig.test.json', tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      'max-params': ['error', 3],
      'max-lines': ['error', { max: 400 }],
      'no-console': 'error',
      eqeqeq: 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true, requireDefaultForNonUnion: false },
      ],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      'no-restricted-properties': ['error', environmentOnce],
    },
  },
  {
    files: ['protocol/**/*.ts'],
    rules: restrictedImports([
      wall(
        ['asr', 'gateway', 'bench'],
        'protocol is what browsers load: it imports nothing else of the project.',
      ),
      { regex: '^node:', message: 'protocol runs in browsers.' },
    ]),
  },
  {
    files: ['asr/**/*.ts'],
    rules: restrictedImports([
      wall(['gateway', 'bench'], 'asr knows no rooms: arrows go protocol <- asr <- gateway.'),
    ]),
  },
  {
    files: ['asr/child/sherpa/**/*.ts'],
    rules: restrictedImports(
      [wall(['gateway', 'bench'], 'asr knows no rooms.')],
      [addons.rtcNode, addons.onnxRuntime],
    ),
  },
  {
    files: ['gateway/**/*.ts'],
    rules: {
      ...restrictedImports([wall(['bench'], 'gateway never looks at bench.')]),
      'no-restricted-properties': ['error', environmentOnce, ...oneClock],
    },
  },
  {
    files: ['gateway/livekit/**/*.ts'],
    rules: restrictedImports(
      [wall(['bench'], 'gateway never looks at bench.')],
      [addons.sherpa, addons.onnxRuntime],
    ),
  },
  {
    files: ['bench/**/*.ts', 'fixtures/**/*.ts'],
    rules: restrictedImports([]),
  },
  {
    files: ['asr/onnx-runtime.ts'],
    rules: {
      ...restrictedImports(
        [wall(['gateway', 'bench'], 'asr knows no rooms.')],
        [addons.rtcNode, addons.sherpa],
      ),
      'no-restricted-properties': 'off',
    },
  },
  {
    // A promise that nobody waits for, and that fails, would end the process: asr/detached.ts reports it instead. Children do end.
    files: ['gateway/**/*.ts', 'asr/**/*.ts'],
    ignores: ['gateway/web/**', 'asr/child/**', '**/*.test.ts', '**/testing/**'],
    rules: { '@typescript-eslint/no-floating-promises': ['error', { ignoreVoid: false }] },
  },
  {
    files: ['gateway/config/environment.ts', 'gateway/clock.ts', 'gateway/web/**/*.ts', 'vitest.config.ts'],
    rules: { 'no-restricted-properties': 'off' },
  },
  {
    files: ['**/*.test.ts', '**/testing/**/*.ts'],
    rules: {
      'max-lines': 'off',
      'no-restricted-properties': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
);
