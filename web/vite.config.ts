import { defineConfig } from "vitest/config";

export default defineConfig({
  // Everything the page loads lies under /call/assets, so that a proxy forwards /call and /api and nothing else.
  base: "/call/",
  build: {
    target: "es2022",
    // A data: URI would need a wider content security policy than 'self'.
    assetsInlineLimit: 0,
    modulePreload: false,
  },
  server: { host: "127.0.0.1" },
  test: { include: ["tests/**/*.test.ts"], environment: "node" },
});
