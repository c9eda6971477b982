import { test } from 'tap'
import { csvPart, deliver, expect, makeCohort, testKey } from '../support/exchange.ts'
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
const policyOf = (columns: object) => ({
  name: 'serials',
  version: '1',
  type: 'A',
  dates: 'relative',
  formats: ['csv'],
  tables: { cases: { columns } },
})

test('no release takes a column in whose texts the serial of its row stands', async (t) => {
  const { service, operator, spine, other } = await startHttpStage(t)
  await reviewersOf(service, operator)
  const parts = [keys, table((serial, at) => (at < 3 ? `see ${serial}` : 'nothing'))]
  for (const [agency, sent] of [
    [other, [keys]],
    [spine, parts],
  ] as const) {
    const { job } = await deliver(agency, 'hostile', sent)
    t.match((await service.jobEnd(operator, job)).body.result, { delivery: 'taken' })
  }
  const { cohort } = await makeCohort(service, operator, 'hostile')
  const build = async (columns: object) => {
    const terms = { recipient: 'recipient', purpose: 'A test', place: 'Room 1' }
    const validUntil = new Date(Date.now() + 86_400_000).toISOString()
    const wanted = { policy: policyOf(columns), ...terms, validUntil }
    const { job } = expect(await operator.post(`/v1/cohorts/${cohort}/releases`, wanted), 202).body
    return (await service.jobEnd(operator, job)).body
  }
  t.match(await build({ code: { rule: 'keep' }, note: { rule: 'keep' } }), {
    state: 'failed',
    refusal: {
      code: 'identifier-in-payload',
      details: { table: 'cases', column: 'note', rows: 3 },
    },
  })
  t.match(await build({ code: { rule: 'keep' } }), { state: 'done' }, 'without it nothing is amiss')
})
