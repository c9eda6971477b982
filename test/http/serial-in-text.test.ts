import { type Test, test } from 'tap'
import {
  csvPart,
  deliver,
  expect,
  makeCohort,
  type TestPart,
  takeRelease,
  testKey,
} from '../support/exchange.ts'
import { reviewersOf } from '../support/reviewers.ts'
import { startHttpStage, tableHeader } from './stage.ts'

const serials = Array.from({ length: 12 }, (_, at) => `SERIAL-OF-${100 + at}`)
const keys = csvPart('', 1, [
  'serial,K1',
  ...serials.map((serial) => `${serial},${testKey(serial)}`),
])
const table = (noteOf: (serial: string, at: number) => string) =>
  csvPart('cases', 1, [
    tableHeader,
    ...serials.map((serial, at) => `${serial},0${at},20200229,1,${noteOf(serial, at)}`),
  ])
const policyOf = (columns: object, year?: number) => ({
  name: 'serials',
  version: '1',
  type: 'A',
  dates: 'relative',
  formats: ['csv'],
  tables: {
    cases: { columns, ...(year && { where: { column: 'day', fromYear: year, toYear: year } }) },
  },
})

/** Both agencies send their keys, the spine its table too; then releases can be built. */
async function startBuilding(t: Test, sent: TestPart, keysOfOther = keys) {
  const { service, operator, spine, other } = await startHttpStage(t)
  const reviewers = await reviewersOf(service, operator)
  for (const [agency, parts] of [
    [other, [keysOfOther]],
    [spine, [keys, sent]],
  ] as const) {
    const { job } = await deliver(agency, 'hostile', parts)
    t.match((await service.jobEnd(operator, job)).body.result, { delivery: 'taken' })
  }
  const { cohort } = await makeCohort(service, operator, 'hostile')
  const build = async (columns: object, of: { cohort?: string; year?: number } = {}) => {
    const terms = { recipient: 'recipient', purpose: 'A test', place: 'Room 1' }
    const validUntil = new Date(Date.now() + 86_400_000).toISOString()
    const wanted = { policy: policyOf(columns, of.year), ...terms, validUntil }
    const { job } = expect(
      await operator.post(`/v1/cohorts/${of.cohort ?? cohort}/releases`, wanted),
      202,
    ).body
    return (await service.jobEnd(operator, job)).body
  }
  const take = (columns: object) =>
    takeRelease(service, reviewers, { cohort, policy: policyOf(columns) })
  return { service, operator, spine, build, take }
}

const found = (rows: number) => ({
  state: 'failed',
  refusal: { code: 'identifier-in-payload', details: { table: 'cases', column: 'note', rows } },
})

test('no release takes a column in whose texts the serial of its row stands', async (t) => {
  const sent = table((serial, at) => (at < 3 ? `see ${serial}` : 'nothing'))
  const { build } = await startBuilding(t, sent)
  t.match(await build({ code: { rule: 'keep' }, note: { rule: 'keep' } }), found(3))
  t.match(await build({ code: { rule: 'keep' } }), { state: 'done' }, 'without it nothing is amiss')
})

test("no release takes a text in which another person's serial stands, of whatever agency", async (t) => {
  const ofOther = serials.map((_, at) => `0THER-${5_000_000 + at}X`)
  const keysOfOther = csvPart('', 1, [
    'serial,K1',
    ...ofOther.map((serial, at) => `${serial},${testKey(serials[at] ?? '')}`),
  ])
  const lines = serials.map((serial, at) => {
    const year = 2020 + Math.floor(at / 4)
    const [own, others] = [serials[at + 1], ofOther[at + 1]?.toLowerCase()]
    const note = [own, `mother of ${others}.`, 'mother of 0THER-5000099X'][Math.floor(at / 4)]
    return `${serial},0${at},${year}0228,1,${note}`
  })
  const { build } = await startBuilding(
    t,
    csvPart('cases', 1, [tableHeader, ...lines]),
    keysOfOther,
  )
  for (const [year, end] of [
    [2020, found(4)],
    [2021, found(4)],
    [2022, { state: 'done' }],
  ] as const) {
    const built = await build({ note: { rule: 'keep' } }, { year })
    t.match(built, end, `${year}`)
    t.notMatch(JSON.stringify(built), /SERIAL-|THER-/i, 'and what was found is not said')
  }
})

test('no release takes a text in which a pseudonym of another release stands', async (t) => {
  const first = await startBuilding(
    t,
    table(() => 'nothing'),
  )
  const { service, operator, spine } = first
  const files = await first.take({ note: { rule: 'keep' } })
  const csv = [...files].find(([name]) => name.startsWith('data/'))?.[1].toString() ?? ''
  const pseudonym = csv.split('\n')[1]?.split(',')[0] ?? ''
  t.equal(pseudonym.length, 27)
  const late = csvPart('cases', 1, [tableHeader, `${serials[2]},9,20200229,1,was ${pseudonym}`])
  const { job } = await deliver(spine, 'hostile', [keys, late], 2)
  t.match((await service.jobEnd(operator, job)).body.result, { delivery: 'taken' })
  const { cohort } = await makeCohort(service, operator, 'hostile')
  t.match(await first.build({ note: { rule: 'keep' } }, { cohort }), found(1))
})
