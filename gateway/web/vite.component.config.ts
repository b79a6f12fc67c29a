/** `live-captions.js`: the component with everything it needs in one module that any application can load. */
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';
import { WEB_OUT_DIR } from './vite-shared.config.js';

export default defineConfig({
  root: import.meta.dirname,
  base: './',
  publicDir: false,
  build: {
    outDir: WEB_OUT_DIR,
    emptyOutDir: true,
    target: 'es2022',
    sourcemap: false,
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    modulePreload: false,
    rolldownOptions: {
      input: fileURLToPath(new URL('live-captions.ts', import.meta.url)),
      preserveEntrySignatures: 'strict',
      output: { entryFileNames: '[name].js', assetFileNames: 'assets/[name]-[hash][extname]' },
    },
  },
});
