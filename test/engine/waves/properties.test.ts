import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { test } from 'tap'
import { linkRulesSchema } from '../../../src/core/passes.ts'
import type { OracleRecord } from '../linkage/oracle.ts'
import { type Population, populations } from '../linkage/populations.ts'
import { openProject, type Run } from './project.ts'

const wavesMax = 3

async function withProject<T>(
  rules: object,
  work: (project: ReturnType<typeof openProject>) => Promise<T>,
): Promise<T> {
  const dir = await mkdtemp(join(tmpdir(), 'gyeol-waves-'))
  try {
    return await work(openProject(dir, linkRulesSchema.parse(rules)))
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

/** A population whose records and notices come in waves; a record of the spine comes in the first. */
const inWaves: fc.Arbitrary<Population[]> = populations
  .map((groups) => ({
    records: groups.flatMap(({ records }) => records),
    notices: groups.flatMap(({ notices }) => notices),
  }))
  .chain(({ records, notices }) =>
    fc
      .tuple(
        fc.array(fc.nat(wavesMax - 1), { minLength: records.length, maxLength: records.length }),
        fc.array(fc.nat(wavesMax - 1), { minLength: notices.length, maxLength: notices.length }),
      )
      .map(([ofRecord, ofNotice]) =>
        Array.from({ length: wavesMax }, (_, wave) => ({
          records: records.filter(
            ({ serial }, at) => (serial.endsWith('-first') ? 0 : ofRecord[at]) === wave,
          ),
          notices: notices.filter((_, at) => ofNotice[at] === wave),
        })).filter((wave) => wave.records.length > 0),
      ),
  )

/** Serials by who they are together with, whatever the number. */
function groupsOf({ personOf }: Run): Map<string, string> {
  const groups = new Map<string, string[]>()
  for (const [record, person] of personOf) {
    if (person !== undefined) groups.set(person, [...(groups.get(person) ?? []), record])
  }
  const named = new Map<string, string>()
  for (const records of groups.values()) {
    for (const record of records) named.set(record, records.sort().join(' + '))
  }
  return named
}

test('what comes in waves is linked as if it had come at once', async (t) => {
  await fc.assert(
    fc.asyncProperty(inWaves, async (waves) => {
      const byAndBy = await withProject({}, async ({ deliver, link }) => {
        let run: Run | undefined
        for (const wave of waves) {
          await deliver(wave)
          run = await link()
        }
        return run
      })
      const atOnce = await withProject({}, async ({ deliver, link }) => {
        for (const wave of waves) await deliver(wave)
        return await link()
      })
      const [wanted, found] = [groupsOf(atOnce), byAndBy && groupsOf(byAndBy)]
      for (const [record, group] of wanted) {
        if (found?.get(record) !== group)
          throw new Error(`${record}: with ${found?.get(record)}, not with ${group}`)
      }
      if (found?.size !== wanted.size) throw new Error('other records are linked')
    }),
    { numRuns: 5 },
  )
  t.pass('five times')
})

/** In later waves the registry says other things of some of its records. */
const corrected = inWaves.chain((waves) => {
  const spine = waves.flatMap(({ records }) => records.filter(({ isSpine }) => isSpine))
  const correction = fc.record({
    record: fc.constantFrom(...spine),
    as: fc.constantFrom(...spine),
    what: fc.constantFrom('k1', 'k4', 'both', 'no k1'),
  })
  return fc
    .tuple(
      fc.array(fc.array(correction, { maxLength: 4 }), { minLength: 3, maxLength: 3 }),
      fc.array(fc.tuple(fc.nat(50), fc.constantFrom('must-link', 'cannot-link', 'undecided'))),
    )
    .map(([corrections, opinions]) => ({
      waves: waves.map((wave, at) => {
        if (at === 0) return wave
        const again = (corrections[at] ?? []).map(({ record, as, what }) =>
          withKeysOf(record, as, what),
        )
        const news = new Map(
          [...wave.records, ...again].map((one) => [`${one.agency} ${one.serial}`, one]),
        )
        return { ...wave, records: [...news.values()] }
      }),
      opinions,
    }))
})

function withKeysOf(record: OracleRecord, as: OracleRecord, what: string): OracleRecord {
  const { k1, k4, ...rest } = record
  const number = what === 'no k1' ? undefined : what === 'k4' ? k1 : as.k1
  const birth = what === 'k1' || what === 'no k1' ? k4 : as.k4
  return {
    ...rest,
    ...(number === undefined ? {} : { k1: number }),
    ...(birth === undefined ? {} : { k4: birth }),
  }
}

/** What must hold between two linkages, whatever was delivered and decided. */
function requireContinuity(before: Run, after: Run, gone: Set<string>): void {
  const spineOf = (run: Run): Map<string, Set<string>> => {
    const found = new Map<string, Set<string>>()
    for (const [record, person] of run.personOf) {
      if (!record.startsWith('spine ')) continue
      if (person === undefined) throw new Error(`${record} is nobody`)
      found.set(person, new Set([...(found.get(person) ?? []), record]))
    }
    return found
  }
  const [old, now] = [spineOf(before), spineOf(after)]
  for (const [person, records] of old) {
    const same = now.get(person)
    if (same && ![...same].some((record) => records.has(record)))
      throw new Error('a number went to somebody else')
    const first = [...records]
    const today = new Set(first.map((record) => after.personOf.get(record)))
    const [only] = today
    const isWhole = today.size === 1 && only !== undefined && now.get(only)?.size === records.size
    if (isWhole && only !== person) throw new Error('an unchanged person has another number')
    for (const other of today) {
      if (other === person) continue
      const told = after.changes.some(
        (change) => change.person === person && change.other === other,
      )
      if (!told) throw new Error('a change of number that nobody is told of')
    }
  }
  for (const change of after.changes) if (change.reason === 'merge') gone.add(change.person)
  for (const person of now.keys())
    if (gone.has(person)) throw new Error('a number that was given up is used again')
}

test('nobody is lost and no number used twice, whatever is corrected and decided', async (t) => {
  const met = { merged: 0, split: 0, held: 0 }
  await fc.assert(
    fc.asyncProperty(corrected, async ({ waves, opinions }) => {
      await withProject({ promotePossible: true }, async ({ deliver, link }) => {
        const verdicts = new Map<string, 'must-link' | 'cannot-link' | 'undecided'>()
        const gone = new Set<string>()
        let last: Run | undefined
        for (const [at, wave] of waves.entries()) {
          await deliver(wave)
          const said = [...verdicts].map(([caseId, verdict]) => ({ caseId, verdict }))
          const run = await link({ verdicts: said, releasedVersions: [2], threads: 1 + (at % 2) })
          if (last) requireContinuity(last, run, gone)
          const { merged, split, held } = run.linked.report.change
          met.merged += merged
          met.split += split
          met.held += held
          const cases = [...run.cases.values(), ...verdicts.keys()]
          for (const [number, verdict] of opinions) {
            const about = cases[number % Math.max(1, cases.length)]
            if (about !== undefined) verdicts.set(about, verdict as 'must-link')
          }
          last = run
        }
      })
    }),
    { numRuns: 6 },
  )
  t.ok(met.merged + met.split + met.held > 0, 'merges, splits or held keys were met')
})
