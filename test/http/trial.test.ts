import { test } from 'tap'
import { csvPart, deliver, expect, openTestProject, testKey } from '../support/exchange.ts'
import { startTestService } from '../support/service.ts'

const title = { en: 'Title', ko: '제목' }
const columns = { code: { type: 'code', lengthMax: 10, title } }

/** The spine has 0 to 99; of `many` 60 of 90 are linked, of `few` all but four of thirty. */
const serialsOf = { spine: [0, 100], many: [40, 130], few: [74, 104] } as const
const keysOf = (agency: keyof typeof serialsOf) => {
  const [from, to] = serialsOf[agency]
  const persons = Array.from({ length: to - from }, (_, at) => at + from)
  return csvPart('', 1, ['serial,K1', ...persons.map((at) => `p${at},${testKey(String(at))}`)])
}

test('a trial tells what a linkage would, from keys alone, and leaves nothing behind', async (t) => {
  const service = await startTestService(t)
  const operator = await service.person('one', ['operator', 'custodian'])
  const two = await service.person('two', ['custodian'])
  const agencies = {
    spine: await service.agency('spine'),
    many: await service.agency('many'),
    few: await service.agency('few'),
  }
  const outsider = await service.agency('outsider')
  await openTestProject([operator, two], {
    name: 'trial',
    recipe: { version: 'gyeol-1', fields: { number: 'identifier' }, keyTypes: { K1: ['number'] } },
    catalogue: {
      name: 'trial',
      version: '1',
      tables: { cases: { agency: 'spine', title, columns } },
    },
    agencies: Object.keys(agencies).map((agency) => ({
      agency,
      isSpine: agency === 'spine',
      keyTypes: ['K1'],
    })),
  })
  const rateFor = async (client = operator) =>
    expect(await client.get('/v1/projects/trial/match-rate'), 200).body
  const link = async (body?: unknown): Promise<string> => {
    const asked = expect(await operator.post('/v1/projects/trial/linkages', body), 202).body
    t.match((await service.jobEnd(operator, asked.job)).body, { state: 'done' })
    return asked.linkage
  }
  t.same(await rateFor(), {
    linkage: null,
    isTrial: null,
    threshold: null,
    extraction: null,
    agencies: [],
  })
  const isEmpty = await operator.post('/v1/projects/trial/linkages', { trial: true })
  t.match(isEmpty, { status: 409, body: { type: /:state-conflict$/ } }, 'nor without a spine')
  for (const name of ['spine', 'many', 'few'] as const) {
    const { job } = await deliver(agencies[name], 'trial', [keysOf(name)])
    t.match((await service.jobEnd(operator, job)).body.result, { delivery: 'taken' })
  }
  const trial = await link({ trial: true })
  const tried = expect(await operator.get(`/v1/linkages/${trial}`), 200).body

  await t.test('its match rates are those of keys without a payload', async (t) => {
    t.match(tried, { isTrial: true, state: 'linked', persons: 100, deliveries: [] })
    const many = { agency: 'many', serials: 90, linked: 60, rate: { share: 0.6667 } }
    t.match(await rateFor(), { linkage: trial, isTrial: true, threshold: 10 })
    t.match((await rateFor()).agencies, [{ agency: 'few' }, many, { agency: 'spine', linked: 100 }])
    t.match((await rateFor(agencies.many)).agencies, [many])
    t.same(
      (await rateFor(agencies.few)).agencies,
      [{ agency: 'few', serials: 30, linked: null, rate: null }],
      'where four are not linked, how many are is not told',
    )
    t.equal((await outsider.get('/v1/projects/trial/match-rate')).status, 404)
  })

  await t.test('there are no persons and no maps, and no cohort can rest on it', async (t) => {
    const admin = service.database.pool('admin', 1)
    const made = await admin.query(
      `select kind from gyeol.vault_object where kind not in ('key-upload', 'tokens')`,
    )
    t.same(made.rows, [])
    t.same((await admin.query('select 1 from gyeol.link_map')).rows, [])
    t.match(await operator.post('/v1/projects/trial/cohorts', { linkage: trial }), {
      status: 409,
      body: { type: /:state-conflict$/, detail: /trial/ },
    })
    await t.rejects(
      admin.query(`update gyeol.linkage set persons_object_id = (
        select object_id from gyeol.vault_object limit 1) where is_trial`),
      { message: /linkage_for_trial_gives_no_persons/ },
    )
    const { body } = expect(await operator.get(`/v1/linkages/${trial}/quality`), 200)
    t.match(body, { isTrial: true, persons: 100, cohort: null, counts: null })
    const page = await operator.get(`/v1/linkages/${trial}/report?lang=en`)
    t.match(page.bytes.toString(), 'A trial links from keys alone')
  })

  await t.test('a linkage after it tells the same, and is told from then on', async (t) => {
    const linkage = await link()
    const linked = expect(await operator.get(`/v1/linkages/${linkage}`), 200).body
    t.match(linked, { isTrial: false, report: tried.report, persons: tried.persons })
    t.equal(linked.deliveries.length, 3)
    t.match(await rateFor(agencies.many), { linkage, isTrial: false })
    const again = await link({ trial: true })
    t.match(await rateFor(), { linkage: again, isTrial: true }, 'whichever is newer')
    const cohort = await operator.post('/v1/projects/trial/cohorts', { linkage })
    t.equal(cohort.status, 202)
  })

  await t.test('a wave of one person does not tell the agency of them', async (t) => {
    const known = (await rateFor(agencies.many)).agencies[0]
    t.equal(known.linked, 60)
    const one = csvPart('', 1, ['serial,K1', `one-more,${testKey('7')}`])
    const { job } = await deliver(agencies.many, 'trial', [one], 2)
    t.match((await service.jobEnd(operator, job)).body.result, { delivery: 'taken' })
    await link({ trial: true })
    const unknown = { agency: 'many', serials: 91, linked: null, rate: null }
    t.match((await rateFor(agencies.many)).agencies, [unknown])
  })

  t.equal((await operator.post('/v1/projects/trial/linkages', { trial: 'yes' })).status, 400)
  t.equal((await agencies.many.post('/v1/projects/trial/linkages', { trial: true })).status, 403)
})
