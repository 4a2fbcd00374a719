import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: [
      '{contract,db,edge,sfu-cluster,transcoder,bridge,client,scripts,testing}/**/*.test.ts',
    ],
    globalSetup: './testing/global-setup.ts',
    testTimeout: 20_000,
    hookTimeout: 60_000,
    // Two cores: tests that move media must not starve each other.
    maxWorkers: 2,
  },
});
