import fc from 'fast-check'
import { test } from 'tap'
import { linkRulesSchema } from '../../../src/core/passes.ts'
import { agree } from './agreement.ts'
import { populations } from './populations.ts'

const plain = linkRulesSchema.parse({})
const promoting = linkRulesSchema.parse({ promotePossible: true, hubSerialsMax: 2 })

const seen = new Set<string>()
for (const [name, rules, numRuns] of [
  ['by default', plain, 30],
  ['promoting what is possible', promoting, 20],
] as const) {
  test(`decides on any population as the oracle does, ${name}`, async (t) => {
    await fc.assert(
      fc.asyncProperty(populations, async (population) => {
        for (const one of await agree(population, rules)) seen.add(one)
      }),
      { numRuns },
    )
    t.pass(`${numRuns} times`)
  })
}

test('every outcome is met among them', async (t) => {
  for (const wanted of ['0 quarantined', '1 perfect', '2 match', '3 conflict', '4 match'])
    t.ok(seen.has(wanted), wanted)
  for (const wanted of ['5 match', '7 possible', '8 possible', '9 founded', '9 none'])
    t.ok(seen.has(wanted), wanted)
})
