import { type Test, test } from 'tap'
import type { ApiClient } from '../support/api-client.ts'
import {
  csvPart,
  deliver,
  expect,
  makeCohort,
  manifestOf,
  openTestProject,
  partPath,
  type TestPart,
  takeRelease,
  testKey,
} from '../support/exchange.ts'
import { reviewersOf } from '../support/reviewers.ts'
import { startTestService, type TestService } from '../support/service.ts'
import { until } from '../support/until.ts'

const title = { en: 'Title', ko: '제목' }
const sex = { type: 'code', role: 'sex', title }
const columns = { sex, day: { type: 'date', title }, note: { type: 'text', lengthMax: 40, title } }
const catalogue = {
  name: 'keys-first',
  version: '1',
  tables: {
    cases: { agency: 'spine', title, columns },
    visits: { agency: 'other', title, columns },
    drugs: { agency: 'other', title, columns },
  },
}

/** Sixty in the spine; of the other agency's eighty, forty are among them, and one serial has no keys at all. */
const spinePersons = Array.from({ length: 60 }, (_, at) => at)
const otherPersons = Array.from({ length: 80 }, (_, at) => at + 20)
const keysOf = (letter: string, persons: number[]): TestPart =>
  csvPart('', 1, ['serial,K1', ...persons.map((at) => `${letter}${at},${testKey(String(at))}`)])
const tableOf = (table: string, letter: string, persons: number[]): TestPart =>
  csvPart(table, 1, [
    'serial,sex,day,note',
    ...persons.map((at) => `${letter}${at},${1 + (at % 2)},201${at % 9}0405,${table} ${at}`),
  ])
const spineKeys = keysOf('s', spinePersons)
const otherKeys = keysOf('o', otherPersons)
const cases = tableOf('cases', 's', spinePersons)
const visits = tableOf('visits', 'o', [...otherPersons, 999])
const drugs = tableOf('drugs', 'o', otherPersons)

type Stage = {
  service: TestService
  operator: ApiClient
  spine: ApiClient
  other: ApiClient
  open: (name: string) => Promise<void>
}

async function stageOf(t: Test): Promise<Stage> {
  const service = await startTestService(t)
  const operator = await service.person('one', ['operator', 'custodian'])
  const two = await service.person('two', ['custodian'])
  const spine = await service.agency('spine')
  const other = await service.agency('other')
  const open = (name: string): Promise<void> =>
    openTestProject([operator, two], {
      name,
      recipe: {
        version: 'gyeol-1',
        fields: { number: 'identifier' },
        keyTypes: { K1: ['number'] },
      },
      catalogue,
      agencies: [
        { agency: 'spine', isSpine: true, keyTypes: ['K1'] },
        { agency: 'other', keyTypes: ['K1'] },
      ],
    })
  return { service, operator, spine, other, open }
}

async function taken(
  { service, operator }: Stage,
  sent: Promise<{ delivery: string; job: string }>,
): Promise<string> {
  const { delivery, job } = await sent
  const { body } = await service.jobEnd(operator, job)
  if (body.result?.delivery !== 'taken') throw new Error(JSON.stringify(body))
  return delivery
}

test('keys first and tables later are the same as both at once', async (t) => {
  const stage = await stageOf(t)
  const { service, operator, spine, other } = stage
  const everybody = await reviewersOf(service, operator)
  await Promise.all(['at-once', 'keys-first'].map(stage.open))
  await taken(stage, deliver(spine, 'at-once', [spineKeys, cases]))
  await taken(stage, deliver(other, 'at-once', [otherKeys, visits, drugs]))
  await taken(stage, deliver(spine, 'keys-first', [spineKeys]))
  const keysDelivery = await taken(stage, deliver(other, 'keys-first', [otherKeys]))

  const linked = expect(await operator.post('/v1/projects/keys-first/linkages'), 202).body
  await service.jobEnd(operator, linked.job)
  await taken(stage, deliver(spine, 'keys-first', [cases]))
  const tablesDelivery = await taken(stage, deliver(other, 'keys-first', [visits, drugs]))
  t.match((await other.get(`/v1/deliveries/${tablesDelivery}`)).body, {
    keysDelivery,
    state: 'taken',
  })
  const body = { linkage: linked.linkage }
  const asked = expect(await operator.post('/v1/projects/keys-first/cohorts', body), 202).body
  await service.jobEnd(operator, asked.job)
  const first = { linkage: linked.linkage, cohort: asked.cohort }
  const atOnce = await makeCohort(service, operator, 'at-once')

  const linkageOf = async (id: string) => {
    const { report, persons, deliveries } = expect(
      await operator.get(`/v1/linkages/${id}`),
      200,
    ).body
    const counts = deliveries.map((one: Record<string, unknown>) => ({ ...one, delivery: '' }))
    return { report, persons, counts: counts.map(JSON.stringify).sort() }
  }
  t.same(await linkageOf(first.linkage), await linkageOf(atOnce.linkage), 'the linkage')
  const { tables } = expect(await operator.get(`/v1/cohorts/${first.cohort}`), 200).body
  t.same(tables, expect(await operator.get(`/v1/cohorts/${atOnce.cohort}`), 200).body.tables)
  const [, , visited] = tables
  t.match(visited, { table: 'visits', rows: 81, kept: 40, outside: 40, unknown: 1 })
  t.same(
    await countsOf(operator, first.linkage),
    await countsOf(operator, atOnce.linkage),
    'what the data side counts',
  )
  const released = await Promise.all(
    [first.cohort, atOnce.cohort].map((cohort) => rowsOf(service, everybody, cohort)),
  )
  t.same(released[0], released[1], 'and the rows of a release, person by person')
  t.equal(released[0]?.length, 60)
  t.ok(released[0]?.includes('cases 30|drugs 30|visits 30'), 'with what belongs together')
})

