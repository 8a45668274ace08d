// Bundles the application and serves it, as `vite` would; every path is the one page.
import { context } from 'esbuild'

const { ISSUER = 'http://localhost:8080', PORT = '5173' } = process.env
const bundle = await context({
  entryPoints: ['src/main.ts'],
  bundle: true,
  format: 'esm',
  outdir: 'public',
  write: false,
  define: { ISSUER: JSON.stringify(ISSUER) },
})
await bundle.serve({ servedir: 'public', fallback: 'public/index.html', host: 'localhost', port: Number(PORT) })
console.log(`Open http://localhost:${PORT}/`)
