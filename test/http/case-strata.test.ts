import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import type { ApiClient } from '../support/api-client.ts'
import {
  csvPart,
  deliver,
  expect,
  makeCohort,
  openTestProject,
  type TestPart,
  testKey,
} from '../support/exchange.ts'
import { startTestService } from '../support/service.ts'
import { until } from '../support/until.ts'

const title = { en: 'Title', ko: '제목' }
const catalogue = {
  name: 'strata',
  version: '1',
  tables: {
    tumours: {
      agency: 'registry',
      title,
      columns: {
        sex: { type: 'code', role: 'sex', title },
        born: { type: 'year-month', role: 'birth-year-month', title },
        found: { type: 'date', role: 'diagnosis-date', title },
      },
    },
    insured: {
      agency: 'insurer',
      title,
      columns: {
        sex: { type: 'code', role: 'sex', title },
        born: { type: 'integer', role: 'birth-year', title },
      },
    },
  },
}

const keysOf = (rows: readonly (readonly [serial: string, number: string])[]): TestPart =>
  csvPart('', 1, ['serial,K1', ...rows.map(([serial, number]) => `${serial},${testKey(number)}`)])

test('sex, age band and year stand beside a case, by the data side alone', async (t) => {
  const service = await startTestService(t)
  const operator = await service.person('one', ['operator', 'custodian'])
  const two = await service.person('two', ['custodian'])
  const registry = await service.agency('registry')
  const insurer = await service.agency('insurer')
  await openTestProject([operator, two], {
    name: 'strata',
    recipe: { version: 'gyeol-1', fields: { number: 'identifier' }, keyTypes: { K1: ['number'] } },
    catalogue,
    agencies: [
      { agency: 'registry', isSpine: true, keyTypes: ['K1'] },
      { agency: 'insurer', isDuplicateFree: true, keyTypes: ['K1'] },
    ],
  })
  const send = async (agency: ApiClient, wave: number, parts: TestPart[]): Promise<void> => {
    const { job } = await deliver(agency, 'strata', parts, wave)
    t.match((await service.jobEnd(operator, job)).body.result, { delivery: 'taken' })
  }
  const everybody = Array.from({ length: 12 }, (_, at) => [`R${at}`, `n${at}`] as const)
  // R7 was found twice, first at 51; R0 is 91 when found and R1 has two sexes.
  await send(registry, 1, [
    keysOf(everybody),
    csvPart('tumours', 1, [
      'serial,sex,born,found',
      ...everybody.slice(2).map(([serial]) => `${serial},2,196007,20110405`),
      'R7,2,196007,20150405',
      'R0,1,192001,20110101',
      'R1,1,195001,20120101',
      'R1,2,195001,20120101',
    ]),
  ])
  const first = expect(await operator.post('/v1/projects/strata/linkages'), 202).body
  await service.jobEnd(operator, first.job)
  await send(registry, 2, [
    keysOf([['R1', 'n0']]),
    csvPart('tumours', 1, ['serial,sex,born,found', 'R1,1,195001,20130101']),
  ])
  await send(insurer, 1, [
    keysOf([
      ['I7a', 'n7'],
      ['I7b', 'n7'],
      ['I8a', 'n8'],
      ['I8b', 'n8'],
    ]),
    csvPart('insured', 1, ['serial,sex,born', 'I7a,F,1960', 'I7b,M,1931', 'I8a,2,2015', 'I8b,,']),
  ])
  const { linkage } = await makeCohort(service, operator, 'strata')
  const path = `/v1/linkages/${linkage}/cases`
  type Case = { kind: string; sex: string | null; recordAgeBand: string | null }
  const listed = async (query = ''): Promise<Case[]> =>
    expect(await operator.get(`${path}${query}`), 200).body.cases
  const cases = await until(async () => {
    const found = await listed()
    return found.some(({ sex }) => sex) && found
  }, 'sex and age stand beside the cases')

  const merge = cases.find(({ kind }) => kind === 'merge')
  t.match(merge, { sex: null, ageBand: '60-64', year: 2012, recordSex: 'M', recordAgeBand: '85+' })

  const others = cases.filter(({ kind }) => kind === 'conflict')
  t.match(others, Array(4).fill({ sex: 'F', ageBand: '50-54', year: 2011 }), 'at the first of two')
  const ofRecords = (others as unknown as Record<string, string | null>[])
    .map((each) => `${each['recordSex']} ${each['recordAgeBand']}`)
    .toSorted()
  t.same(ofRecords, ['F 50-54', 'F null', 'M 80-84', 'null null'])

  t.equal((await listed('?sex=F&year=2011&ageBand=50-54')).length, 4)
  t.equal((await listed('?sex=M')).length, 0)
  t.equal((await listed('?ageBand=60-64')).length, 1)
  t.equal((await operator.get(`${path}?ageBand=51`)).status, 400)
  const sheet = expect(await operator.get(`${path}.csv?kind=merge`), 200).bytes.toString()
  t.match(sheet, /,,60-64,2012,M,85\+\r\n$/)

  const key = service.database.pool('gyeol_key', 1)
  const noGrant = { code: '42501' }
  await t.rejects(key.query('select sex from gyeol.link_case'), noGrant, 'the key side reads none')
  await t.rejects(key.query("update gyeol.link_case set sex = 'M'"), noGrant, 'and writes none')
  const data = service.database.pool('gyeol_data', 1)
  await t.rejects(data.query('select agency from gyeol.link_case'), noGrant)

  const next = expect(await operator.post('/v1/projects/strata/linkages'), 202).body
  await service.jobEnd(operator, next.job)
  const { rows } = await service.database.pool('admin', 1).query<{ id: string; isLive: boolean }>(
    `select object_id as id, destroyed_at is null as "isLive" from gyeol.vault_object
       where kind = 'case-list' order by created_at`,
  )
  t.same(
    rows.map(({ isLive }) => isLive),
    [false, false, true],
    'a list is destroyed by the next linkage',
  )
  for (const { id, isLive } of rows)
    t.equal(existsSync(join(service.home, 'vault', id.slice(0, 2), id)), isLive)
})
