import { type Test, test } from 'tap'
import type { ApiClient } from '../support/api-client.ts'
import {
  csvPart,
  deliver,
  expect,
  makeCohort,
  manifestOf,
  openTestProject,
  testKey,
} from '../support/exchange.ts'
import { startTestService } from '../support/service.ts'

const title = { en: 'Title', ko: '제목' }
const text = { type: 'text', lengthMax: 20, title }
const reason = 'A worker of the key side has left'

const keysOf = (rows: readonly (readonly [serial: string, number: string])[]) =>
  csvPart('', 1, ['serial,K1', ...rows.map(([serial, number]) => `${serial},${testKey(number)}`)])
const visitsOf = (serials: readonly string[]) =>
  csvPart('visits', 1, ['serial,note', ...serials.map((serial) => `${serial},of ${serial}`)])

async function stage(t: Test, rules: object) {
  const service = await startTestService(t)
  const one = await service.person('one', ['operator', 'custodian'])
  const two = await service.person('two', ['custodian'])
  const registry = await service.agency('registry')
  const claims = await service.agency('claims')
  await openTestProject([one, two], {
    name: 'keys',
    recipe: { version: 'gyeol-1', fields: { number: 'identifier' }, keyTypes: { K1: ['number'] } },
    rules: { cellMin: 1, ...rules },
    catalogue: {
      name: 'keys',
      version: '1',
      tables: { visits: { agency: 'claims', title, columns: { note: text } } },
    },
    agencies: [
      { agency: 'registry', isSpine: true, keyTypes: ['K1'] },
      { agency: 'claims', keyTypes: ['K1'] },
    ],
  })
  const send = async (agency: ApiClient, wave: number, parts: Parameters<typeof deliver>[2]) => {
    const { job, delivery } = await deliver(agency, 'keys', parts, wave)
    t.match((await service.jobEnd(one, job)).body.result, { delivery: 'taken' })
    return delivery
  }
  const link = async () => {
    const asked = expect(await one.post('/v1/projects/keys/linkages'), 202).body
    const { body } = await service.jobEnd(one, asked.job)
    return { ...body, report: (await one.get(`/v1/linkages/${asked.linkage}`)).body.report }
  }
  return {
    service,
    one,
    two,
    registry,
    claims,
    send,
    link,
    admin: service.database.pool('admin', 1),
  }
}

