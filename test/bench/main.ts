/**
 * `npm run bench -- whole|linkage|release|truth [--size s|m|l] [--persons <n>] [--seed <n>] [--json]`. `whole`: what the
 * service costs, always beside what nobody can undercut, in one run on one machine. `linkage`: all passes of a linkage over
 * generated tokens. `release`: a release of claims beside a bare copy in the same order. `truth`: a population's linkage beside who is who. Figures carry
 * their unit in the name.
 */
import { parseArgs } from 'node:util'
import { benchLinkage } from './linkage.ts'
import { benchRelease } from './release.ts'
import { benchTruth } from './truth.ts'
import { benchWhole } from './whole.ts'

const sizes = { s: 50_000, m: 500_000, l: 2_600_000 } as const
const benches = {
  linkage: benchLinkage,
  release: benchRelease,
  truth: benchTruth,
  whole: benchWhole,
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    size: { type: 'string', default: 's' },
    persons: { type: 'string' },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
})
const name = positionals[0] ?? ''
const { size } = values
const persons = Number(values.persons ?? sizes[size as keyof typeof sizes])
const seed = Number(values.seed)
const isWhole = [persons, seed].every((each) => Number.isSafeInteger(each) && each > 0)
if (!(name in benches) || !(size in sizes) || !isWhole) {
  console.error(
    'usage: npm run bench -- whole|linkage|release|truth [--size s|m|l] [--persons <n>] [--seed <n>] [--json]',
  )
  process.exit(2)
}
const result = await benches[name as keyof typeof benches]({ persons, seed, tell: console.error })
if (!values.json) console.log(JSON.stringify(result, null, 2))
const asked = values.persons === undefined ? { size, persons } : { persons }
console.log(JSON.stringify({ bench: name, ...asked, ...result }))