test('tables without keys are only taken where they rest on keys', async (t) => {
  const stage = await stageOf(t)
  const { operator, spine, other } = stage
  await stage.open('strict')
  const path = '/v1/projects/strict/deliveries'
  const conflict = { status: 409, body: { type: /:state-conflict$/ } }
  t.match(await other.post(path, { tablesOnly: true }), conflict, 'there are no keys')
  const keys = expect(await other.post(path, {}), 201).body
  t.match(await other.post(path, { tablesOnly: true }), conflict, 'they are not taken in')
  expect(await other.delete(`/v1/deliveries/${keys.delivery}`), 204)

  const alone = expect(await other.post(path, {}), 201).body.delivery
  expect(await other.put(partPath(alone, visits), visits.bytes), 201)
  const submission = (delivery: string): string => `/v1/deliveries/${delivery}/submission`
  t.match(
    await other.post(submission(alone), manifestOf([visits])),
    { status: 422, body: { type: /:delivery-incomplete$/ } },
    'a delivery that rests on no keys needs its own',
  )
  expect(await other.delete(`/v1/deliveries/${alone}`), 204)

  const keysDelivery = await taken(stage, deliver(other, 'strict', [otherKeys]))
  t.match(await other.post(path, { wave: 2, tablesOnly: true }), conflict, 'keys of another wave')
  const opened = expect(await other.post(path, { tablesOnly: true }), 201).body
  t.match(opened, { keysDelivery, wave: 1 })
  t.match(
    await other.post(path, { tablesOnly: true }),
    { status: 409, body: { type: /:already-exists$/, details: { delivery: opened.delivery } } },
    'one of each kind a wave',
  )
  t.match(await other.post(path, {}), {
    status: 409,
    body: { type: /:already-exists$/, details: { delivery: keysDelivery } },
  })
  t.match(
    await other.put(partPath(opened.delivery, otherKeys), otherKeys.bytes),
    conflict,
    'no part of keys in a delivery of tables only',
  )
  const notices = `/v1/deliveries/${opened.delivery}/notices/1`
  t.match(await other.put(notices, Buffer.from('old_K1,new_K1\n')), conflict)
  t.equal((await spine.get(`/v1/deliveries/${opened.delivery}`)).status, 404)
  expect(await other.put(partPath(opened.delivery, visits), visits.bytes), 201)
  t.match(
    await other.post(submission(opened.delivery), manifestOf([otherKeys, visits])),
    { status: 422 },
    'nor in its manifest',
  )

  await taken(stage, deliver(spine, 'strict', [spineKeys, cases]))
  t.match(
    await spine.post(path, { tablesOnly: true }),
    conflict,
    'keys that came with their tables carry no more',
  )
  const isSubmitted = `update gyeol.delivery set state = 'submitted' where delivery_id = $1::uuid`
  await stage.service.database.pool('admin', 1).query(isSubmitted, [opened.delivery])
  const linked = await operator.post('/v1/projects/strict/linkages')
  t.equal(linked.status, 202, 'tables that are being taken in keep no linkage waiting')
  await stage.service.jobEnd(operator, linked.body.job)
  const cohort = { linkage: linked.body.linkage }
  t.match(await operator.post('/v1/projects/strict/cohorts', cohort), conflict, 'but a cohort')
})

/** What the data side counted, once it has. */
function countsOf(operator: ApiClient, linkage: string): Promise<unknown> {
  return until(async () => {
    const { body } = expect(await operator.get(`/v1/linkages/${linkage}/quality`), 200)
    return body.counts ?? undefined
  }, 'the linkage is counted')
}

/** The notes of every released person; whose they are is all that the pseudonyms are used for. */
async function rowsOf(
  service: TestService,
  everybody: Awaited<ReturnType<typeof reviewersOf>>,
  cohort: string,
): Promise<string[]> {
  const kept = { columns: { note: { rule: 'keep' } } }
  const policy = {
    name: 'keys-first',
    version: '1',
    type: 'A',
    dates: 'relative',
    formats: ['csv'],
    tables: { cases: kept, visits: kept, drugs: kept },
  }
  const files = await takeRelease(service, everybody, { cohort, policy })
  const notes = new Map<string, string[]>()
  for (const [name, bytes] of files) {
    if (!/(cases|visits|drugs).*\.csv$/.test(name)) continue
    for (const line of bytes.toString().trim().split(/\r?\n/).slice(1)) {
      const [person = '', ...rest] = line.split(',')
      notes.set(person, [...(notes.get(person) ?? []), rest.join(',')].sort())
    }
  }
  return [...notes.values()].map((each) => each.join('|')).sort()
}