test('the linkage key of a project is changed', async (t) => {
  const { service, one, two, registry, claims, send, link, admin } = await stage(t, {})
  const spine = [
    ['a', '1'],
    ['b', '2'],
  ] as const
  await send(registry, 1, [keysOf(spine)])
  await send(claims, 1, [
    keysOf([
      ['p', '1'],
      ['n', '9'],
    ]),
    visitsOf(['p', 'n']),
  ])
  t.equal((await link()).state, 'done')
  const open = expect(await claims.post('/v1/projects/keys/deliveries', { wave: 2 }), 201).body

  await t.test('by two custodians', async (t) => {
    const path = '/v1/projects/keys/epochs'
    t.match(await registry.post(path, { reason }), { status: 403 })
    t.match(await one.post(path, {}), { status: 400 })
    t.match(await two.post(`${path}/2/approval`), { status: 404 })
    t.match(await one.post(path, { reason }), { status: 201, body: { epoch: 2 } })
    t.match(await two.post(path, { reason }), { status: 409, body: { type: /:already-exists$/ } })
    t.match(await one.post(`${path}/2/approval`), { status: 403, body: { type: /:own-act$/ } })
    const { job } = expect(await two.post(`${path}/2/approval`), 202).body
    t.match((await service.jobEnd(one, job)).body, { state: 'done', result: { epoch: 2 } })
    t.match(await two.post(`${path}/2/approval`), { status: 409 })
    t.match(await one.post(path, { reason }), { status: 409, body: { type: /:state-conflict$/ } })
  })

  await t.test('what was opened before is taken in under the key of that time', async (t) => {
    const part = keysOf([['q', '2']])
    expect(await claims.put(`/v1/deliveries/${open.delivery}/keys/1`, part.bytes), 201)
    const { rows } = await admin.query(
      'select wave, epoch from gyeol.delivery order by wave, epoch',
    )
    t.same(
      rows.map(({ wave, epoch }) => [wave, epoch]),
      [
        [1, 1],
        [1, 1],
        [2, 1],
      ],
    )
  })

  await t.test('nothing is linked until the registry has brought every record again', async (t) => {
    await send(registry, 2, [keysOf([['a', '1']])])
    const { state, refusal } = await link()
    t.match([state, refusal], ['failed', { code: 'epoch-retired', details: { records: 1 } }])
    await send(registry, 3, [keysOf([...spine, ['c', '3']])])
    await send(claims, 3, [keysOf([['r', '2']])])
    const { report } = await link()
    t.match(report.change, {
      version: 2,
      founded: 1,
      kept: 2,
      attached: 1,
      detached: 0,
      expired: 1,
    })
    t.match(report.agencies.claims, { linked: 2 }, 'one as before, one under the new key')
  })

  await t.test('the older key is destroyed then, with all tokens under it', async (t) => {
    const { rows } = await admin.query('select epoch, retired_epoch from gyeol.project')
    t.same(rows, [{ epoch: 2, retired_epoch: 1 }])
    const parts = await admin.query<{ destroyed: boolean }>(`
      select o.destroyed_at is not null as destroyed
      from gyeol.vault_object o where o.kind = 'tokens' order by o.created_at`)
    t.equal(parts.rows.filter(({ destroyed }) => destroyed).length, 2, 'those of the first wave')
    const part = keysOf([['q', '2']])
    t.match(
      await claims.post(`/v1/deliveries/${open.delivery}/submission`, manifestOf([part], 2)),
      { status: 422, body: { type: /:epoch-retired$/ } },
    )
    const keyring = await admin.query<{ entry: Buffer }>(
      "select entry from gyeol.audit_leaf where action = 'retire-linkage-key'",
    )
    t.match(JSON.parse(keyring.rows[0]?.entry.toString() ?? '{}'), { counts: { epoch: 1 } })
    t.equal((await link()).state, 'done', 'and later linkages go on')
  })
})

test('who is nobody’s for too long is destroyed on both sides', async (t) => {
  const { service, one, registry, claims, send, link, admin } = await stage(t, { lateWavesMax: 1 })
  await send(registry, 1, [keysOf([['a', '1']])])
  await send(claims, 1, [
    keysOf([
      ['p', '1'],
      ['n', '9'],
    ]),
    visitsOf(['p', 'n', 'n']),
  ])
  await makeCohort(service, one, 'keys')
  await send(registry, 2, [keysOf([['b', '2']])])
  const { linkage } = await makeCohort(service, one, 'keys')
  const { report } = expect(await one.get(`/v1/linkages/${linkage}`), 200).body
  t.match(report.change, { expired: 1, waiting: 0 })
  const { rows } = await admin.query<{ entry: Buffer }>(
    "select entry from gyeol.audit_leaf where action = 'assemble-part' order by number",
  )
  const counts = rows.map(({ entry }) => JSON.parse(entry.toString()).counts)
  t.match(counts, [
    { rows: 3, kept: 1, outside: 2, unknown: 0, destroyed: 0 },
    { rows: 3, kept: 1, outside: 0, unknown: 2, destroyed: 2 },
  ])
  await makeCohort(service, one, 'keys')
  const last = await admin.query<{ entry: Buffer }>(
    "select entry from gyeol.audit_leaf where action = 'assemble-part' order by number desc limit 1",
  )
  t.match(JSON.parse(last.rows[0]?.entry.toString() ?? '{}').counts, {
    rows: 1,
    kept: 1,
    destroyed: 0,
  })
  t.equal((await link()).report.change.expired, 0)
})
