import { defineConfig } from 'vitest/config';

/** Their files replace modules, for which each needs modules of its own. The others share them, which saves minutes. */
const REPLACING = ['test/functions/**/*.test.ts', 'test/aws/**/*.test.ts', 'test/core/failure.test.ts'];
const CORE = 'test/core/**/*.test.ts';

export default defineConfig({
  test: {
    // All cores: left to itself, vitest keeps one for itself, which on two cores is half.
    maxWorkers: '100%',
    globalSetup: ['test/support/package-once.ts'],
    // Nothing waits by the clock; a story takes seconds, and many more on a busy machine.
    testTimeout: 120_000,
    hookTimeout: 60_000,
    // What serverless.yml sets for the functions; their files read it when they are loaded.
    env: {
      INSTALL_NAME: 'ebs-snapshot-copier-test',
      ACCOUNT_ID: '444455556666',
      AWS_REGION: 'eu-west-1',
    },
    projects: [
      { extends: true, test: { name: 'replacing', include: REPLACING } },
      { extends: true, test: { name: 'core', include: [CORE], exclude: REPLACING, isolate: false } },
      {
        extends: true,
        test: { name: 'others', include: ['test/**/*.test.ts'], exclude: [...REPLACING, CORE], isolate: false },
      },
    ],
    coverage: {
      include: ['core/**/*.ts'],
      reporter: ['text-summary', 'text'],
      reportsDirectory: 'coverage',
      // Every decision has a test for each of its ways.
      thresholds: { branches: 100, functions: 100, lines: 100, statements: 100 },
    },
  },
});
