import type { NextConfig } from "next";

const SECURITY_HEADERS = [
  { key: "X-Content-Type-Options", value: "nosniff" },
  { key: "X-Frame-Options", value: "DENY" },
  { key: "Referrer-Policy", value: "strict-origin-when-cross-origin" },
  { key: "Permissions-Policy", value: "camera=(), microphone=(), geolocation=(), payment=()" },
];

const config: NextConfig = {
  output: "standalone",
  outputFileTracingRoot: import.meta.dirname,
  poweredByHeader: false,
  reactStrictMode: true,
  // `npm run check` does both, on the sources that are committed; the image's build need not repeat it.
  eslint: { ignoreDuringBuilds: true },
  typescript: { ignoreBuildErrors: true },
  // No picture needs resizing at run time, so the image library stays out of the server.
  images: { unoptimized: true },
  outputFileTracingExcludes: {
    "**": [
      "node_modules/@img/**",
      "node_modules/sharp/**",
      "node_modules/typescript/**",
      "node_modules/caniuse-lite/**",
      "node_modules/next/dist/compiled/@vercel/og/**",
    ],
  },
  headers: async () => [{ source: "/:path*", headers: SECURITY_HEADERS }],
};

export default config;
