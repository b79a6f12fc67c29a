/**
 * The pages that the gateway serves: every *.html of this folder, with the modules it names. They load the component
 * from `live-captions.js` as any application does, so it is built first (vite.component.config.ts) and only once.
 */
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig, type Plugin } from 'vite';
import { WEB_OUT_DIR } from './vite-shared.config.js';

const root = import.meta.dirname;
const component = fileURLToPath(new URL('live-captions.ts', import.meta.url));
const pages = readdirSync(root).filter((name) => name.endsWith('.html'));

/** `import … from '../live-captions.js'` in a page stays an import of the file built by the other configuration. */
const componentStaysOutside: Plugin = {
  name: 'component-stays-outside',
  enforce: 'pre',
  async resolveId(source, importer, options) {
    if (!source.endsWith('/live-captions.js')) return null;
    const resolved = await this.resolve(source, importer, { ...options, skipSelf: true });
    return resolved?.id === component ? { id: './live-captions.js', external: true } : null;
  },
};

export default defineConfig({
  root,
  base: './',
  plugins: [componentStaysOutside],
  build: {
    outDir: WEB_OUT_DIR,
    emptyOutDir: false,
    target: 'es2022',
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    // LiveKit's SDK, which the room page loads by itself.
    chunkSizeWarningLimit: 600,
    modulePreload: false,
    rolldownOptions: {
      input: pages.map((name) => fileURLToPath(new URL(name, import.meta.url))),
      // Next to the component: what a page imports from './live-captions.js' is there.
      output: {
        entryFileNames: 'page-[name].js',
        chunkFileNames: 'page-[name].js',
        assetFileNames: 'assets/[name]-[hash][extname]',
      },
    },
  },
});
