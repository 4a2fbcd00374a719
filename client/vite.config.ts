// The build of the client: hashed assets and nothing inline, so that the strict content policy holds.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import { preact } from '@preact/preset-vite';
import { defineConfig, type Plugin, type Rolldown } from 'vite';

const edgeUrl = 'http://127.0.0.1:8787';

/** What the first picture waits for: the browser fetches it beside the page's first code, not after it. */
const watchModules = ['/pages/watch.tsx', '/media/receiver.ts'];

/** Public files that must come before every module and style, so that no bundle can hold them. */
const headFiles = ['head.js', 'layers.css'];

function linkTo(file: string): string {
  return file.endsWith('.css')
    ? `<link rel="preload" as="style" href="/${file}" crossorigin>`
    : `<link rel="modulepreload" href="/${file}" crossorigin>`;
}

/** The chunks of these modules and all that they import, with their styles. */
function filesOf(modules: readonly string[], bundle: Rolldown.OutputBundle): Set<string> {
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
    if (modules.some((module) => facade?.endsWith(module))) collect(name);
  }
  return files;
}

/**
 * Finishes the pages: what the head waits for gets a hash in its name too, so that browsers keep it;
 * and watch.html is the same page with links that fetch the code of watching at once.
 */
function pages(): Plugin {
  return {
    name: 'pages',
    enforce: 'post',
    generateBundle(_options, bundle) {
      const page = bundle['index.html'];
      const files = filesOf(watchModules, bundle);
      if (page?.type !== 'asset' || files.size === 0) this.error('there are no pages to finish');
      let html = String(page.source);
      for (const file of headFiles) {
        const source = readFileSync(path.join(import.meta.dirname, 'public', file), 'utf8');
        const hash = createHash('sha256').update(source).digest('base64url').slice(0, 8);
        const { name, ext } = path.parse(file);
        const fileName = `assets/${name}-${hash}${ext}`;
        this.emitFile({ type: 'asset', fileName, source });
        html = html.replace(`"/${file}"`, `"/${fileName}"`);
      }
      page.source = html;
      const links = [...files].filter((file) => !html.includes(file)).map(linkTo);
      this.emitFile({
        type: 'asset',
        fileName: 'watch.html',
        source: html.replace('</head>', `  ${links.join('\n    ')}\n  </head>`),
      });
    },
  };
}

export default defineConfig({
  plugins: [preact(), pages()],
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
