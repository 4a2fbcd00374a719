// The build of the client: hashed assets and nothing inline, so that the strict content policy holds.
import { preact } from '@preact/preset-vite';
import { defineConfig } from 'vite';

const edgeUrl = 'http://127.0.0.1:8787';

export default defineConfig({
  plugins: [preact()],
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
  },
  server: {
    proxy: { '/v1': edgeUrl, '/.well-known': edgeUrl },
  },
});
