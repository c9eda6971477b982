import { type Test, test } from 'tap'
import { deliver, expect, makeCohort, takeRelease } from '../support/exchange.ts'
import { reviewersOf } from '../support/reviewers.ts'
import { keysPart, startHttpStage, tablePart } from './stage.ts'

const people = 60
const columns = { code: { rule: 'keep' } }
const base = {
  name: 'domains',
  version: '1',
  type: 'A',
  dates: 'relative',
  formats: ['csv'],
  tables: { cases: { columns } },
}

/** Everybody but so many, by a code that each has alone. */
function without(few: number): { include: object } {
  const codes = Array.from({ length: people - few }, (_, row) => `0${few + row}`)
  // A code that begins another stands for both; so all that stay are named in full, from the longest.
  return { include: { table: 'cases', column: 'code', startsWith: codes } }
}

test('releases that share a domain', async (t) => {
  const { service, operator, spine, other } = await startHttpStage(t)
  for (const [agency, table] of [
    [spine, 'cases'],
    [other, 'visits'],
  ] as const) {
    const parts = [keysPart(people), tablePart(table, people)]
    await service.jobEnd(operator, (await deliver(agency, 'hostile', parts)).job)
  }
  const { cohort } = await makeCohort(service, operator, 'hostile')
  const everybody = await reviewersOf(service, operator)
  const take = (more: object): Promise<Map<string, string>> =>
    takeRelease(service, everybody, { cohort, policy: { ...base, ...more } }).then(pseudonymsByCode)
  const terms = { recipient: 'recipient', purpose: 'A test', place: 'Room 1' }
  const asked = async (more: object) => {
    const validUntil = new Date(Date.now() + 86_400_000).toISOString()
    const wanted = { policy: { ...base, ...more }, ...terms, validUntil }
    return expect(await operator.post(`/v1/cohorts/${cohort}/releases`, wanted), 202).body
  }
  const refused = async (
    t: Test,
    more: object,
    held: { k: number; releases: number },
  ): Promise<void> => {
    const { release, job } = await asked(more)
    const ended = (await service.jobEnd(operator, job)).body
    const fault = 'differs from earlier releases by too few persons'
    t.match(ended, {
      state: 'failed',
      refusal: { code: 'policy-refused', details: { fault, ...held } },
    })
    t.notMatch(JSON.stringify(ended.refusal), /persons":|pseudonym/, 'not by how many, nor whom')
    t.equal((await operator.get(`/v1/releases/${release}`)).body.state, 'failed')
  }

  const first = await take({ domain: 'shared' })

  await t.test(
    'have the same pseudonyms, and those of another domain have none of them',
    async (t) => {
      t.equal(first.size, people)
      t.same(await take({ domain: 'shared' }), first, 'nobody joined and nobody left')
      for (const elsewhere of [await take({ domain: 'other' }), await take({})]) {
        t.same([...elsewhere.keys()].sort(), [...first.keys()].sort())
        const names = new Set([...first.values(), ...elsewhere.values()])
        t.equal(names.size, 2 * people)
      }
    },
  )

  await t.test('may differ by nobody or by enough persons, and by no fewer', async (t) => {
    const twice = { k: 10, releases: 2 } // Both of everybody.
    await refused(t, { domain: 'shared', persons: without(1) }, twice)
    await refused(t, { domain: 'shared', persons: without(9) }, twice)
    const measures = { quasiIdentifiers: [{ table: 'cases', column: 'note' }], k: 5 }
    const noted = { tables: { cases: { columns: { ...columns, note: { rule: 'keep' } } } } }
    await refused(
      t,
      { domain: 'shared', persons: without(4), measures, ...noted },
      { ...twice, k: 5 },
    )
    const wider = { ...measures, differenceMin: 20 }
    await refused(
      t,
      { domain: 'shared', persons: without(19), measures: wider, ...noted },
      { ...twice, k: 20 },
    )
    const some = await take({ domain: 'shared', persons: without(10) })
    t.equal(some.size, people - 10)
    for (const [code, pseudonym] of some) t.equal(first.get(code), pseudonym)
    t.equal((await take({ domain: 'other', persons: without(30) })).size, people - 30)
    await refused(t, { domain: 'shared', persons: without(12) }, { k: 10, releases: 1 })
  })

  await t.test('are held against each other when they are built at once', async (t) => {
    const both = await Promise.all([
      asked({ domain: 'at-once' }),
      asked({ domain: 'at-once', persons: without(3) }),
    ])
    const ends = await Promise.all(both.map(({ job }) => service.jobEnd(operator, job)))
    const states = ends.map(({ body }) => body.state).sort()
    t.same(states, ['done', 'failed'], 'whichever was first')
  })

  await t.test(
    'a sample is drawn the same by the same seed, and keeps the pseudonyms',
    async (t) => {
      const half = await take({ domain: 'half', persons: { sample: { rate: 0.5, seed: 'a' } } })
      const again = await take({ domain: 'half', persons: { sample: { rate: 0.5, seed: 'a' } } })
      t.same(again, half, 'the same seed draws the same persons')
      const full = await take({ domain: 'half' })
      t.ok(half.size < people && [...half].every(([code, name]) => full.get(code) === name))
    },
  )

  await t.test('a domain is a name that somebody chose, not a release of its own', async (t) => {
    const id = 'abcdef01-0000-4000-8000-000000000000'
    const validUntil = new Date(Date.now() + 86_400_000).toISOString()
    const wanted = { policy: { ...base, domain: id }, ...terms, validUntil }
    const answer = await operator.post(`/v1/cohorts/${cohort}/releases`, wanted)
    t.match(answer, { status: 422, body: { details: { fault: 'domain of one release' } } })
  })

  await t.test('one is destroyed, and the other keeps its pseudonyms', async (t) => {
    const { rows } = await service.database
      .pool('admin', 1)
      .query<{ id: string }>(
        `select release_id as id from gyeol.release where domain = 'shared' and state = 'ready' order by created_at`,
      )
    const path = `/v1/releases/${rows[0]?.id}`
    expect(await operator.post(`${path}/recall`, { reason: 'A test' }), 200)
    const { job } = expect(await operator.post(`${path}/destruction`), 202).body
    await service.jobEnd(operator, job)
    t.same(await take({ domain: 'shared' }), first)
  })
})

/** Code → pseudonym. */
function pseudonymsByCode(files: ReadonlyMap<string, Buffer>): Map<string, string> {
  const [csv = ''] = [...files]
    .filter(([name]) => /^data\/cases\/.*csv$/.test(name))
    .map(([, bytes]) => bytes.toString())
  const rows = csv.trim().split('\n').slice(1)
  return new Map(
    rows.map((row) => {
      const [pseudonym = '', code = ''] = row.split(',')
      return [code, pseudonym]
    }),
  )
}
