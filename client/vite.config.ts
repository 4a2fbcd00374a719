// The build of the client: hashed assets and nothing inline, so that the strict content policy holds.
import { preact } from '@preact/preset-vite';
import { defineConfig, type Plugin } from 'vite';

const edgeUrl = 'http://127.0.0.1:8787';

/** What the first picture waits for: the browser fetches it beside the page's first code, not after it. */
const watchModules = ['/pages/watch.tsx', '/media/receiver.ts'];

/** Writes watch.html: the same page, with links that fetch the code of watching at once. */
function watchPage(): Plugin {
  return {
    name: 'watch-page',
    enforce: 'post',
    generateBundle(_options, bundle) {
      const files = new Set<string>();
      const collect = (name: string): void => {
        const chunk = bundle[name];
        if (chunk?.type !== 'chunk' || files.has(name)) return;
        files.add(name);
        for (const style of chunk.viteMetadata?.importedCss ?? []) files.add(style);
        chunk.imports.forEach(collect);
      };
      for (const [name, chunk] of Object.entries(bundle)) {
        const facade = chunk.type === 'chunk' ? chunk.facadeModuleId : null;
        if (watchModules.some((module) => facade?.endsWith(module))) collect(name);
      }
      const page = bundle['index.html'];
      if (page?.type !== 'asset' || files.size === 0) this.error('nothing to make watch.html of');
      const html = String(page.source);
      const links = [...files]
        .filter((file) => !html.includes(file))
        .map((file) =>
          file.endsWith('.css')
            ? `<link rel="preload" as="style" href="/${file}" crossorigin>`
            : `<link rel="modulepreload" href="/${file}" crossorigin>`,
        );
      this.emitFile({
        type: 'asset',
        fileName: 'watch.html',
        source: html.replace('</head>', `${links.join('\n    ')}\n  </head>`),
      });
    },
  };
}

export default defineConfig({
  plugins: [preact(), watchPage()],
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2022',
    // Themes are written with light-dark(), which these understand by themselves.
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
    // A file is cached for good under its hash; a data: URI travels with every page.
    assetsInlineLimit: 0,
    // hls.js and mediasoup-client are large by nature; both are loaded lazily.
    chunkSizeWarningLimit: 700,
    rolldownOptions: {
      // The contract's schemas are values without effects: files of it that no page uses stay away.
      treeshake: { moduleSideEffects: (id) => !id.includes('/contract/') },
    },
  },
  server: {
    proxy: { '/v1': edgeUrl, '/.well-known': edgeUrl },
  },
});
