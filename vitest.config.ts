import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    globalSetup: './testing/global-setup.ts',
    testTimeout: 20_000,
    hookTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'media',
          include: ['{sfu-cluster,transcoder,bridge}/**/*.test.ts'],
          // Two cores: tests that move media must not starve each other, nor be starved by others.
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'rest',
          include: ['{contract,db,edge,client,scripts,testing}/**/*.test.ts'],
          // These wait for the database most of the time.
          maxWorkers: 4,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
