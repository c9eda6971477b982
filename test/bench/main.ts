/**
 * `npm run bench -- whole|linkage|release [--size s|m|l] [--persons <n>] [--json]`. `whole`: what the service costs, always beside
 * what nobody can undercut, in one run on one machine. `linkage`: all passes of a linkage over generated tokens. `release`:
 * a release of claims beside a bare copy in the same order. Figures carry their unit in the name.
 */
import { parseArgs } from 'node:util'
import { benchLinkage } from './linkage.ts'
import { benchRelease } from './release.ts'
import { benchWhole } from './whole.ts'

const sizes = { s: 50_000, m: 500_000, l: 2_600_000 } as const
const benches = { linkage: benchLinkage, release: benchRelease, whole: benchWhole }

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    size: { type: 'string', default: 's' },
    persons: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
})
const name = positionals[0] ?? ''
const size = values.size
if (!(name in benches) || !(size in sizes)) {
  console.error(
    'usage: npm run bench -- whole|linkage|release [--size s|m|l] [--persons <n>] [--json]',
  )
  process.exit(2)
}
const persons = Number(values.persons ?? sizes[size as keyof typeof sizes])
const result = await benches[name as keyof typeof benches]({ persons, tell: console.error })
if (!values.json) console.log(JSON.stringify(result, null, 2))
console.log(JSON.stringify({ bench: name, size, persons, ...result }))
