/** `npm run bench`: the usage below says what there is. Figures carry their unit in the name. */
import { parseArgs } from 'node:util'
import { Refusal } from '../../src/core/errors.ts'
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

const usage = `usage: npm run bench -- <bench> [--size s|m|l] [--persons <n>] [--seed <n>] [--json]

  whole     what the service costs from the agencies' files to a release
  linkage   a linkage over generated tokens: all passes, and with all that is written and told of them
  release   a release of claims from its parts to the signed package
  truth     a population's linkage beside who is who

The first three stand beside a bare DuckDB script in the same run. Figures go to standard output: with --json one line,
else indented first. Sizes: ${Object.entries(sizes)
  .map((size) => size.join(' '))
  .join(', ')} persons.`

const { values, positionals } = argumentsGiven()
const name = positionals[0] ?? ''
const { size } = values
const persons = Number(values.persons ?? sizes[size as keyof typeof sizes])
const seed = Number(values.seed)
const isWhole = [persons, seed].every((each) => Number.isSafeInteger(each) && each > 0)
if (values.help) {
  console.log(usage)
  process.exit(0)
}
if (!Object.hasOwn(benches, name) || !Object.hasOwn(sizes, size) || !isWhole) wrongUse()
const bench = benches[name as keyof typeof benches]
const result = await bench({ persons, seed, tell: console.error }).catch((error: unknown) => {
  if (!(error instanceof Refusal)) throw error
  console.error(error.message)
  process.exit(2)
})
if (!values.json) console.log(JSON.stringify(result, null, 2))
const asked = values.persons === undefined ? { size, persons } : { persons }
console.log(JSON.stringify({ bench: name, ...asked, ...result }))

function argumentsGiven() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        size: { type: 'string', default: 's' },
        persons: { type: 'string' },
        seed: { type: 'string', default: '1' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
  } catch {
    return wrongUse()
  }
}

function wrongUse(): never {
  console.error(usage)
  process.exit(2)
}
