import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // Specs which need a page ask for jsdom themselves: it takes a second each.
    environment: 'node',
    include: ['src/**/*.spec.{ts,tsx}'],
    setupFiles: ['test/setup.ts']
  }
});
