import { createHash } from 'node:crypto'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { expireExtractions } from '../../src/actions/expire-extractions.ts'
import { openClient } from '../../src/agency/client.ts'
import { fetchExtraction } from '../../src/agency/extraction.ts'
import { openVault } from '../../src/vault/vault.ts'
import type { ApiClient } from '../support/api-client.ts'
import {
  csvPart,
  deliver,
  expect,
  openTestProject,
  type TestPart,
  testKey,
} from '../support/exchange.ts'
import { startTestService } from '../support/service.ts'

const title = { en: 'Title', ko: '제목' }
const columns = { code: { type: 'code', lengthMax: 10, title } }

/** A serial that says nothing of its person, as an agency's tool would draw one. */
const serialOf = (agency: string, at: number): string =>
  createHash('sha256').update(`${agency} ${at}`).digest('hex').slice(0, 12).toUpperCase()
const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, at) => at + from)
const keysOf = (agency: string, persons: number[]): TestPart => {
  const rows = persons.map((at) => `${serialOf(agency, at)},${testKey(String(at))}`)
  return csvPart('', 1, ['serial,K1', ...rows])
}
const listOf = (agency: string, persons: number[]): string =>
  `${['serial', ...persons.map((at) => serialOf(agency, at)).sort()].join('\n')}\n`

test('an agency may fetch its own linked serials before it sends a table', async (t) => {
  const service = await startTestService(t)
  const admin = service.database.pool('admin', 1)
  const operator = await service.person('one', ['operator', 'custodian'])
  const two = await service.person('two', ['custodian'])
  const [spine, claims, small, outsider] = await Promise.all(
    ['spine', 'claims', 'small', 'outsider'].map(service.agency),
  )
  if (!spine || !claims || !small || !outsider) throw new Error('four agencies')
  const open = (name: string, rules: object): Promise<void> =>
    openTestProject([operator, two], {
      name,
      rules,
      recipe: {
        version: 'gyeol-1',
        fields: { number: 'identifier' },
        keyTypes: { K1: ['number'] },
      },
      catalogue: { name, version: '1', tables: { visits: { agency: 'claims', title, columns } } },
      agencies: ['spine', 'claims', 'small'].map((agency) => ({
        agency,
        isSpine: agency === 'spine',
        keyTypes: ['K1'],
      })),
    })
  await open('told', { extraction: true })
  await open('untold', {})
  const send = async (agency: ApiClient, parts: TestPart[], wave = 1, to = 'told') => {
    const { job } = await deliver(agency, to, parts, wave)
    t.match((await service.jobEnd(operator, job)).body.result, { delivery: 'taken' })
  }
  const link = async (project: string, body?: object): Promise<string> => {
    const asked = expect(await operator.post(`/v1/projects/${project}/linkages`, body), 202).body
    t.match((await service.jobEnd(operator, asked.job)).body, { state: 'done' })
    return asked.linkage
  }
  const listFor = (agency: ApiClient, linkage: string) =>
    agency.get(`/v1/linkages/${linkage}/extraction`)
  const leaves = async (action: string): Promise<Record<string, unknown>[]> => {
    const sql = 'select entry from gyeol.audit_leaf where action = $1::text order by number'
    const found = await admin.query<{ entry: Buffer }>(sql, [action])
    return found.rows.map(({ entry }) => JSON.parse(entry.toString()))
  }
  const objects = async (): Promise<{ id: string; side: string; isThere: boolean }[]> => {
    const found = await admin.query<{ id: string; side: string; isLive: boolean }>(
      `select o.object_id as id, k.side, o.destroyed_at is null as "isLive"
       from gyeol.vault_object o join gyeol.sealing_key k using (sealing_key_id)
       where o.kind = 'extraction'`,
    )
    return found.rows.map(({ id, side, isLive }) => {
      const isThere = existsSync(join(service.home, 'vault', id.slice(0, 2), id))
      t.equal(isThere, isLive, 'the vault holds what the database names')
      return { id, side, isThere }
    })
  }

  await send(spine, [keysOf('spine', range(0, 100))])
  await send(claims, [keysOf('claims', range(50, 130))])
  await send(claims, [keysOf('claims', range(45, 60))], 2)
  await send(small, [keysOf('small', range(96, 116))])
  const trial = await link('told', { trial: true })
  const linkage = await link('told')

  await t.test(
    'all of them over every wave, each once, in an order that tells nothing',
    async (t) => {
      const answer = expect(await listFor(claims, linkage), 200)
      t.equal(answer.bytes.toString(), listOf('claims', range(45, 100)))
      const digest = createHash('sha256').update(answer.bytes).digest('base64')
      t.match(answer.headers, {
        'content-type': 'text/csv',
        'content-length': String(answer.bytes.length),
        'content-digest': `sha-256=:${digest}:`,
        'cache-control': 'no-store',
      })
      t.equal((await listFor(spine, linkage)).bytes.toString(), listOf('spine', range(0, 100)))
    },
  )

  await t.test('even if so few that their number is not told', async (t) => {
    const rate = expect(await small.get('/v1/projects/told/match-rate'), 200).body
    t.match(rate, { agencies: [{ agency: 'small', linked: null }], extraction: linkage })
    t.equal((await listFor(small, linkage)).bytes.toString(), listOf('small', range(96, 100)))
  })

  await t.test(
    'nobody else, not of a trial, and not where the project has no such rule',
    async (t) => {
      const notFound = { status: 404, body: { type: /:not-found$/ } }
      t.match(await listFor(outsider, linkage), notFound)
      t.match(await listFor(claims, '00000000-0000-4000-8000-000000000000'), notFound)
      t.equal((await listFor(operator, linkage)).status, 403)
      t.match(await listFor(claims, trial), { status: 409, body: { type: /:state-conflict$/ } })
      await send(spine, [keysOf('spine', range(0, 20))], 1, 'untold')
      await send(claims, [keysOf('claims', range(0, 20))], 1, 'untold')
      const untold = await link('untold')
      t.match(await listFor(claims, untold), { status: 403, body: { type: /:grant-missing$/ } })
      const rate = expect(await claims.get('/v1/projects/untold/match-rate'), 200).body
      t.match(rate, { linkage: untold, extraction: null })
      t.equal((await objects()).length, 3, 'there was never a list')
    },
  )

  await t.test('who took what is on record, refused takings too', async (t) => {
    const taken = await leaves('read-extraction')
    t.match(
      taken.filter(({ outcome }) => outcome === 'done'),
      [
        { actor: { name: 'claims' }, object: linkage, counts: { serials: 55 } },
        { actor: { name: 'spine' }, counts: { serials: 100 } },
        { actor: { name: 'small' }, counts: { serials: 4 } },
      ],
    )
    t.equal(taken.filter(({ outcome }) => outcome === 'refused').length, 5)
    t.same(
      (await leaves('seal-extraction')).map(({ object, counts }) => [object, counts]),
      [
        [`${linkage}/claims`, { serials: 55 }],
        [`${linkage}/small`, { serials: 4 }],
        [`${linkage}/spine`, { serials: 100 }],
      ],
    )
  })

  await t.test('the tool fetches it whole, and the tables of those are all kept', async (t) => {
    const { url, tls } = claims.reach
    const client = openClient({
      url,
      ca: tls.ca.toString(),
      certificate: tls.cert?.toString() ?? '',
      privateKey: tls.key?.toString() ?? '',
    })
    t.teardown(() => client.close())
    const path = join(t.testdir({}), 'linked.csv')
    t.equal(await fetchExtraction(client, { project: 'told' }, path), linkage)
    t.equal(statSync(path).mode & 0o777, 0o600)
    const list = readFileSync(path, 'utf8')
    t.equal(list, listOf('claims', range(45, 100)))
    await t.rejects(fetchExtraction(client, { project: 'untold' }, path), { code: 'not-found' })
    await t.rejects(fetchExtraction(client, { linkage: trial }, path), { code: 'state-conflict' })
    t.equal(readFileSync(path, 'utf8'), list, 'a refusal leaves what is there')
    const wanted = new Set(list.trim().split('\n').slice(1))
    const rows = range(50, 130).flatMap((at) => {
      const serial = serialOf('claims', at)
      return wanted.has(serial) ? [`${serial},C${at}`] : []
    })
    await send(claims, [csvPart('visits', 1, ['serial,code', ...rows])])
    const asked = expect(await operator.post('/v1/projects/told/cohorts', { linkage }), 202).body
    await service.jobEnd(operator, asked.job)
    const { tables } = expect(await operator.get(`/v1/cohorts/${asked.cohort}`), 200).body
    t.match(tables, [{ table: 'visits', rows: 50, kept: 50, outside: 0, unknown: 0 }])
  })

  await t.test('a newer linkage ends the lists before it, and so does time', async (t) => {
    t.ok((await objects()).every(({ side, isThere }) => side === 'desk' && isThere))
    await link('told', { trial: true })
    t.equal((await listFor(claims, linkage)).status, 200, 'a trial does not')
    const newer = await link('told')
    const past = { status: 403, body: { type: /:outside-period$/ } }
    t.match(await listFor(claims, linkage), past)
    t.equal((await listFor(claims, newer)).status, 200)
    t.equal((await objects()).filter(({ isThere }) => isThere).length, 3)
    const deps = {
      pool: service.database.pool('gyeol_api'),
      vault: await openVault(join(service.home, 'vault')),
    }
    t.equal(await expireExtractions(deps), 0)
    await admin.query(`update gyeol.extraction set created_at = now() - interval '31 days'`)
    t.equal(await expireExtractions(deps), 3)
    t.equal((await objects()).filter(({ isThere }) => isThere).length, 0)
    t.match(await listFor(claims, newer), past)
    t.match(await leaves('expire-extractions'), [{ object: newer, counts: { lists: 3 } }])
  })
})
